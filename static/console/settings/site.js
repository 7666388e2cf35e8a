// The site itself: its name and address, a new key, another site, and the end of it.

import { api } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h, icon } from "../lib/dom.js";
import { checkbox, field, form } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";

export const site = {
  name: "site",
  title: "Site",
  isOwnerOnly: true,
  draw: ({ app, settings }) => [
    h("h2", {}, "This site"),
    form([...fields(app.site), checkbox("The chat is on", "is_active", app.site.is_active,
      "Off: visitors see no chat; everything is kept.")], async (given) => {
      await api.put(`sites/${app.siteId}`, given);
      await app.readSites();
    }, { done: "Saved." }),
    part("Another site", "Its conversations, settings and figures are its own; the team is yours.", addSiteButton(app)),
    part("A new key", "The key in the tag is public. Make a new one when somebody misuses it: the old tag stops " +
      "working at once.", h("button", { type: "button", onclick: () => rotate(app, settings) }, "New site key")),
    part("The end", "Erases the site with its conversations, contacts, images and knowledge.",
      h("button", { type: "button", class: "danger", onclick: () => remove(app, settings) }, "Delete this site")),
  ],
};

function part(title, sentence, button) {
  return h("div", { class: "part" }, h("div", {}, h("h2", {}, title), h("p", { class: "soft" }, sentence)), button);
}

function fields(values = {}) {
  return [
    field("Name", h("input", { name: "name", value: values.name || "", maxlength: 200, required: true })),
    field("Address", h("input", {
      name: "url", type: "url", value: values.url || "", placeholder: "https://shop.example", required: true,
    })),
  ];
}

export function addSiteButton(app, kind = "") {
  const add = () => {
    const dialog = openDialog("Add a site", form(fields(), async (given) => {
      const { site: made } = await api.post("sites", given);
      dialog.close();
      await app.readSites();
      await app.chooseSite(made.id, "settings/tag");
    }, { submit: "Add" }));
  };
  return h("button", { type: "button", class: kind, onclick: add }, icon(ICONS.plus, 18), "Add a site");
}

async function rotate(app, settings) {
  const sentence = "The tag on your pages stops working until you paste the new one.";
  if (!(await confirmDialog("Make a new site key?", sentence, "Make a new key"))) return;
  try {
    await api.post(`sites/${app.siteId}/rotate-key`);
    await app.readSites();
    await settings.load();
    app.go("settings/tag");
  } catch (problem) {
    toast(problem.message, "bad");
  }
}

async function remove(app, settings) {
  const { name } = app.site;
  const sentence = `Everything of ${name} is erased: conversations, contacts, images, knowledge. This cannot be ` +
    "taken back.";
  if (!(await confirmDialog(`Delete ${name}?`, sentence, "Delete for good"))) return;
  try {
    await api.del(`sites/${app.siteId}`);
    // Nobody is asked about changes of what is gone.
    settings.node.replaceChildren();
    await app.readSites();
    await app.chooseSite(app.siteId, app.site ? "inbox" : "settings");
    toast(`${name} was deleted.`);
  } catch (problem) {
    toast(problem.message, "bad");
  }
}
