// The settings of a site, section by section, each saved by itself; what changes the widget's looks is seen at once.

import { api, readAll } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { form, values } from "../lib/form.js";
import { Preview } from "../settings/preview.js";
import { SECTIONS } from "../settings/sections.js";
import { addSiteButton } from "../settings/site.js";

export async function open(app, rest) {
  if (!app.site) return noSite(app);
  const page = new Settings(app);
  await page.load();
  page.update(rest);
  return page;
}

// A site was removed and there is none left.
function noSite(app) {
  const node = h("div", { class: "page narrow" }, h("h1", {}, "Settings"), h("section", { class: "card form" },
    h("p", {}, "There is no site yet. Add your website; the chat is made for it."),
    h("div", { class: "actions" }, addSiteButton(app, "primary"))));
  return { title: "Settings", node };
}

class Settings {
  title = "Settings";
  #app;
  #known = null;
  #preview = null;
  #tabs = h("nav", { class: "tabs", "aria-label": "Settings" });
  #place = h("div", { class: "settings-place" });

  constructor(app) {
    this.#app = app;
    this.node = h("div", { class: "page wide-page" }, h("h1", {}, "Settings"), this.#tabs, this.#place);
  }

  async load() {
    const path = `sites/${this.#app.siteId}`;
    const [{ config, secrets }, { code }, colleagues, ai] = await Promise.all([
      api.get(`${path}/chatbot`), api.get(`${path}/widget-code`), readAll(`${path}/team`), api.get("ai-providers"),
    ]);
    this.#known = { config, secrets, code, colleagues, ai };
  }

  // Shows a section by its name in the path; the first one when there is none.
  update(rest) {
    const shown = SECTIONS.filter((one) => !one.isOwnerOnly || this.#app.user.is_owner);
    const section = shown.find((one) => one.name === rest) || shown[0];
    const hadFocus = this.#tabs.contains(document.activeElement);
    put(this.#tabs, shown.map((one) => h("a", {
      href: `/console/settings/${one.name}`, class: "tab", "aria-current": one === section ? "page" : null,
    }, one.title)));
    const current = this.#tabs.querySelector("[aria-current]");
    if (hadFocus) current.focus();
    // On a phone the tabs are wider than the page.
    requestAnimationFrame(() => current.scrollIntoView({ block: "nearest", inline: "center" }));
    this.#preview?.close();
    this.#preview = section.hasPreview ? new Preview(this.#app.site.site_key) : null;
    put(this.#place, this.#section(section), this.#preview?.node);
    this.node.classList.toggle("has-preview", Boolean(this.#preview));
    this.#preview?.show(this.#known.config);
    this.title = `${section.title} · Settings`;
  }

  close() {
    this.#preview?.close();
  }

  #section(section) {
    const context = { ...this.#known, app: this.#app, settings: this };
    if (section.draw) {
      return h("section", { class: "card form", "aria-label": section.title }, section.draw(context));
    }
    const element = form(section.fields(context), (given) => this.#save(section, given, element), { done: "Saved." });
    const look = () => this.#preview?.show({ ...this.#known.config, ...section.read(values(element), element) });
    element.addEventListener("input", look);
    element.addEventListener("change", look);
    return h("section", { class: "card", "aria-label": section.title }, element);
  }

  // Sends the fields of this section and no others: a colleague may be changing those.
  async #save(section, given, element) {
    const answer = await api.put(`sites/${this.#app.siteId}/chatbot`, section.read(given, element));
    Object.assign(this.#known, { config: answer.config, secrets: answer.secrets });
    this.#preview?.show({ ...answer.config, ...section.read(values(element), element) });
    return section.saved?.(element, this.#known);
  }
}
