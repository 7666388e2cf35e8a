// What answers are made of: entries, the website, files; what a question finds; and what nobody could answer.
//
// Each tab is a view: {title, node, show(rest), hide?(), again?(), close?()}. `show` is called whenever the tab comes
// into sight with what follows its name in the path; `again` when the line is back. A view keeps what it holds while
// the page is open, so that a question and its answer are still there after a look at an entry.

import { api } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { Ask } from "../knowledge/ask.js";
import { Entries } from "../knowledge/entries.js";
import { Files } from "../knowledge/files.js";
import { Unanswered } from "../knowledge/unanswered.js";
import { Website } from "../knowledge/website.js";

const ROOT = "knowledge";

// name: [title, view, whether it is for editors only]
const TABS = {
  entries: ["Entries", Entries, false],
  website: ["Website", Website, false],
  files: ["Files", Files, true],
  ask: ["Ask", Ask, false],
  unanswered: ["Unanswered", Unanswered, true],
};

export async function open(app, rest) {
  const page = new Knowledge(app);
  await page.update(rest);
  page.count();
  return page;
}

// What views see of it: `path` of the site in the API, `site`, what one may do, go(path), count(), and `prefill`: what
// the editor that is opened next begins with.
class Knowledge {
  title = "Knowledge";
  prefill = null;
  #app;
  #views = {};
  #view = null;
  #waiting = 0;
  #ended = new AbortController();
  #tabs = h("nav", { class: "tabs", "aria-label": "Knowledge" });
  #place = h("div", { class: "knowledge-place" });

  constructor(app) {
    this.#app = app;
    this.site = app.site;
    this.path = `sites/${app.siteId}`;
    this.isOwner = app.user.is_owner;
    this.mayEdit = app.can("can_edit");
    this.mayReadConversations = app.can("can_view_conversations");
    this.node = h("div", { class: "page knowledge" }, h("h1", {}, "Knowledge"),
      !this.mayEdit && h("p", { class: "soft" }, "You may read this. Who may change the settings of this site may " +
        "change it."),
      this.#tabs, this.#place);
    app.live.on("online", () => this.#again(), this.#ended.signal);
  }

  // Shows a tab by its name in the path; the entries when there is none.
  async update(rest) {
    const [name, ...more] = rest.split("/");
    const shown = Object.keys(TABS).filter((one) => this.mayEdit || !TABS[one][2]);
    const tab = shown.includes(name) ? name : shown[0];
    const hadFocus = this.node.contains(document.activeElement);
    this.#drawTabs(shown, tab);
    const view = this.#views[tab] ||= new TABS[tab][1](this);
    if (view !== this.#view) this.#view?.hide?.();
    this.#view = view;
    put(this.#place, this.#view.node);
    await this.#view.show(more);
    this.title = `${this.#view.title || TABS[tab][0]} · Knowledge`;
    // What had the focus is not on the page any more: a view says where to go on, or the tab is the place.
    const isLost = hadFocus && !this.node.contains(document.activeElement);
    if (isLost) (this.#place.querySelector("[data-first]") || this.#tabs.querySelector("[aria-current]")).focus();
  }

  close() {
    this.#ended.abort();
    for (const view of Object.values(this.#views)) view.close?.();
  }

  // Goes to a tab: go("entries/12").
  go(path, options) {
    return this.#app.go(`${ROOT}/${path}`, options);
  }

  // How many questions wait for an answer, beside the name of their tab.
  async count() {
    if (!this.mayEdit) return;
    const answer = await api.get(`${this.path}/knowledge/unanswered`, { per_page: 1 }).catch(() => null);
    if (!answer) return;
    this.#waiting = answer.pagination.total;
    this.#drawCount();
  }

  #again() {
    this.#view?.again?.();
    this.count();
  }

  #drawTabs(shown, current) {
    put(this.#tabs, shown.map((name) => h("a", {
      href: `/console/${ROOT}/${name}`, class: "tab", "aria-current": name === current ? "page" : null,
      data: { tab: name },
    }, TABS[name][0], h("span", { class: "tab-count" }))));
    this.#drawCount();
    // On a phone the tabs are wider than the page.
    requestAnimationFrame(() => this.#tabs.querySelector("[aria-current]")
      ?.scrollIntoView({ block: "nearest", inline: "center" }));
  }

  #drawCount() {
    const place = this.#tabs.querySelector('[data-tab="unanswered"] .tab-count');
    if (place) put(place, this.#waiting ? ` ${this.#waiting}` : "");
  }
}
