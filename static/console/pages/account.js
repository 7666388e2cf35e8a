// The operator's own things: name and picture, password, API key, notifications.

import { api } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { checkbox, field, form } from "../lib/form.js";

export async function open(app) {
  const node = h("div", { class: "page narrow" }, h("h1", {}, "My account"), profile(app), password(), presence(app), notifications(app), apiKey());
  return { title: "My account", node };
}

function card(title, ...children) {
  return h("section", { class: "card form" }, h("h2", {}, title), children);
}

function profile(app) {
  const { user } = app;
  return card("What visitors see", form([
    field("Name", h("input", { name: "name", value: user.name, maxlength: 200, autocomplete: "name" })),
    field("Picture (web address)", h("input", { name: "avatar_url", type: "url", value: user.avatar_url || "", maxlength: 2000 }), "Shown beside your messages; leave it empty for your initial."),
    h("p", { class: "soft small" }, `You sign in with ${user.email}.`),
  ], async (given) => {
    const answer = await api.put("auth/me", { name: given.name, avatar_url: given.avatar_url || null });
    Object.assign(user, answer.user);
  }, { done: "Saved." }));
}

function password() {
  return card("Password", form([
    field("Current password", h("input", { name: "current_password", type: "password", autocomplete: "current-password" })),
    field("New password", h("input", { name: "new_password", type: "password", autocomplete: "new-password" }), "At least 10 characters. Other devices are signed out."),
  ], async (given, element) => {
    await api.post("auth/change-password", given);
    element.reset();
  }, { submit: "Change the password", done: "Changed. Other devices were signed out." }));
}

function presence(app) {
  const sites = app.sites.filter((site) => site.can_chat);
  const rows = sites.map((site) => {
    const box = checkbox(sites.length > 1 ? `Available for ${site.name}` : "Available for visitors", `site_${site.id}`, site.is_online ?? true);
    box.querySelector("input").addEventListener("change", async (event) => {
      try {
        await api.post("operator/set-status", { site_id: site.id, online: event.target.checked });
        site.is_online = event.target.checked;
      } catch (problem) {
        event.target.checked = !event.target.checked;
        toast(problem.message, "bad");
      }
    });
    return box;
  });
  return sites.length > 0 && card("Presence", h("p", { class: "soft" }, "Visitors are told whether somebody is there."), rows);
}

function notifications(app) {
  const box = checkbox("Notify me when somebody waits", "notify", app.notifier.isAllowed, "While the console is open in a tab.");
  box.querySelector("input").addEventListener("change", async (event) => {
    event.target.checked = await app.notifier.allow(event.target.checked);
  });
  return card("Notifications", box);
}

function apiKey() {
  const make = async () => {
    const sentence = "The key you have now stops working at once.";
    if (!(await confirmDialog("Make a new API key?", sentence, "Make a new key"))) return;
    try {
      const { api_key: key } = await api.post("auth/api-key");
      openDialog("Your API key", [
        h("p", {}, "It is shown only now. Keep it like a password."),
        h("code", { class: "code", tabindex: "0" }, key),
        h("div", { class: "actions" }, h("button", { type: "button", onclick: () => copy(key) }, "Copy")),
      ]);
    } catch (problem) {
      toast(problem.message, "bad");
    }
  };
  return card("API key", h("p", { class: "soft" }, "For programs that work in your name. ", h("a", { href: "/docs" }, "What the API offers")),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: make }, "Make a new key")));
}

async function copy(text) {
  await navigator.clipboard.writeText(text).then(() => toast("Copied."), () => toast("Copying is not allowed here; select the text.", "bad"));
}
