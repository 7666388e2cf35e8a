// Who is on the site at this moment, with the chat open; a person may speak to them first.

import { api } from "../lib/api.js";
import { openDialog, toast } from "../lib/dialog.js";
import { h, put } from "../lib/dom.js";
import { field, form } from "../lib/form.js";
import { ago } from "../lib/time.js";
import { newMessageId } from "../conversation/outbox.js";

const AGAIN_MS = 5_000;
const STATUS = { waiting: "Waiting", operator: "Person", ai: "AI", closed: "Closed" };

export async function open(app) {
  const page = new Visitors(app);
  await page.load();
  return page;
}

class Visitors {
  title = "Visitors";
  #app;
  #place = h("div", { class: "list" });
  #ended = new AbortController();
  #turn = 0;
  #shown = "";

  constructor(app) {
    const { signal } = this.#ended;
    this.#app = app;
    this.node = h("div", { class: "page" }, h("h1", {}, "Visitors online"),
      h("p", { class: "soft" }, "Visitors who have your chat open. Say hello, and they read it in the chat."),
        this.#place);
    const timer = setInterval(() => document.visibilityState === "visible" && this.load(), AGAIN_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    app.live.on("connected", () => this.load(), signal);
  }

  close() {
    this.#ended.abort();
  }

  async load() {
    const turn = ++this.#turn;
    const answer = await api.get("operator/visitors", { per_page: 100 }).catch((problem) => ({ problem }));
    if (turn !== this.#turn) return;
    if (answer.data) this.#show(answer.data);
    // What is shown stays while the line is away; the frame says that it is.
    else if (!this.#shown) put(this.#place, h("p", { class: "empty" }, answer.problem.message));
  }

  // Drawn only when something changed: a button that is being aimed at stays.
  #show(data) {
    const shown = JSON.stringify(data.map((row) => [row, ago(row.online_since)]));
    if (shown === this.#shown) return;
    this.#shown = shown;
    const focused = this.#place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    put(this.#place, data.length ? this.#table(data) : h("p", { class: "empty" },
      "Nobody has the chat open at the moment."));
    if (focused) [...this.#place.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused)?.focus();
  }

  #table(rows) {
    const titles = ["Visitor", "Looks at", "Language", this.#hasSites && "Site", "Here since",
      ""].filter((title) => title !== false);
    return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Visitors online",
      data: { key: "table" } }, h("table", {},
      h("thead", {}, h("tr", {}, titles.map((title) => title ? h("th", { scope: "col" }, title) : h("td", {})))),
      h("tbody", {}, rows.map((row) => this.#row(row)))));
  }

  get #hasSites() {
    return this.#app.sites.length > 1;
  }

  #row(row) {
    const name = row.visitor_name || "New visitor";
    const site = this.#app.sites.find((one) => one.id === row.site_id);
    return h("tr", {},
      h("td", { data: { title: "Visitor" } },
        row.conversation_id ? h("a", { href: `/console/inbox/${row.conversation_id}`,
          data: { key: `open ${row.session_id}` } }, h("bdi", {}, name)) : name,
        row.status && [" ", h("span", { class: `tag ${row.status}` }, STATUS[row.status])]),
      h("td", { data: { title: "Looks at" } }, path(row.page_url)),
      h("td", { data: { title: "Language" } }, row.lang || ""),
      this.#hasSites && h("td", { data: { title: "Site" } }, site?.name || ""),
      h("td", { data: { title: "Here since" } }, ago(row.online_since)),
      h("td", {}, this.#app.can("can_chat", row.site_id) &&
        h("button", { type: "button", data: { key: `hello ${row.session_id}` }, onclick: () => this.#speak(row, name) },
          "Say hello", h("span", { class: "hidden" }, ` to ${name}`))));
  }

  #speak(row, name) {
    // Sent again after a lost answer, it is the same message.
    const messageId = newMessageId();
    const dialog = openDialog(`Message to ${name}`, form([
      field("Message", h("textarea", { name: "content", rows: 3, maxlength: 4000, dir: "auto" }),
        "Appears beside the chat button, or in the open chat."),
    ], async ({ content }) => {
      const { conversation_id: id } = await api.post("operator/proactive-message", {
        site_id: row.site_id, session_id: row.session_id, content, message_id: messageId,
      });
      dialog.close();
      toast("Sent.");
      this.#app.go(`inbox/${id}`);
    }, { submit: "Send" }));
  }
}

function path(address) {
  return URL.canParse(address || "") ? new URL(address).pathname : "";
}
