// One rule of the nudges as fields: the page, the delay, how often, and its wordings with their weights.

import { h, icon } from "../lib/dom.js";
import { field, select } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";

const FREQUENCIES = [
  ["once", "Once for each visitor"], ["daily", "At most once a day"], ["always", "On every visit of the page"],
];

export const newRule = () => ({ path: "/", delay_seconds: 20, frequency: "once", variants: [] });
export const newVariant = () => ({ message: "", weight: 1 });

export function ruleCard(rule, { onRemove }) {
  const variants = h("div", { class: "form" }, rule.variants.map((variant) => variantRow(variant)));
  const add = () => {
    variants.append(variantRow(newVariant()));
    variants.lastElementChild.querySelector("input").focus();
  };
  return h("fieldset", { class: "card rule" },
    h("legend", { class: "hidden" }, `Rule for ${rule.path}`),
    h("div", { class: "columns" },
      field("Page", h("input", {
        data: { field: "path", wrong: "must begin with / or *" }, value: rule.path, maxlength: 500, required: true,
      }),
        "Such as /cart; * stands for anything."),
      field("After seconds", number("delay_seconds", rule.delay_seconds, 0, 3600), "0: at once."),
      field("How often", select("", FREQUENCIES, rule.frequency, { "data-field": "frequency" }))),
    variants,
    h("div", { class: "actions" },
      h("button", { type: "button", class: "quiet", onclick: add }, icon(ICONS.plus, 18), "Another wording"),
      h("button", { type: "button", class: "quiet", onclick: onRemove }, icon(ICONS.trash, 18), "Remove the rule")));
}

// Names every field as the server names it in what it refuses: rules[0].variants[1].message.
export function nameFields(root) {
  root.querySelectorAll(".rule").forEach((card, place) => {
    for (const one of card.querySelectorAll(":scope > .columns [data-field]")) {
      one.name = `rules[${place}].${one.dataset.field}`;
    }
    card.querySelectorAll(".variant").forEach((row, number) => {
      for (const one of row.querySelectorAll("[data-field]")) {
        one.name = `rules[${place}].variants[${number}].${one.dataset.field}`;
      }
    });
  });
}

// What the fields of a card say, as the server takes it.
export function readRule(card) {
  const one = (name, within) => within.querySelector(`[data-field="${name}"]`).value;
  const variants = [...card.querySelectorAll(".variant")].map((row) => ({
    message: one("message", row).trim(), weight: Number(one("weight", row)),
    // Its number stays with a wording that is changed, and with it what the figures counted.
    ...(row.dataset.id && { id: Number(row.dataset.id) }),
  }));
  const own = card.querySelector(":scope > .columns");
  return {
    path: one("path", own).trim(), delay_seconds: Number(one("delay_seconds", own)),
    frequency: one("frequency", own), variants,
  };
}

function variantRow(variant) {
  const row = h("div", { class: "variant", data: { id: variant.id ?? "" } },
    field("Text", h("input", { data: { field: "message" }, value: variant.message, maxlength: 4000, required: true,
      dir: "auto" })),
    field("Weight", number("weight", variant.weight, 1, 1000)),
    h("button", { type: "button", class: "quiet square", "aria-label": "Remove this wording", onclick: remove },
      icon(ICONS.trash, 18)));
  function remove() {
    const next = row.nextElementSibling || row.previousElementSibling;
    // A rule without words is none.
    if (!next) return;
    row.remove();
    next.querySelector("input").focus();
  }
  return row;
}

function number(name, value, min, max) {
  return h("input", { data: { field: name, wrong: `must be a whole number from ${min} to ${max}` },
    type: "number", min, max, value, inputmode: "numeric" });
}
