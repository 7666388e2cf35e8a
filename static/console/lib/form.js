// Forms: labelled fields, the server's 422 beside the field it names, one submit at a time.

import { ApiProblem } from "./api.js";
import { toast } from "./dialog.js";
import { h, newId } from "./dom.js";

// A labelled field around `input` (an element with a name). `hint` is a line below it.
export function field(label, input, hint = "") {
  const id = (input.id ||= newId("field"));
  const hintId = hint && `${id}-hint`;
  if (hintId) input.setAttribute("aria-describedby", hintId);
  return h(
    "div",
    { class: "field", data: { name: input.name } },
    h("label", { for: id }, label),
    input,
    hint && h("p", { class: "hint", id: hintId }, hint),
  );
}

// A box to tick, with its label beside it.
export function checkbox(label, name, checked, hint = "") {
  const id = newId("field");
  return h(
    "div",
    { class: "field check", data: { name } },
    h("input", { type: "checkbox", name, id, checked }),
    h("label", { for: id }, label),
    hint && h("p", { class: "hint" }, hint),
  );
}

// A <select>; options: [[value, words], ...].
export function select(name, options, value, properties = {}) {
  return h(
    "select",
    { name, ...properties },
    options.map(([key, words]) => h("option", { value: key, selected: String(key) === String(value ?? "") }, words)),
  );
}

// A <form> of these children. `save(values, form)` gets {name: text | boolean} and may throw ApiProblem, whose
// field errors are shown beside the fields.
export function form(children, save, { submit = "Save", done = "", extra = null } = {}) {
  const button = h("button", { type: "submit", class: "primary" }, submit);
  const element = h("form", { class: "form", novalidate: true }, children, h("div", { class: "actions" }, extra, button));
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    clearErrors(element);
    try {
      await save(values(element), element);
      if (done) toast(done);
    } catch (problem) {
      showErrors(element, problem);
    } finally {
      button.disabled = false;
    }
  });
  return element;
}

// What a form holds: boxes as booleans, everything else as text.
export function values(element) {
  const found = {};
  for (const input of element.elements) {
    if (!input.name) continue;
    if (input.type === "checkbox") found[input.name] = input.checked;
    else if (input.type !== "radio" || input.checked) found[input.name] = input.value;
  }
  return found;
}

export function clearErrors(element) {
  for (const line of element.querySelectorAll(".field-error")) line.remove();
  for (const input of element.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

// Puts each sentence beside its field and the focus on the first; the rest becomes a toast.
export function showErrors(element, problem) {
  if (!(problem instanceof ApiProblem)) throw problem;
  let first = null;
  const rest = [];
  for (const [name, sentence] of Object.entries(problem.errors)) {
    const input = element.elements.namedItem(name) || element.elements.namedItem(name.split(/[.[]/)[0]);
    const place = input instanceof Element ? input : null;
    if (!place) {
      rest.push(`${name}: ${sentence}`);
      continue;
    }
    const id = newId("error");
    place.setAttribute("aria-invalid", "true");
    place.setAttribute("aria-describedby", id);
    place.closest(".field")?.append(h("p", { class: "field-error", id }, sentence));
    first ||= place;
  }
  first?.focus();
  if (rest.length || !first) toast(rest.join(" ") || problem.message, "bad");
}
