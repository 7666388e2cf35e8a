// Reading the site's own pages: begin, watch, what came of the last time; and one page by its address.

import { api, LONG_MS } from "../lib/api.js";
import { h, icon, put } from "../lib/dom.js";
import { field, submitForm } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";
import { ago, lasting } from "../lib/time.js";
import { CrawlWatch, reasons, startCrawl, stopCrawl, sums } from "./crawl.js";
import { counted, nameOf } from "./words.js";

export class Website {
  title = "Website";
  node;
  #page;
  #watch;
  #state = h("div", { class: "form crawl" });
  // Only that it began and how it ended: figures that change every second are no news to listen to.
  #said = h("p", { class: "hidden", role: "status" });
  #button;
  #stop;
  #crawl;

  constructor(page) {
    this.#page = page;
    this.#watch = new CrawlWatch(page.path, (crawl, problem) => this.#show(crawl, problem));
    this.#button = h("button", { type: "button", class: "primary", onclick: () => this.#start() }, "Read my website");
    this.#stop = h("button", { type: "button", hidden: true, onclick: () => this.#end() }, "Stop");
    this.node = h("div", { class: "list" },
      h("section", { class: "card form", "aria-label": "Your website" },
        h("div", { class: "page-head" },
          h("div", { class: "crawl-what" }, h("h2", {}, "Your website"), h("p", { class: "soft" }, page.site.url,
            page.isOwner && [" · ", h("a", { href: "/console/settings/site" }, "Change",
              h("span", { class: "hidden" }, " the address"))])),
          page.mayEdit && h("div", { class: "actions" }, this.#stop, this.#button)),
        h("p", { class: "soft last" }, "Follows the links and the site map of this address and keeps to its " +
          "robots.txt. Pages that changed are read anew, those that are gone are removed; what you wrote yourself " +
          "stays."),
        this.#said, this.#state),
      page.mayEdit && this.#onePage());
  }

  async show() {
    await this.#watch.look();
  }

  hide() {
    this.#watch.pause();
  }

  again() {
    this.#watch.look();
  }

  close() {
    this.#watch.close();
  }

  async #start() {
    if (this.#crawl?.state === "running" || !(await startCrawl(this.#page, this.#button))) return;
    await this.#watch.look();
  }

  async #end() {
    const hadFocus = document.activeElement === this.#stop;
    await stopCrawl(this.#page, this.#stop);
    await this.#watch.look();
    if (hadFocus && this.#stop.hidden) this.#button.focus();
  }

  #show(crawl, problem) {
    if (problem) {
      // What is shown stays while the line is away; the frame says that it is.
      if (this.#crawl === undefined) put(this.#state, h("p", { class: "empty" }, problem.message));
      return;
    }
    const wasRunning = this.#crawl?.state === "running";
    const isRunning = crawl?.state === "running";
    // Drawn only when something changed: what is being read stays open.
    if (JSON.stringify(crawl) !== JSON.stringify(this.#crawl)) this.#draw(crawl, isRunning);
    if (this.#crawl !== undefined && wasRunning !== isRunning) {
      put(this.#said, isRunning ? "Your website is being read." : outcomeWords(crawl));
      if (!isRunning) this.#page.count();
    }
    this.#crawl = crawl;
    this.#stop.hidden = !isRunning;
    this.#button.textContent = isRunning ? "Reading …" : crawl ? "Read it again" : "Read my website";
    if (isRunning) this.#button.setAttribute("aria-disabled", "true");
    else this.#button.removeAttribute("aria-disabled");
  }

  #draw(crawl, isRunning) {
    const wasOpen = this.#state.querySelector("details")?.open;
    const hadFocus = this.#state.contains(document.activeElement);
    if (!crawl) put(this.#state, h("p", { class: "soft last" }, "It was not read yet."));
    else put(this.#state, isRunning ? progress(crawl) : outcome(crawl), figures(crawl), whyNot(crawl, wasOpen),
      !isRunning && crawl.entries > 0 && h("div", { class: "next" },
        h("a", { class: "button", href: "/console/knowledge/ask" }, "Ask something"),
        h("a", { class: "button quiet", href: "/console/knowledge/entries" }, "See the entries")));
    // Whoever reads the reasons while they are counted stays at them.
    if (hadFocus) this.#state.querySelector("summary")?.focus();
  }

  #onePage() {
    const done = h("p", { class: "result", role: "status" });
    const input = h("input", { name: "url", maxlength: 2000, required: true, inputmode: "url", autocapitalize: "off",
      placeholder: "/shipping" });
    const button = h("button", { type: "submit" }, "Read this page");
    const place = field("Address", input, "A page of your website, as a path or in full.");
    const row = h("div", { class: "with-button" }, button);
    input.replaceWith(row);
    row.prepend(input);
    const element = h("form", { class: "form", novalidate: true }, place, done);
    element.addEventListener("submit", (event) => {
      event.preventDefault();
      put(done);
      submitForm(element, button, async ({ url }) => {
        const { entry } = await api.post(`${this.#page.path}/crawl-url`, { url: url.trim() }, LONG_MS);
        put(done, icon(ICONS.check, 18), h("span", {}, "Read: ", h("a", {
          href: `/console/knowledge/entries/${entry.id}`, dir: "auto" }, nameOf(entry))));
      });
    });
    return h("section", { class: "card form", "aria-label": "One page" }, h("div", {}, h("h2", {}, "One page"),
      h("p", { class: "soft last" }, "For a page that is new, or changed a moment ago.")), element);
  }
}

function progress(crawl) {
  const { pages_done: done, pages_found: found } = crawl;
  return h("div", { class: "form" },
    h("progress", { max: Math.max(found, 1), value: done, "aria-label": "Pages read" }),
    h("p", { class: "last" }, found
      ? `${done.toLocaleString()} of ${counted(found, "address", "addresses")} read; more may turn up.`
      : "Looking at robots.txt and the site map …",
    " ", h("span", { class: "soft" }, "You can leave this page; reading goes on.")));
}

function outcome(crawl) {
  const isStopped = ["capped", "stopped"].includes(crawl.state);
  const isBad = crawl.state === "failed" || (crawl.state !== "stopped" && !crawl.entries);
  const lasted = crawl.ended_at ? lasting(Date.parse(crawl.ended_at) - Date.parse(crawl.started_at)) : "";
  return h("p", { class: isBad ? "form-error" : isStopped ? "notice" : "result" },
    isBad ? null : icon(ICONS.check, 18), h("span", {}, outcomeWords(crawl), " ",
      h("time", { datetime: crawl.ended_at, class: "soft" }, `Ended ${ago(crawl.ended_at)}, after ${lasted}.`)));
}

function outcomeWords(crawl) {
  const pages = counted(crawl.entries, "page");
  if (crawl.state === "failed") return `Reading failed: ${crawl.detail || "the server does not know why"}.`;
  if (crawl.state === "stopped") return `Stopped: ${pages} read. Pages that are gone were not removed.`;
  if (!crawl.entries) return "The website was read, but there was no page with text. Does it show its text only " +
    "by script, or close itself by robots.txt?";
  if (crawl.state === "capped") return `${pages} read, not all: ${crawl.detail}. Nothing was removed.`;
  return `Everything was read: ${pages}.`;
}

function figures(crawl) {
  const { kept, skipped, errors } = sums(crawl);
  const shown = [["Pages kept", kept], ["New", crawl.added], ["Changed", crawl.updated], ["Removed", crawl.removed],
    ["Skipped", skipped], ["Errors", errors]];
  if (!crawl.pages_done) return null;
  return h("dl", { class: "crawl-figures" }, shown.map(([title, value]) =>
    h("div", {}, h("dt", {}, title), h("dd", {}, value.toLocaleString()))));
}

function whyNot(crawl, wasOpen) {
  const found = reasons(crawl);
  if (!found.length) return null;
  return h("details", { open: wasOpen ?? (sums(crawl).errors > 0 || !crawl.entries) },
    h("summary", {}, "What was not kept, and why"),
    h("ul", { class: "reasons" }, found.map(([words, count]) => h("li", {},
      h("span", { class: "reason-count" }, count.toLocaleString()), h("span", {}, words)))));
}
