// Every entry of a site: the list, one entry in its editor, and what a site without any begins with.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { settle } from "../lib/dirty.js";
import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { ListTable } from "../lib/table.js";
import { ago } from "../lib/time.js";
import { entryForm } from "./entry_form.js";
import { startNode } from "./start.js";
import { upkeepNode } from "./upkeep.js";
import { excerptOf, kindTag, nameOf, sourceLink } from "./words.js";

const FILTER = {
  name: "type", label: "Kind",
  options: [["all", "Every kind"], ["faq", "Questions"], ["custom", "Texts"], ["page", "Pages"]],
};

export class Entries {
  title = "";
  node = h("div", { class: "list" });
  #page;
  #path;
  #list = null;
  #turn = 0;
  #rest = "";
  #isWell = false;

  constructor(page) {
    this.#page = page;
    this.#path = `${page.path}/knowledge`;
  }

  // "": the list; "new": an empty editor; "12": that entry.
  async show([rest = ""]) {
    const turn = ++this.#turn;
    this.#rest = rest;
    this.title = "";
    let drawn;
    try {
      drawn = await (rest === "new" ? this.#empty() : rest ? this.#one(rest) : this.#all());
      this.#isWell = true;
    } catch (problem) {
      this.#isWell = false;
      drawn = [rest && backLink(), h("p", { class: "empty" }, problem.status === 404
        ? "This entry is not there any more." : problem.message)];
    }
    // Somebody was faster and went on.
    if (turn === this.#turn) put(this.node, drawn);
  }

  // What could not be read while the line was away.
  again() {
    if (!this.#isWell) this.show([this.#rest]);
  }

  async #all() {
    const { pagination } = await api.get(this.#path, { per_page: 1 });
    if (!pagination.total) return startNode(this.#page);
    this.#list ||= this.#table();
    await this.#list.load();
    return [
      h("div", { class: "page-head" },
        h("p", { class: "soft lead" }, "Answers come from these entries, with the entry as their source."),
        this.#page.mayEdit && h("a", { class: "button primary", href: "/console/knowledge/entries/new", data: {
          first: true } }, icon(ICONS.plus, 18), "New entry")),
      this.#list.node,
      this.#page.mayEdit && upkeepNode(this.#page, () => this.show([])),
    ];
  }

  #table() {
    return new ListTable({
      path: this.#path,
      caption: "Entries",
      searchLabel: "Search entries",
      filters: [FILTER],
      empty: "There are no entries of this kind.",
      columns: [
        { title: "Entry", cell: (row) => h("bdi", {}, nameOf(row)) },
        { title: "Kind", cell: (row) => kindTag(row.type) },
        { title: "Says", cell: (row) => h("span", { class: "soft says", dir: "auto" }, excerptOf(row)) },
        { title: "From", cell: (row) => sourceLink(row.url, this.#page.site) || h("span", { class: "soft" },
          "Typed or a file") },
        { title: "Changed", cell: (row) => h("time", { datetime: row.changed_at }, ago(row.changed_at)) },
      ],
      onRow: (row) => this.#page.go(`entries/${row.id}`),
    });
  }

  #empty() {
    this.title = "New entry";
    const given = this.#page.prefill || {};
    this.#page.prefill = null;
    const element = entryForm({ type: "faq", ...given }, { hasKind: true, save: async ({ values }) => {
      await api.post(this.#path, values);
      settle(element);
      this.#page.go("entries");
      toast("Saved. It answers from now on.");
    } });
    return [backLink(), h("section", { class: "card form" }, h("h2", {}, "New entry"), element)];
  }

  async #one(id) {
    const { entry } = await api.get(`knowledge/${encodeURIComponent(id)}`);
    this.title = nameOf(entry);
    if (!this.#page.mayEdit) return [backLink(), this.#readOnly(entry)];
    const element = entryForm(entry, {
      hasKind: entry.type !== "page", done: "Saved. It answers from now on.",
      save: async ({ values }) => {
        const answer = await api.put(`knowledge/${entry.id}`, values);
        put(facts, this.#facts(answer.entry));
      },
      extra: h("button", { type: "button", class: "danger", onclick: () => this.#remove(entry, element) },
        icon(ICONS.trash, 18), "Delete"),
    });
    const facts = h("p", { class: "soft entry-facts" }, this.#facts(entry));
    return [backLink(), h("section", { class: "card form" },
      h("div", {}, h("h2", { dir: "auto", tabindex: "-1", data: { first: true } }, nameOf(entry)), facts),
      entry.type === "page" && h("p", { class: "notice" }, "This was read from your website. What you change here is " +
        "replaced when the page changes and is read again."),
      element)];
  }

  #readOnly(entry) {
    return h("section", { class: "card form" },
      h("div", {}, h("h2", { dir: "auto", tabindex: "-1", data: { first: true } }, nameOf(entry)),
        h("p", { class: "soft entry-facts" }, this.#facts(entry))),
      h("p", { class: "pre", dir: "auto" }, entry.content));
  }

  #facts(entry) {
    const from = sourceLink(entry.url, this.#page.site);
    return [kindTag(entry.type), from && h("span", {}, "From ", from),
      h("span", {}, "Changed ", h("time", { datetime: entry.changed_at }, ago(entry.changed_at)))];
  }

  async #remove(entry, element) {
    const sentence = `“${nameOf(entry)}” will not be found any more. This cannot be taken back.`;
    if (!(await confirmDialog("Delete the entry?", sentence, "Delete"))) return;
    try {
      await api.del(`knowledge/${entry.id}`);
      // Nobody is asked about changes of what is gone.
      settle(element);
      await this.#page.go("entries", { replace: true });
      toast("Deleted.");
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }
}

function backLink() {
  return h("a", { class: "back-link", href: "/console/knowledge/entries" }, icon(ICONS.back, 18), "All entries");
}
