// The site itself: its name and address, a new key, another site, and the end of it.

import { api } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { field, form } from "../lib/form.js";

export const site = {
  name: "site",
  title: "Site",
  isOwnerOnly: true,
  draw: ({ app, settings }) => [
    h("h2", {}, "This site"),
    form(fields(app.site), async (given) => {
      await api.put(`sites/${app.siteId}`, given);
      await app.readSites();
    }, { done: "Saved." }),
    h("h2", {}, "Another site"),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: () => add(app) }, "Add a site")),
    h("h2", {}, "Careful"),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => rotate(app, settings) }, "New site key"),
      h("button", { type: "button", class: "danger", onclick: () => remove(app) }, "Delete this site")),
  ],
};

function fields(values = {}) {
  return [
    field("Name", h("input", { name: "name", value: values.name || "", maxlength: 200 })),
    field("Address", h("input", { name: "url", type: "url", value: values.url || "", placeholder: "https://shop.example" })),
  ];
}

function add(app) {
  const dialog = openDialog("Add a site", form(fields(), async (given) => {
    const { site: made } = await api.post("sites", given);
    dialog.close();
    await app.readSites();
    app.chooseSite(made.id);
  }, { submit: "Add" }));
}

async function rotate(app, settings) {
  const sentence = "The tag on your pages stops working until you paste the new one.";
  if (!(await confirmDialog("Make a new site key?", sentence, "Make a new key"))) return;
  try {
    await api.post(`sites/${app.siteId}/rotate-key`);
    await app.readSites();
    await settings.load();
    app.go("settings/tag");
  } catch (problem) {
    toast(problem.message, "bad");
  }
}

async function remove(app) {
  const sentence = `Everything of ${app.site.name} is erased: conversations, contacts, images, knowledge. This cannot be taken back.`;
  if (!(await confirmDialog("Delete this site?", sentence, "Delete for good"))) return;
  try {
    await api.del(`sites/${app.siteId}`);
    await app.readSites();
    app.go("inbox");
  } catch (problem) {
    toast(problem.message, "bad");
  }
}
