// Forms: labelled fields, the server's 422 beside the field it names, one submit at a time.

import { ApiProblem } from "./api.js";
import { toast } from "./dialog.js";
import { settle, stateOf, watch } from "./dirty.js";
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
  const hintId = hint && `${id}-hint`;
  return h(
    "div",
    { class: "field check", data: { name } },
    h("input", { type: "checkbox", name, id, checked, "aria-describedby": hintId || null }),
    h("label", { for: id }, label),
    hint && h("p", { class: "hint", id: hintId }, hint),
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
  const element = h("form", { class: "form", novalidate: true }, children,
    h("div", { class: "actions" }, extra, button));
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submitForm(element, button, save, done);
  });
  watch(element);
  return element;
}

// Sends a form once at a time: `save(values, form)`; afterwards it counts as unchanged. `save` gives true when it
// brought new values into the form, which then are the saved ones.
export async function submitForm(element, button, save, done = "") {
  if (button.getAttribute("aria-disabled") === "true") return;
  // Not `disabled`: that would throw the focus away.
  button.setAttribute("aria-disabled", "true");
  clearErrors(element);
  const sent = stateOf(element);
  try {
    checkFilled(element);
    const isFresh = await save(values(element), element);
    settle(element, isFresh === true ? stateOf(element) : sent);
    if (done) toast(done);
  } catch (problem) {
    showErrors(element, problem);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// What the browser alone can tell. The server takes an empty value of a partial change for "stays as it is".
function checkFilled(element) {
  const errors = {};
  for (const input of element.elements) {
    if (!input.name || input.closest("[hidden]")) continue;
    const isNumber = input.type === "number";
    if (input.required && !input.value.trim()) errors[input.name] = "Please fill this in.";
    else if (isNumber && (input.validity.badInput || input.value === "")) errors[input.name] = "Must be a number.";
  }
  if (Object.keys(errors).length) throw new ApiProblem(422, { errors });
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
  for (const line of element.querySelectorAll(".field-error, .form-error")) {
    const { input } = line;
    line.remove();
    input?.removeAttribute("aria-invalid");
    describe(input, line.id, false);
  }
}

// Puts each sentence beside its field and the focus on the first; what belongs to no field stands above the button.
export function showErrors(element, problem) {
  if (!(problem instanceof ApiProblem)) throw problem;
  const rest = [];
  const places = [];
  for (const [name, sentence] of Object.entries(problem.errors).map((one) => located(element, one))) {
    const place = placeOf(element, name);
    if (place) places.push(tell(place, sentence));
    else rest.push(`${name} ${sentence}`);
  }
  if (rest.length || !places.length) {
    const said = rest.map(capital).join(" ") || problem.message;
    const line = h("p", { class: "form-error", role: "alert", tabindex: "-1" }, said);
    ([...element.querySelectorAll(".actions")].at(-1) || element).before(line);
    if (!places.length) line.focus();
  }
  // In the order of the page, not in that of the answer.
  const isBefore = (one, other) => one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
  places.sort((one, other) => (isBefore(one, other) ? -1 : 1))[0]?.focus();
}

// The server tells where in a list something is wrong within the sentence: {rules: "has a wrong value at [0].path"}.
function located(element, [name, sentence]) {
  const where = /^has a wrong value at (\[.*)$/.exec(sentence)?.[1];
  const input = where && element.elements.namedItem(name + where);
  if (input instanceof Element) return [name + where, input.dataset.wrong || "has a wrong value"];
  const line = /^\[(\d+)\]$/.exec(where || "");
  return [name, line ? `line ${Number(line[1]) + 1} has a wrong value` : sentence];
}

// The input of a field, or what stands around several of them; `starters[2]` belongs to `starters`.
function placeOf(element, name) {
  const outer = name.split(/[.[]/)[0];
  for (const one of [name, outer]) {
    const found = element.elements.namedItem(one);
    if (found instanceof Element) return found;
  }
  return element.querySelector(`[data-name="${CSS.escape(outer)}"]`);
}

// The sentence below a field; what may take the focus there.
function tell(place, sentence) {
  const line = h("p", { class: "field-error", id: newId("error") }, capital(sentence));
  const isGroup = place.matches("fieldset, .field");
  const input = isGroup ? place.querySelector("input, select, textarea, button") : place;
  line.input = input;
  if (!isGroup) input.setAttribute("aria-invalid", "true");
  describe(input, line.id, true);
  (isGroup ? place : place.closest(".field"))?.append(line);
  return input;
}

// Adds a line to what describes an input, or takes it away.
function describe(input, id, isThere) {
  const ids = (input?.getAttribute("aria-describedby") || "").split(" ").filter((one) => one && one !== id);
  if (isThere) ids.unshift(id);
  if (ids.length) input.setAttribute("aria-describedby", ids.join(" "));
  else input?.removeAttribute("aria-describedby");
}

// A sentence that begins like one.
export function capital(sentence) {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
