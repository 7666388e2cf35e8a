// Who is on the site at this moment, with the chat open; a person may speak to them first.

import { api } from "../lib/api.js";
import { openDialog, toast } from "../lib/dialog.js";
import { h, put } from "../lib/dom.js";
import { field, form } from "../lib/form.js";
import { ago } from "../lib/time.js";

const AGAIN_MS = 10_000;

export async function open(app) {
  const page = new Visitors(app);
  await page.load();
  return page;
}

class Visitors {
  title = "Visitors";
  #app;
  #place = h("div", { class: "list" });
  #timer = 0;
  #shown = "";

  constructor(app) {
    this.#app = app;
    this.node = h("div", { class: "page" }, h("h1", {}, "Visitors online"), this.#place);
    this.#timer = setInterval(() => document.visibilityState === "visible" && this.load(), AGAIN_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  async load() {
    const { data } = await api.get("operator/visitors", { per_page: 100 }).catch((problem) => {
      toast(problem.message, "bad");
      return { data: null };
    });
    // Drawn only when something changed: a button that is being aimed at stays.
    if (!data || JSON.stringify(data) === this.#shown) return;
    this.#shown = JSON.stringify(data);
    put(this.#place, data.length ? this.#table(data) : h("p", { class: "empty" }, "Nobody has the chat open at the moment."));
  }

  #table(rows) {
    const titles = ["Visitor", "Page", "Language", "Since", ""];
    return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Visitors online" }, h("table", {},
      h("thead", {}, h("tr", {}, titles.map((title) => title ? h("th", { scope: "col" }, title) : h("td", {})))),
      h("tbody", {}, rows.map((row) => this.#row(row)))));
  }

  #row(row) {
    const name = row.visitor_name || "New visitor";
    return h("tr", {},
      h("td", { data: { title: "Visitor" } }, row.conversation_id ? h("a", { href: `/console/inbox/${row.conversation_id}` }, name) : name),
      h("td", { data: { title: "Page" } }, path(row.page_url)),
      h("td", { data: { title: "Language" } }, row.lang || ""),
      h("td", { data: { title: "Since" } }, ago(row.online_since)),
      h("td", {}, this.#app.can("can_chat", row.site_id) &&
        h("button", { type: "button", onclick: () => this.#speak(row, name) }, "Say hello", h("span", { class: "hidden" }, ` to ${name}`))));
  }

  #speak(row, name) {
    const dialog = openDialog(`Message to ${name}`, form([
      field("Message", h("textarea", { name: "content", rows: 3, maxlength: 4000 }), "Appears beside the chat button, or in the open chat."),
    ], async ({ content }) => {
      await api.post("operator/proactive-message", { site_id: row.site_id, session_id: row.session_id, content });
      dialog.close();
      toast("Sent.");
    }, { submit: "Send" }));
  }
}

function path(address) {
  return /^https?:/.test(address || "") ? new URL(address).pathname : "";
}
