// The console's frame: who is signed in, the navigation, which page is shown. Pages are modules of pages/.
//
// A page module exports `open(app, rest)`, which gives {title, node, update?, close?}: `rest` is what follows the
// page's name in the path, `update(rest)` is called instead of a new `open` when only that changes, `close` when
// the page is left. `app`: {user, sites, live, go(path), can(permission), siteId, onSite(listener)}.

import { api, ApiProblem, readAll } from "./lib/api.js";
import { mayLeave, openDialog, toast } from "./lib/dialog.js";
import { Conversations } from "./lib/conversations.js";
import { isDirty } from "./lib/dirty.js";
import { h, icon, put } from "./lib/dom.js";
import { ICONS } from "./lib/icons.js";
import { forgetKept, openKept } from "./lib/kept.js";
import { listenToKeys, shortcut, showSheet } from "./lib/keys.js";
import { Live } from "./lib/live.js";
import { Notifier } from "./lib/notify.js";
import { resendAll, restoreOutboxes } from "./conversation/outbox.js";

const ROOT = "/console/";
const SITE_KEY = "vexar-console-site";

// name: [title, permission on the chosen site; "owner" for owners only, "" for everybody]
const PAGES = {
  inbox: ["Inbox", "can_view_conversations"],
  visitors: ["Visitors", "can_view_conversations"],
  leads: ["Leads", "can_view_conversations"],
  ratings: ["Ratings", "can_view_conversations"],
  analytics: ["Analytics", "can_view_conversations"],
  knowledge: ["Knowledge", ""],
  nudges: ["Nudges", "can_edit"],
  replies: ["Replies", "can_chat"],
  blocks: ["Blocks", "can_chat"],
  settings: ["Settings", "can_edit"],
  team: ["Team", "owner"],
  account: ["My account", ""],
};

// What there is to do without any site.
const SITELESS = ["settings", "team", "account"];

class App extends EventTarget {
  live = new Live();
  conversations = new Conversations(this.live);
  #main = document.getElementById("main");
  #side = document.getElementById("side");
  #page = null;
  #name = "";
  #path = "";
  #turn = 0;
  // Those who wait; null until a snapshot was read, whose waiting ones are no news.
  #waiting = null;

