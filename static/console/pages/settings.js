// The settings of a site, section by section, each saved by itself; what changes the widget's looks is seen at once.

import { api } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { form } from "../lib/form.js";
import { Preview } from "../settings/preview.js";
import { SECTIONS } from "../settings/sections.js";

export async function open(app, rest) {
  const page = new Settings(app);
  await page.load();
  page.update(rest);
  return page;
}

class Settings {
  title = "Settings";
  #app;
  #config = null;
  #preview = null;
  #tabs = h("nav", { class: "tabs", "aria-label": "Settings" });
  #place = h("div", { class: "settings-place" });

  constructor(app) {
    this.#app = app;
    this.node = h("div", { class: "page wide-page" }, h("h1", {}, "Settings"), this.#tabs, this.#place);
  }

  async load() {
    const [{ config }, { code }] = await Promise.all([
      api.get(`sites/${this.#app.siteId}/chatbot`), api.get(`sites/${this.#app.siteId}/widget-code`),
    ]);
    this.#config = config;
    this.code = code;
  }

  // Shows a section by its name in the path; the first one when there is none.
  update(rest) {
    const section = SECTIONS.find((one) => one.name === rest) || SECTIONS[0];
    put(this.#tabs, SECTIONS.filter((one) => !one.isOwnerOnly || this.#app.user.is_owner).map((one) => h("a", {
      href: `/console/settings/${one.name}`, class: "tab", "aria-current": one === section ? "page" : null,
    }, one.title)));
    this.#preview?.close();
    this.#preview = section.hasPreview ? new Preview(this.#app.site.site_key) : null;
    put(this.#place, this.#section(section), this.#preview?.node);
    this.node.classList.toggle("has-preview", Boolean(this.#preview));
    this.#preview?.show(this.#config);
    this.title = `${section.title} · Settings`;
  }

  close() {
    this.#preview?.close();
  }

  #section(section) {
    const context = { app: this.#app, config: this.#config, code: this.code, settings: this };
    if (section.draw) return h("section", { class: "card form", "aria-label": section.title }, section.draw(context));
    const element = form(section.fields(context), (given) => this.#save(section, given, element), { done: "Saved." });
    const look = () => this.#preview?.show({ ...this.#config, ...section.read(valuesOf(element), element) });
    element.addEventListener("input", look);
    element.addEventListener("change", look);
    return h("section", { class: "card", "aria-label": section.title }, element);
  }

  async #save(section, given, element) {
    const { config } = await api.put(`sites/${this.#app.siteId}/chatbot`, section.read(given, element));
    this.#config = config;
    this.#preview?.show(config);
  }
}

function valuesOf(element) {
  const found = {};
  for (const input of element.elements) {
    if (input.name) found[input.name] = input.type === "checkbox" ? input.checked : input.value;
  }
  return found;
}
