// What concerns all entries at once: the index made anew, and the end of everything.

import { api, ApiProblem, LONG_MS } from "../lib/api.js";
import { openDialog, toast } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { field, form } from "../lib/form.js";
import { counted } from "./words.js";

export function upkeepNode(page, onGone) {
  const rebuild = h("button", { type: "button", onclick: () => makeAnew(page, rebuild) }, "Make it anew");
  return h("details", { class: "upkeep" }, h("summary", {}, "Index, and delete everything"),
    h("div", { class: "card" },
      part("The index", "Entries are found at once when they are saved. Make the index anew only if something that " +
        "is here is not found.", rebuild),
      part("Everything", "Deletes all entries of this site. Visitors get no answers until there are new ones.",
        h("button", { type: "button", class: "danger", onclick: () => askForName(page, onGone) },
          "Delete all entries"))));
}

function part(title, sentence, button) {
  return h("div", { class: "part" }, h("div", {}, h("h2", {}, title), h("p", { class: "soft" }, sentence)), button);
}

async function makeAnew(page, button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  button.textContent = "Making it anew …";
  try {
    const { count } = await api.post(`${page.path}/knowledge/rebuild`, {}, LONG_MS);
    toast(`${counted(count, "entry", "entries")} indexed anew.`);
  } catch (problem) {
    toast(problem.message, "bad");
  }
  button.textContent = "Make it anew";
  button.removeAttribute("aria-disabled");
}

// The site's name has to be typed: nothing of it comes back.
function askForName(page, onGone) {
  const { name } = page.site;
  const element = form([
    h("p", {}, `All entries of ${name} are deleted for good, also those of your website and of files.`),
    field(`Type “${name}” to go on`, h("input", { name: "name", autocomplete: "off" })),
  ], async (given) => {
    if (given.name.trim() !== name) throw new ApiProblem(422, { errors: { name: `Please type ${name}.` } });
    const { count } = await api.del(`${page.path}/knowledge/all`, LONG_MS);
    dialog.close();
    toast(`${counted(count, "entry", "entries")} deleted.`);
    onGone();
  }, { submit: "Delete all entries" });
  element.querySelector("[type=submit]").className = "danger";
  const dialog = openDialog("Delete everything?", element);
}
