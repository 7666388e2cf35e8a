// What came of the nudges: how often each wording was shown, clicked, dismissed, and led to a message.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { h, put } from "../lib/dom.js";

const COLUMNS = [
  ["Shown", "impressions"], ["Clicked", "clicks"], ["Dismissed", "dismissals"], ["Wrote then", "conversions"],
];

export class NudgeFigures {
  #path;
  node = h("section", { class: "card form", "aria-label": "What came of it" });

  constructor(path) {
    this.#path = `${path}/analytics`;
  }

  async load() {
    const { rules } = await api.get(this.#path);
    const rows = rules.flatMap((rule) => rule.variants.map((variant) => ({
      ...variant, path: rule.path, isPast: !rule.is_current || !variant.is_current,
    })));
    put(this.node,
      h("div", { class: "page-head" }, h("h2", {}, "What came of it"), rows.some((row) => row.impressions > 0) &&
        h("button", { type: "button", class: "quiet", onclick: () => this.#reset() }, "Begin anew")),
      rows.length ? table(rows) : h("p", { class: "empty" }, "Nothing was shown yet."));
  }

  async #reset() {
    const sentence = "The figures so far are thrown away; who has seen what stays known.";
    if (!(await confirmDialog("Begin counting anew?", sentence, "Begin anew"))) return;
    try {
      await api.del(this.#path);
      await this.load();
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }
}

function table(rows) {
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "What came of the nudges" },
    h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Page"), h("th", { scope: "col" }, "Wording"),
        COLUMNS.map(([title]) => h("th", { scope: "col", class: "number" }, title)))),
      h("tbody", {}, rows.map((row) => h("tr", {},
        h("td", {}, row.path),
        h("td", {}, row.message || `Wording ${row.id}`, row.isPast && [" ", h("span", { class: "tag" }, "past")]),
        COLUMNS.map(([, name]) => h("td", { class: "number" }, String(row[name]))))))));
}
