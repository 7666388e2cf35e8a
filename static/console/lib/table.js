// A list of the API as a table: search, filters, pages, CSV. On a phone each row becomes a small card.

import { api, url } from "./api.js";
import { h, icon, put } from "./dom.js";
import { ICONS } from "./icons.js";

const SEARCH_AFTER_MS = 250;

// columns: [{title, cell: (row) => Node | text, isNumber}]; path: of the list; filters: [{name, label, options:
// [[value, words]], value}]; `query`: what is always asked for; `searchLabel` shows a search box. `onRow(row)` makes
// rows open with a click on their first cell, which becomes a button; a row without `opens(row)` stays text.
export class ListTable {
  #columns;
  #path;
  #query = { page: 1 };
  #turn = 0;
  #onRow;
  #opens;
  #place = h("div", { class: "list-place" });
  #csv;

  constructor({ path, columns, filters = [], searchLabel = "", empty, query = {}, caption, ...rows }) {
    this.#path = path;
    this.#columns = columns;
    this.#onRow = rows.onRow;
    this.#opens = rows.opens || (() => true);
    Object.assign(this.#query, query);
    this.empty = empty;
    this.caption = caption;
    this.#csv = h("a", { class: "button quiet", download: true }, icon(ICONS.download, 16), "CSV");
    for (const filter of filters) this.#query[filter.name] = filter.value ?? filter.options[0][0];
    this.node = h(
      "div",
      { class: "list" },
      h(
        "div",
        { class: "list-tools" },
        searchLabel && this.#searchBox(searchLabel),
        filters.map((filter) => this.#filterBox(filter)),
        this.#csv,
      ),
      this.#place,
    );
  }

  // Reads the current page again.
  async load() {
    const turn = ++this.#turn;
    this.#csv.href = url(this.#path, { ...this.#query, page: null, format: "csv" });
    this.#place.setAttribute("aria-busy", "true");
    try {
      const answer = await api.get(this.#path, this.#query);
      // An answer that was overtaken by a newer question is nobody's.
      if (turn === this.#turn) this.#show(answer);
    } catch (problem) {
      if (turn === this.#turn) put(this.#place, h("p", { class: "empty" }, problem.message));
    }
    this.#place.removeAttribute("aria-busy");
  }

  #searchBox(label) {
    let timer = 0;
    const search = (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#change("search", event.target.value.trim()), SEARCH_AFTER_MS);
    };
    return h("input", { type: "search", placeholder: label, "aria-label": label, oninput: search });
  }

  #filterBox({ name, label, options }) {
    const choose = (event) => this.#change(name, event.target.value);
    return h(
      "select",
      { "aria-label": label, onchange: choose },
      options.map(([value, words]) => h("option", { value, selected: value === this.#query[name] }, words)),
    );
  }

  #change(name, value) {
    this.#query = { ...this.#query, [name]: value, page: 1 };
    this.load();
  }

  #show({ data, pagination }) {
    // The last row of the last page was removed.
    if (!data.length && this.#query.page > 1) {
      this.#query.page = Math.max(1, Math.min(pagination.pages, this.#query.page - 1));
      this.load();
      return;
    }
    this.#csv.hidden = !data.length;
    if (!data.length) {
      put(this.#place, h("p", { class: "empty" }, this.#query.search ? "Nothing is like that." : this.empty));
      return;
    }
    const focused = this.#place.contains(document.activeElement);
    put(
      this.#place,
      h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": this.caption }, this.#table(data)),
      pagination.pages > 1 && this.#pages(pagination),
    );
    // The button that was pressed is gone; the keyboard goes on at the rows that it brought.
    if (focused) this.#place.querySelector(".table-scroll").focus();
  }

  #table(rows) {
    return h(
      "table",
      {},
      h("caption", { class: "hidden" }, this.caption),
      h("thead", {}, h("tr", {}, this.#columns.map((column) =>
        h(column.title ? "th" : "td", { scope: column.title ? "col" : null, class: column.isNumber && "number" },
          column.title)))),
      h("tbody", {}, rows.map((row) => h("tr", {},
        this.#columns.map((column, place) => this.#cell(column, place, row))))),
    );
  }

  #cell(column, place, row) {
    const content = column.cell(row) ?? "";
    const opens = this.#onRow && place === 0 && this.#opens(row);
    const inside = opens
      ? h("button", { type: "button", class: "link", onclick: () => this.#onRow(row) }, content)
      : content;
    return h("td", { class: column.isNumber && "number", data: column.title ? { title: column.title } : {} },
      inside);
  }

  #pages({ page, pages, total }) {
    const go = (to) => () => {
      this.#query.page = to;
      this.load();
    };
    return h(
      "nav",
      { class: "pages", "aria-label": "Pages" },
      h("button", { type: "button", disabled: page <= 1, onclick: go(page - 1) }, "Previous"),
      h("span", {}, `Page ${page} of ${pages} · ${total} in all`),
      h("button", { type: "button", disabled: page >= pages, onclick: go(page + 1) }, "Next"),
    );
  }
}
