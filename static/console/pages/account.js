// The operator's own things: name and picture, password, API key, presence, notifications.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { h, put } from "../lib/dom.js";
import { checkbox, field, form } from "../lib/form.js";
import { showOnce } from "../settings/once.js";

export async function open(app) {
  const node = h("div", { class: "page narrow" }, h("h1", {}, "My account"),
    profile(app), presence(app), notifications(app), password(), apiKey(app));
  return { title: "My account", node };
}

function card(title, ...children) {
  return h("section", { class: "card form", "aria-label": title }, h("h2", {}, title), children);
}

function profile(app) {
  const { user } = app;
  return card("You", form([
    field("Name", h("input", { name: "name", value: user.name, maxlength: 200, autocomplete: "name", required: true }),
      "Visitors read it beside your messages."),
    field("Picture (web address)", h("input", {
      name: "avatar_url", type: "url", value: user.avatar_url || "", maxlength: 2000,
    }), "Visitors see it beside your messages; leave it empty for your initial."),
    user.is_owner
      ? field("Email", h("input", {
        name: "email", type: "email", value: user.email, autocomplete: "email", required: true,
      }), "You sign in with it.")
      : h("p", { class: "soft small" }, `You sign in with ${user.email}. An owner can change that.`),
  ], async ({ avatar_url: picture, ...given }) => {
    const answer = await api.put("auth/me", { ...given, avatar_url: picture || null });
    Object.assign(user, answer.user);
  }, { done: "Saved." }));
}

function password() {
  return card("Password", form([
    field("Current password", h("input", {
      name: "current_password", type: "password", autocomplete: "current-password", required: true,
    })),
    field("New password", h("input", {
      name: "new_password", type: "password", autocomplete: "new-password", required: true,
    }), "At least 10 characters. Other devices are signed out."),
  ], async (given, element) => {
    await api.post("auth/change-password", given);
    element.reset();
    return true;
  }, { submit: "Change the password", done: "Changed. Other devices were signed out." }));
}

function presence(app) {
  const sites = app.sites.filter((site) => app.can("can_chat", site.id));
  const rows = sites.map((site) => {
    const words = sites.length > 1 ? `Available for ${site.name}` : "Available for visitors";
    const box = checkbox(words, `site_${site.id}`, site.is_online ?? true);
    box.querySelector("input").addEventListener("change", ({ target }) => setPresence(site, target));
    return box;
  });
  return sites.length > 0 && card("Presence",
    h("p", { class: "soft" }, "Visitors are told whether somebody is there. You count as there while the console is " +
      "open."),
    rows);
}

async function setPresence(site, box) {
  try {
    await api.post("operator/set-status", { site_id: site.id, online: box.checked });
    site.is_online = box.checked;
  } catch (problem) {
    box.checked = !box.checked;
    toast(problem.message, "bad");
  }
}

function notifications({ notifier }) {
  const note = checkbox("Notify me on this device", "notify", notifier.isAllowed,
    "While the console is open in a tab.");
  const sound = checkbox("Play a sound", "sound", notifier.hasSound);
  note.querySelector("input").addEventListener("change", async ({ target }) => {
    const isWanted = target.checked;
    target.checked = await notifier.allow(isWanted);
    if (isWanted && !target.checked) {
      toast("The browser does not allow it; change that beside the page's address.", "bad");
    }
  });
  sound.querySelector("input").addEventListener("change", ({ target }) => notifier.allowSound(target.checked));
  return card("Notifications",
    h("p", { class: "soft" }, "When somebody waits for a person, or writes to you while you look elsewhere."),
    note, sound);
}

function apiKey({ user }) {
  const place = h("div", { class: "form" });
  const draw = () => put(place,
    h("p", { class: "soft" }, user.has_api_key ? "You have one. " : "You have none yet. ",
      "It lets programs work in your name. ", h("a", { href: "/docs" }, "What the API offers")),
    h("div", { class: "actions" }, h("button", { type: "button", onclick: make },
      user.has_api_key ? "Make a new key" : "Make a key")));
  async function make() {
    const sentence = "The key you have now stops working at once.";
    if (user.has_api_key && !(await confirmDialog("Make a new API key?", sentence, "Make a new key"))) return;
    try {
      const { api_key: key } = await api.post("auth/api-key");
      user.has_api_key = true;
      draw();
      showOnce("Your API key", "It is shown only now. Keep it like a password.", key);
    } catch (problem) {
      toast(problem.message, "bad");
    }
  }
  draw();
  return card("API key", place);
}
