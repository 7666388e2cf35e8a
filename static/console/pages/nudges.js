// Nudges: which page says what by itself, in which wordings, how often; and what came of it.

import { api } from "../lib/api.js";
import { h, icon, put } from "../lib/dom.js";
import { watch } from "../lib/dirty.js";
import { submitForm } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";
import { NudgeFigures } from "../settings/nudge_figures.js";
import { newRule, newVariant, nameFields, readRule, ruleCard } from "../settings/nudge_rules.js";

export async function open(app) {
  const page = new Nudges(app);
  await page.load();
  return { title: "Nudges", node: page.node };
}

class Nudges {
  #path;
  #rules = h("div", { class: "form" });
  #form;
  #figures;

  constructor(app) {
    this.#path = `sites/${app.siteId}/nudge`;
    const save = h("button", { type: "submit", class: "primary" }, "Save the rules");
    this.#form = h("form", { class: "form", novalidate: true },
      this.#rules,
      h("div", { class: "actions" },
        h("button", { type: "button", onclick: () => this.#add() }, icon(ICONS.plus, 18), "Add a rule"), save));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      nameFields(this.#rules);
      submitForm(this.#form, save, () => this.#save(), "Saved.");
    });
    // Whoever changes rules need not be somebody who may see what visitors do.
    this.#figures = app.can("can_view_conversations") ? new NudgeFigures(this.#path) : null;
    this.node = h("div", { class: "page" }, h("h1", {}, "Nudges"),
      h("p", { class: "soft" }, "A short line beside the chat button, on the pages you choose. Who dismisses one " +
        "does not see it again."),
      this.#form, this.#figures?.node);
  }

  async load() {
    const [{ rules }] = await Promise.all([api.get(`${this.#path}/rules`), this.#figures?.load()]);
    this.#draw(rules);
    watch(this.#form);
  }

  #draw(rules) {
    put(this.#rules, rules.length ? rules.map((rule) => this.#card(rule))
      : h("p", { class: "empty" }, "No nudges yet."));
  }

  #card(rule) {
    const card = ruleCard(rule, {
      onRemove: () => {
        const next = card.nextElementSibling || card.previousElementSibling;
        card.remove();
        (next || this.#form).querySelector("input, button").focus();
      },
    });
    return card;
  }

  #add() {
    this.#rules.querySelector(".empty")?.remove();
    const card = this.#card({ ...newRule(), variants: [newVariant()] });
    this.#rules.append(card);
    card.querySelector("input").focus();
  }

  async #save() {
    const sent = [...this.#rules.querySelectorAll(".rule")].map(readRule);
    const { rules } = await api.put(`${this.#path}/rules`, { rules: sent });
    // Drawn again for the numbers of new wordings; the focus stays on the button that saved.
    this.#draw(rules);
    this.#figures?.load();
    return true;
  }
}
