// Canned replies: what is written often, ready behind a slash.

import { api, readAll } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h, icon, put } from "../lib/dom.js";
import { field, form } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";
import { forgetReplies } from "../conversation/replies.js";

export async function open(app) {
  const page = new Replies(app);
  await page.load();
  return { title: "Replies", node: page.node };
}

class Replies {
  #app;
  #path;
  #place = h("div", {});

  constructor(app) {
    this.#app = app;
    this.#path = `sites/${app.siteId}/canned-replies`;
    const mayEdit = app.can("can_edit");
    this.node = h("div", { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Replies"),
        mayEdit && h("button", { type: "button", class: "primary", onclick: () => this.#edit() },
          icon(ICONS.plus, 18), "New reply")),
      h("p", { class: "soft" }, "Type / at the beginning of a message to use one. {name} becomes the visitor's name."),
      this.#place);
  }

  async load() {
    forgetReplies(this.#app.siteId);
    const data = await readAll(this.#path);
    put(this.#place, data.length
      ? h("ul", { class: "cards" }, data.map((reply) => this.#card(reply)))
      : h("p", { class: "empty" }, "No replies yet. Write down what you answer every day."));
  }

  #card(reply) {
    return h("li", { class: "card" },
      h("div", { class: "page-head" }, h("h2", { class: "code-name" }, `/${reply.shortcut}`),
        this.#app.can("can_edit") && h("span", {},
          h("button", { type: "button", class: "quiet", onclick: () => this.#edit(reply) }, "Edit",
            h("span", { class: "hidden" }, ` ${reply.shortcut}`)),
          h("button", {
            type: "button", class: "quiet square", "aria-label": `Delete ${reply.shortcut}`,
            onclick: () => this.#remove(reply),
          }, icon(ICONS.trash, 18)))),
      h("p", { class: "pre" }, reply.content));
  }

  #edit(reply = null) {
    const fields = [
      field("Shortcut", h("input", { name: "shortcut", value: reply?.shortcut || "", maxlength: 40, required: true }),
        "One word, typed after the slash."),
      field("Text", h("textarea", {
        name: "content", rows: 5, maxlength: 4000, value: reply?.content || "", required: true, dir: "auto",
      })),
    ];
    const dialog = openDialog(reply ? "Edit reply" : "New reply", form(fields, async (given) => {
      if (reply) await api.put(`${this.#path}/${reply.id}`, given);
      else await api.post(this.#path, given);
      dialog.close();
      await this.load();
    }));
  }

  async #remove(reply) {
    const sentence = `/${reply.shortcut} will not be offered any more.`;
    if (!(await confirmDialog("Delete the reply?", sentence, "Delete"))) return;
    await api.del(`${this.#path}/${reply.id}`).catch((problem) => toast(problem.message, "bad"));
    await this.load();
  }
}
