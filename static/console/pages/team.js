// The team: who may do what where, invitations, leaving.

import { api, readAll } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h, icon, put } from "../lib/dom.js";
import { checkbox, field, form } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";
import { day } from "../lib/time.js";
import { showOnce } from "../settings/once.js";

const RIGHTS = [
  ["can_chat", "Write to visitors"],
  ["can_view_conversations", "Read conversations, leads and figures"],
  ["can_edit", "Change settings, knowledge, nudges and replies"],
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
      h("div", { class: "page-head" }, h("h1", {}, "Team"),
        h("button", { type: "button", class: "primary", onclick: () => this.#edit() }, icon(ICONS.plus, 18),
          "Invite somebody")),
      this.#place);
  }

  async load() {
    const found = await readAll("team");
    put(this.#place, h("ul", { class: "cards" }, found.map((one) => this.#card(one))));
  }

  #card(one) {
    const role = one.is_invited ? "Invited" : one.is_owner ? "Owner" : "Operator";
    const isMe = one.id === this.#app.user.id;
    const named = (words) => [words, h("span", { class: "hidden" }, ` of ${one.name}`)];
    return h("li", { class: "card member" },
      h("div", { class: "page-head" }, h("h2", {}, one.name, isMe && h("span", { class: "soft" }, " (you)")),
        h("span", { class: `tag ${one.is_invited ? "waiting" : one.is_owner ? "ai" : ""}` }, role)),
      h("p", { class: "soft" }, one.email),
      this.#may(one),
      !isMe && h("div", { class: "actions" },
        h("button", { type: "button", class: "quiet", onclick: () => this.#link(one) },
          named(one.is_invited ? "New link" : "New password")),
        h("button", { type: "button", class: "quiet", onclick: () => this.#edit(one) }, named("Rights")),
        h("button", { type: "button", class: "quiet", onclick: () => this.#remove(one) }, icon(ICONS.trash, 18),
          h("span", {}, "Remove", h("span", { class: "hidden" }, ` ${one.name}`)))));
  }

  // In words, what somebody may do and where.
  #may(one) {
    if (one.is_owner) return h("p", {}, "Sees and does everything.");
    const sites = this.#app.sites.filter((site) => one.site_ids.includes(site.id)).map((site) => site.name);
    if (!sites.length) return h("p", {}, "On no site yet.");
    const rights = RIGHTS.filter(([name]) => one.permissions[name]).map(([, words]) => h("li", {}, words));
    return [h("p", {}, "On ", h("strong", {}, sites.join(", "))), h("ul", { class: "rights" },
      rights.length ? rights : h("li", {}, "Nothing yet"))];
  }

  #edit(one = null) {
    const rights = one?.permissions || { can_chat: true, can_view_conversations: true, can_edit: false };
    const owner = checkbox("Owner", "is_owner", one?.is_owner ?? false, "Sees and does everything, on every site.");
    const limits = h("div", { class: "form", hidden: one?.is_owner }, this.#sites(one),
      h("fieldset", { data: { name: "permissions" } }, h("legend", {}, "May"),
        RIGHTS.map(([name, words]) => checkbox(words, name, rights[name]))));
    owner.querySelector("input").addEventListener("change", (event) => (limits.hidden = event.target.checked));
    const fields = [
      field("Email", h("input", {
        name: "email", type: "email", autocomplete: "off", value: one?.email || "", required: true,
      }), one ? "To sign in with." : "Nothing is sent there; you get a link to pass on."),
      field("Name", h("input", { name: "name", value: one?.name || "", maxlength: 200, required: true }),
        "Visitors read it."),
      owner, limits,
    ];
    const dialog = openDialog(one ? `Change ${one.name}` : "Invite somebody", form(fields, async (given) => {
      const body = this.#bodyOf(given);
      const answer = one ? await api.put(`team/${one.id}`, body) : await api.post("team", body);
      dialog.close();
      await this.load();
      if (answer.link) showLink(answer);
      else toast("Saved.");
    }, { submit: one ? "Save" : "Make the invitation" }));
  }

  #sites(one) {
    return h("fieldset", { data: { name: "site_ids" } }, h("legend", {}, "Sites"),
      this.#app.sites.map((site) => checkbox(site.name, `site_${site.id}`, !one || one.site_ids.includes(site.id))));
  }

  #bodyOf(given) {
    return {
      email: given.email.trim(),
      name: given.name,
      is_owner: given.is_owner,
      site_ids: this.#app.sites.filter((site) => given[`site_${site.id}`]).map((site) => site.id),
      permissions: Object.fromEntries(RIGHTS.map(([name]) => [name, given[name]])),
    };
  }

  async #link(one) {
    const sentence = "The password works until the link was used. Then every device of theirs is signed out.";
    if (!one.is_invited && !(await confirmDialog(`A new password for ${one.name}?`, sentence, "Make the link"))) return;
    try {
      showLink(await api.post(`team/${one.id}/link`));
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }

  async #remove(one) {
    const sentence = "Signed out at once everywhere. The name stays on old messages, and open conversations go back " +
      "to the AI.";
    if (!(await confirmDialog(`Remove ${one.name}?`, sentence, "Remove"))) return;
    try {
      await api.del(`team/${one.id}`);
    } catch (problem) {
      toast(problem.message, "bad");
    }
    await this.load();
  }
}

function showLink({ link, expires_at: until, member }) {
  showOnce(member.is_invited ? "The invitation" : "Link for a new password",
    `Send this link to ${member.name} yourself. It works once, until ${day(until)}, and is shown only now.`, link);
}
