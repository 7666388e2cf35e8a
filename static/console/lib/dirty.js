// Forms that were changed and not saved; dialog.js asks whoever is about to leave one.

const saved = new WeakMap();

// From now on `element`, a <form>, counts as changed when it differs from what it is now.
export function watch(element) {
  saved.set(element, stateOf(element));
}

// What was sent is saved: `state` is of the moment of sending, since somebody may have gone on writing. A form that is
// not watched holds nothing to lose.
export function settle(element, state = stateOf(element)) {
  if (saved.has(element)) saved.set(element, state);
}

// All that a form holds, in one text that two equal forms share.
export function stateOf(element) {
  return JSON.stringify([...element.elements].filter((input) => input.matches("input, select, textarea"))
    .map((input) => input.type === "checkbox" ? input.checked : input.value));
}

// Whether a watched form below `root` was changed.
export function isDirty(root = document) {
  return [...root.querySelectorAll("form")].some((one) => saved.has(one) && saved.get(one) !== stateOf(one));
}

// The browser's own question, for a closed tab or a reload.
addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());
