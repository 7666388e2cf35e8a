// Nudges: which page says what by itself, in which wordings, how often; and what came of it.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { h, icon, put } from "../lib/dom.js";
import { clearErrors, field, select, showErrors } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";

const FREQUENCIES = [["once", "Once for each visitor"], ["daily", "At most once a day"], ["always", "On every visit of the page"]];

export async function open(app) {
  const page = new Nudges(app);
  await page.load();
  return { title: "Nudges", node: page.node };
}

class Nudges {
  #app;
  #path;
  #rules = h("div", { class: "form" });
  #figures = h("section", { class: "card", "aria-label": "What came of it" });
  #form;

  constructor(app) {
    this.#app = app;
    this.#path = `sites/${app.siteId}/nudge`;
    this.#form = h("form", { class: "form", novalidate: true, onsubmit: (event) => this.#save(event) },
      this.#rules,
      h("div", { class: "actions" },
        h("button", { type: "button", onclick: () => this.#add() }, icon(ICONS.plus, 18), "Add a rule"),
        h("button", { type: "submit", class: "primary" }, "Save the rules")));
    this.node = h("div", { class: "page" }, h("h1", {}, "Nudges"),
      h("p", { class: "soft" }, "A short line beside the chat button, on the pages you choose. Whoever dismisses one never sees it again."),
      this.#form, this.#figures);
  }

  async load() {
    const [{ rules }, analytics] = await Promise.all([api.get(`${this.#path}/rules`), api.get(`${this.#path}/analytics`)]);
    put(this.#rules, rules.map((rule) => ruleCard(rule)));
    if (!rules.length) put(this.#rules, h("p", { class: "empty" }, "No nudges yet."));
    this.#drawFigures(analytics);
  }

  #add() {
    this.#rules.querySelector(".empty")?.remove();
    const card = ruleCard({ path: "/", delay_seconds: 20, frequency: "once", variants: [{ message: "", weight: 1 }] });
    this.#rules.append(card);
    card.querySelector("input").focus();
  }

  async #save(event) {
    event.preventDefault();
    clearErrors(this.#form);
    const rules = [...this.#rules.querySelectorAll(".rule")].map(readRule);
    try {
      await api.put(`${this.#path}/rules`, { rules });
      toast("Saved.");
      await this.load();
    } catch (problem) {
      showErrors(this.#form, problem);
    }
  }

  #drawFigures({ rules }) {
    const data = rules.flatMap((rule) => rule.variants.map((variant) => ({ ...variant, rule_path: rule.path })));
    const reset = async () => {
      if (!(await confirmDialog("Begin counting anew?", "The figures so far are thrown away; who has seen what stays known.", "Begin anew"))) return;
      await api.del(`${this.#path}/analytics`).catch((problem) => toast(problem.message, "bad"));
      this.#drawFigures(await api.get(`${this.#path}/analytics`));
    };
    const head = h("div", { class: "page-head" }, h("h2", {}, "What came of it"), data.length > 0 && h("button", { type: "button", class: "quiet", onclick: reset }, "Begin anew"));
    const titles = ["Page", "Wording", "Shown", "Clicked", "Wrote"];
    put(this.#figures, head, data.length
      ? h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Nudges" }, h("table", {},
        h("thead", {}, h("tr", {}, titles.map((title, place) => h("th", { scope: "col", class: place > 1 && "number" }, title)))),
        h("tbody", {}, data.map((row) => h("tr", {}, h("td", {}, row.rule_path), h("td", {}, row.message || `Wording ${row.id}`),
          [row.impressions, row.clicks, row.conversions].map((count) => h("td", { class: "number" }, String(count))))))))
      : h("p", { class: "empty" }, "Nothing was shown yet."));
  }
}

function ruleCard(rule) {
  const variants = h("div", { class: "form" }, rule.variants.map((variant) => variantRow(variant)));
  const card = h("fieldset", { class: "card rule" },
    h("legend", { class: "hidden" }, `Rule for ${rule.path}`),
    h("div", { class: "columns" },
      field("Page", h("input", { name: "path", value: rule.path, maxlength: 500 }), "Such as /cart; * stands for anything."),
      field("After seconds", h("input", { name: "delay_seconds", type: "number", min: 0, max: 3600, value: rule.delay_seconds })),
      field("How often", select("frequency", FREQUENCIES, rule.frequency))),
    variants,
    h("div", { class: "actions" },
      h("button", { type: "button", class: "quiet", onclick: () => variants.append(variantRow({ message: "", weight: 1 })) }, "Another wording"),
      h("button", { type: "button", class: "quiet", onclick: () => card.remove() }, icon(ICONS.trash, 18), "Remove the rule")));
  return card;
}

function variantRow(variant) {
  return h("div", { class: "variant" },
    field("Text", h("input", { name: "message", value: variant.message, maxlength: 4000 })),
    field("Weight", h("input", { name: "weight", type: "number", min: 1, max: 1000, value: variant.weight })));
}

function readRule(card) {
  const one = (name, within = card) => within.querySelector(`[name="${name}"]`).value;
  const variants = [...card.querySelectorAll(".variant")].map((row) => ({ message: one("message", row).trim(), weight: Number(one("weight", row)) }));
  return {
    path: one("path").trim(), delay_seconds: Number(one("delay_seconds")), frequency: one("frequency"),
    variants: variants.filter((variant) => variant.message),
  };
}