  async start() {
    await this.#readUser();
    openKept(this.user.id);
    restoreOutboxes();
    const kept = Number(localStorage.getItem(SITE_KEY));
    this.siteId = (this.sites.find((site) => site.id === kept) || this.sites[0])?.id ?? null;
    this.#drawSide();
    this.#listen();
    this.notifier = new Notifier(this);
    this.live.start(this.#answered());
    await this.#show(location.pathname);
  }

  get site() {
    return this.sites.find((site) => site.id === this.siteId) || null;
  }

  // Whether the operator may do this on the chosen site (or on the one that is named).
  can(permission, siteId = this.siteId) {
    if (!permission || this.user.is_owner) return true;
    return permission !== "owner" && Boolean(this.sites.find((site) => site.id === siteId)?.[permission]);
  }

  // Goes to a page of the console: go("inbox/12").
  async go(path, { replace = false } = {}) {
    if (isDirty(this.#main) && !(await mayLeave(this.#main))) return;
    history[replace ? "replaceState" : "pushState"](null, "", ROOT + path);
    await this.#show(ROOT + path);
  }

  // Another site, on the same page or on `path`.
  async chooseSite(siteId, path = location.pathname.slice(ROOT.length).split("/")[0]) {
    if (await mayLeave(this.#main)) {
      this.siteId = siteId;
      localStorage.setItem(SITE_KEY, String(siteId));
      this.#name = "";
      put(this.#main);
      await this.go(path, { replace: true });
    }
    // Also when it stays: the box shows what is true.
    this.#drawSide();
    this.#count();
  }

  // After a site was added, renamed or removed.
  async readSites() {
    await this.#readUser();
    if (!this.site) this.siteId = this.sites[0]?.id ?? null;
    this.#drawSide();
    this.#count();
    this.#mark();
    this.live.answerFor(this.#answered());
  }

  // The sites this operator answers for.
  #answered() {
    return this.sites.filter((site) => this.can("can_chat", site.id)).map((site) => site.id);
  }

  async #readUser() {
    const [{ user }, data] = await Promise.all([api.get("auth/me"), readAll("sites")]);
    this.user = user;
    // Rights and presence from the one, key and address from the other.
    this.sites = user.sites.map((site) => ({ ...data.find((one) => one.id === site.id), ...site }));
  }

  // A number beside a page's name in the navigation; 0 removes it.
  badge(name, count) {
    const place = this.#side.querySelector(`[data-page="${name}"] .count`);
    if (place) put(place, count ? String(count) : "");
  }

  #isOpen(name) {
    return Boolean(PAGES[name]) && this.can(PAGES[name][1]) && (Boolean(this.site) || SITELESS.includes(name));
  }

  async #show(path) {
    const [name, ...rest] = path.slice(ROOT.length).split("/").filter(Boolean);
    this.#path = path;
    if (!this.#isOpen(name)) {
      const first = Object.keys(PAGES).find((one) => this.#isOpen(one));
      if (name !== first) await this.go(first, { replace: true });
      return;
    }
    if (name === this.#name && this.#page?.update) {
      await this.#page.update(rest.join("/"));
      this.#mark();
      return;
    }
    await this.#open(name, rest.join("/"));
  }

  async #open(name, rest) {
    const turn = ++this.#turn;
    this.#main.setAttribute("aria-busy", "true");
    try {
      const module = await import(`./pages/${name}.js`);
      const page = await module.open(this, rest);
      // Somebody was faster and went on to another page.
      if (turn !== this.#turn) {
        page.close?.();
        return;
      }
      this.#page?.close?.();
      this.#page = page;
      this.#name = name;
      put(this.#main, page.node);
    } catch (problem) {
      if (turn !== this.#turn) return;
      this.#page?.close?.();
      this.#page = null;
      this.#name = "";
      put(this.#main, h("div", { class: "page" }, h("h1", {}, PAGES[name][0]),
        h("p", { class: "empty" }, sentenceOf(problem))));
    }
    this.#main.removeAttribute("aria-busy");
    this.#mark();
    this.#main.focus({ preventScroll: true });
  }

  // The title and the marked link follow what is shown.
  #mark() {
    this.notifier.title(`${this.#page?.title || PAGES[this.#name]?.[0] || "Console"} · Vexar`);
    const links = this.#side.querySelectorAll("[data-page]");
    for (const link of links) link.ariaCurrent = link.dataset.page === this.#name ? "page" : null;
    // On a phone those after the fourth are behind "More", as app.css has it.
    const isBehind = this.#side.querySelector("li:nth-child(n + 5) > [data-page][aria-current]");
    this.#side.querySelector(".more-item button").ariaCurrent = isBehind ? "true" : null;
  }

  #listen() {
    addEventListener("popstate", () => this.#back());
    document.addEventListener("click", (event) => this.#follow(event));
    listenToKeys();
    for (const [key, name] of [["1", "inbox"], ["2", "visitors"], ["3", "analytics"]]) {
      shortcut(key, PAGES[name][0], () => this.go(name));
    }
    this.conversations.addEventListener("change", () => this.#count());
    this.conversations.addEventListener("transferred", ({ detail }) => this.notifier.transferred(detail));
    this.live.on("message", (event) => this.#tellMessage(event));
    this.live.on("offline", () => document.body.classList.add("is-offline"));
    this.live.on("online", () => {
      document.body.classList.remove("is-offline");
      resendAll();
    });
  }

  // The browser has changed the address already; whoever wants to stay gets it back.
  async #back() {
    if (await mayLeave(this.#main)) this.#show(location.pathname);
    else history.pushState(null, "", this.#path);
  }

  // Waiting visitors, in the navigation and in the title; one that begins to wait also as a notification.
  #count() {
    const waiting = this.conversations.sorted((one) => one.is_waiting);
    this.badge("inbox", waiting.length);
    this.notifier.count(waiting.length);
    const isKnown = (row) => !this.#waiting || this.#waiting.has(row.id);
    for (const row of waiting.filter((one) => !isKnown(one))) {
      this.notifier.tell(`${row.visitor_name} waits for a person`, row.last_message, `inbox/${row.id}`);
    }
    if (this.conversations.isRead) this.#waiting = new Set(waiting.map((one) => one.id));
  }

  // A visitor writes to this operator, who looks elsewhere.
  #tellMessage({ conversation_id: id, message }) {
    const row = this.conversations.rows.get(id);
    if (message.role !== "visitor" || row?.status !== "operator" || row.operator?.id !== this.user.id) return;
    this.notifier.tell(row.visitor_name, message.content || "An image", `inbox/${id}`);
  }

  #follow(event) {
    const link = event.target.closest?.("a[href^='/console/']");
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !isPlain || link.target || link.hasAttribute("download")) return;
    event.preventDefault();
    this.go(link.getAttribute("href").slice(ROOT.length));
  }

  #drawSide() {
    put(
      this.#side,
      h("div", { class: "brand" }, h("img", { src: "/console/static/icon.svg", alt: "", width: 28, height: 28 }),
        h("span", {}, "Vexar")),
      this.sites.length > 1 && this.#siteBox(),
      h("ul", {}, this.#links(), h("li", { class: "more-item" },
        h("button", { type: "button", class: "quiet", "aria-haspopup": "dialog", onclick: () => this.#openMore() },
          icon(ICONS.more), h("span", {}, "More")))),
      h("p", { class: "offline-line", role: "status" }, "No connection. Trying again …"),
      h("div", { class: "side-foot" }, this.#footButtons()),
    );
  }

  #links() {
    const pages = Object.entries(PAGES).filter(([name]) => this.#isOpen(name));
    return pages.map(([name, [title]]) => h("li", {}, h("a", { href: ROOT + name, data: { page: name } },
      icon(ICONS[name]), h("span", {}, title), h("span", { class: "count" }))));
  }

  #footButtons() {
    return [
      h("button", { type: "button", class: "quiet", onclick: showSheet }, icon(ICONS.keyboard),
        h("span", {}, "Shortcuts")),
      h("button", { type: "button", class: "quiet", onclick: () => this.#signOut() }, icon(ICONS.logout),
        h("span", {}, "Sign out")),
    ];
  }

  // On a phone the bar has room for the daily pages only.
  #openMore() {
    const dialog = openDialog("Menu", h("nav", { class: "more", "aria-label": "All pages" },
      this.sites.length > 1 && this.#siteBox(), h("ul", {}, this.#links()), this.#footButtons()));
    dialog.querySelector(`[data-page="${this.#name}"]`)?.setAttribute("aria-current", "page");
    dialog.querySelector(".more").addEventListener("click", (event) => event.target.closest("a, button")
      && dialog.close());
  }

  #siteBox() {
    const choose = (event) => this.chooseSite(Number(event.target.value));
    return h("select", { class: "site-box", "aria-label": "Site", onchange: choose },
      this.sites.map((site) => h("option", { value: site.id, selected: site.id === this.siteId }, site.name)));
  }

  async #signOut() {
    if (!(await mayLeave())) return;
    try {
      await api.post("auth/logout");
    } catch (problem) {
      toast(problem.message, "bad");
      return;
    }
    forgetKept();
    // What is not there any more is not asked about.
    put(this.#main);
    location.assign("/console/login");
  }
}

// A module that did not arrive is told in the browser's own words, which are no sentence for a person.
const sentenceOf = (problem) => problem instanceof ApiProblem ? problem.message : new ApiProblem(0, {}).message;
const app = new App();
app.start().catch((problem) => {
  put(document.getElementById("main"), h("div", { class: "page" }, h("h1", {}, "Console"),
    h("p", { class: "empty" }, sentenceOf(problem))));
});
