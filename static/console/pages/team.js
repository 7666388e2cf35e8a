// The team: who may answer where, invitations, leaving.

import { api } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h, icon, put } from "../lib/dom.js";
import { checkbox, field, form } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";

const RIGHTS = [
  ["can_chat", "Write to visitors"], ["can_view_conversations", "Read conversations, leads and figures"], ["can_edit", "Change settings, nudges and knowledge"],
];

export async function open(app) {
  const page = new Team(app);
  await page.load();
  return { title: "Team", node: page.node };
}

class Team {
  #app;
  #place = h("div", {});

  constructor(app) {
    this.#app = app;
    this.node = h("div", { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Team"), h("button", { type: "button", class: "primary", onclick: () => this.#edit() }, icon(ICONS.plus, 18), "Invite somebody")),
      this.#place);
  }

  async load() {
    const { data } = await api.get("team", { per_page: 100 });
    put(this.#place, h("ul", { class: "cards" }, data.map((one) => this.#card(one))));
  }

  #card(one) {
    const sites = this.#app.sites.filter((site) => one.site_ids?.includes(site.id)).map((site) => site.name);
    return h("li", { class: "card" },
      h("div", { class: "page-head" }, h("h2", {}, one.name), h("span", { class: "tag" }, one.is_owner ? "Owner" : one.is_invited ? "Invited" : "Operator")),
      h("p", { class: "soft" }, one.email),
      !one.is_owner && h("p", {}, sites.length ? sites.join(", ") : "No site yet"),
      one.id !== this.#app.user.id && h("div", { class: "actions" },
        h("button", { type: "button", class: "quiet", onclick: () => this.#link(one) }, one.is_invited ? "New link" : "New password", h("span", { class: "hidden" }, ` for ${one.name}`)),
        h("button", { type: "button", class: "quiet", onclick: () => this.#edit(one) }, "Change", h("span", { class: "hidden" }, ` ${one.name}`)),
        h("button", { type: "button", class: "quiet", onclick: () => this.#remove(one) }, icon(ICONS.trash, 18), "Remove", h("span", { class: "hidden" }, ` ${one.name}`))));
  }

  #edit(one = null) {
    const rights = one?.permissions || { can_chat: true, can_view_conversations: true, can_edit: false };
    const fields = [
      !one && field("Email", h("input", { name: "email", type: "email", autocomplete: "off" })),
      field("Name", h("input", { name: "name", value: one?.name || "", maxlength: 200 }), "Visitors read it."),
      checkbox("Owner", "is_owner", one?.is_owner ?? false, "Sees and does everything, on every site."),
      h("fieldset", {}, h("legend", {}, "Sites"), this.#app.sites.map((site) => checkbox(site.name, `site_${site.id}`, one ? one.site_ids.includes(site.id) : true))),
      h("fieldset", {}, h("legend", {}, "May"), RIGHTS.map(([name, words]) => checkbox(words, name, rights[name]))),
    ];
    const dialog = openDialog(one ? `Change ${one.name}` : "Invite somebody", form(fields, async (given) => {
      const body = this.#bodyOf(given);
      const answer = one ? await api.put(`team/${one.id}`, body) : await api.post("team", { ...body, email: given.email });
      dialog.close();
      await this.load();
      if (answer.link) showLink(answer.link);
    }, { submit: one ? "Save" : "Make the invitation" }));
  }

  #bodyOf(given) {
    return {
      name: given.name,
      is_owner: given.is_owner,
      site_ids: this.#app.sites.filter((site) => given[`site_${site.id}`]).map((site) => site.id),
      permissions: Object.fromEntries(RIGHTS.map(([name]) => [name, given[name]])),
    };
  }

  async #link(one) {
    try {
      showLink((await api.post(`team/${one.id}/link`)).link, one);
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  async #remove(one) {
    if (!(await confirmDialog(`Remove ${one.name}?`, "Signed out at once everywhere; the name stays on old messages.", "Remove"))) return;
    await api.del(`team/${one.id}`).catch((problem) => toast(problem.message, "bad"));
    await this.load();
  }
}

function showLink(link, one = null) {
  const isPassword = one?.is_invited === false;
  const copy = () => navigator.clipboard.writeText(link).then(() => toast("Copied."), () => toast("Select the text and copy it.", "bad"));
  openDialog(isPassword ? "Link for a new password" : "The invitation", [
    h("p", {}, `Send this link to your colleague. It works once, for ${isPassword ? "an hour" : "seven days"}.`),
    h("code", { class: "code", tabindex: "0" }, link),
    h("div", { class: "actions" }, navigator.clipboard && h("button", { type: "button", class: "primary", onclick: copy }, icon(ICONS.copy, 18), "Copy")),
  ]);
}
