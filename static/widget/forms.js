// The forms at the end of a conversation: how to reach the visitor, and how it was.

import { h, iconButton } from "./dom.js";
import { Refusal } from "./api.js";

/** `collect`: email, phone or both. save(values) throws a Refusal; close() takes the form away. */
export function contactForm(words, collect, { save, close }) {
  const error = h("p", { class: "meta error", role: "alert" });
  const fields = new Map([["name", field(words.name, { name: "name", autocomplete: "name" })]]);
  if (collect !== "phone") fields.set("email", field(words.email, { name: "email", type: "email", autocomplete: "email" }));
  if (collect !== "email") fields.set("phone", field(words.phone, { name: "phone", type: "tel", autocomplete: "tel" }));
  const submit = async (event) => {
    event.preventDefault();
    const values = {};
    for (const [name, { input }] of fields) if (input.value.trim()) values[name] = input.value.trim();
    try {
      await save(values);
      form.replaceChildren(h("p", { role: "status" }, words.saved));
    } catch (problem) {
      error.textContent = problem instanceof Refusal ? problem.message : words.failed;
    }
  };
  const form = h("form", { class: "card", onsubmit: submit, novalidate: "", "aria-label": words.contact },
    h("p", {}, words.contact));
  for (const { label } of fields.values()) form.append(label);
  form.append(error, buttons(words, close));
  return form;
}

/** rate(score) and comment(text) give null when they failed. */
export function ratingForm(words, { rate, comment, close }) {
  const card = h("form", { class: "card", "aria-label": words.rate }, h("p", {}, words.rate));
  const stars = h("div", { class: "stars", role: "radiogroup", "aria-label": words.rate });
  for (let score = 1; score <= 5; score++) {
    const label = words.stars.replace("{n}", score);
    const choose = async () => {
      mark(stars, score);
      if (await rate(score)) ask();
    };
    stars.append(iconButton("star", label, choose, { role: "radio", "aria-checked": "false" }));
  }
  const text = h("textarea", { rows: 2, maxlength: 2000, "aria-label": words.comment, placeholder: words.comment });
  const ask = () => card.contains(text) || (later.replaceWith(text, buttons(words, close)), text.focus());
  const later = h("button", { type: "button", class: "pill", onclick: close }, words.skip);
  card.append(stars, later);
  card.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text.value.trim() || (await comment(text.value))) card.replaceChildren(h("p", { role: "status" }, words.saved));
  });
  return card;
}

function field(name, attributes) {
  const input = h("input", attributes);
  return { input, label: h("label", {}, name, input) };
}

function buttons(words, close) {
  return h("div", { class: "line" },
    h("button", { class: "pill strong" }, words.save),
    h("button", { type: "button", class: "pill", onclick: close }, words.skip));
}

function mark(stars, score) {
  let number = 0;
  for (const star of stars.children) {
    number++;
    star.classList.toggle("on", number <= score);
    star.setAttribute("aria-checked", number === score);
  }
}
