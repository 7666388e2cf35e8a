// What few visitors need: the entries of the menu, the forms at the end of a conversation, the sound.

import { h, iconButton } from "./dom.js";
import { Refusal } from "./api.js";

/** The entries of the menu as they fit at the moment: {label, run}. */
export function entries(panel) {
  const { words, keep, state, core } = panel;
  const found = [];
  const entry = (label, run) => (found[found.length] = { label, run });
  if (core.config.operator && state.conversation && state.mode === "ai") entry(words.askPerson, () => askPerson(panel));
  if (core.config.forms.collect_data !== "none") entry(words.contact, () => contact(panel));
  if (state.cursor) entry(words.rate, () => rate(panel));
  if (state.conversation) entry(words.fresh, () => begin(panel));
  const sound = keep.get("sound");
  entry(sound ? words.soundOff : words.soundOn, () => keep.set("sound", !sound));
  return found;
}

/** Ask the visitor how to reach it, in the site's way. */
export function contact({ core, words, keep, api, view }) {
  keep.set("asked", true);
  const save = (values) => api.post("chat/contact", values);
  view.setEnd(contactForm(words, core.config.forms.collect_data, { save, close: () => view.setEnd(null) }));
}

/** Pass on, once, what the page told about its signed-in visitor. */
export function introduce(panel) {
  const { name, email } = panel.identity;
  panel.identity.email = null;
  panel.attempt(() => panel.api.post("chat/contact", name ? { email, name } : { email }));
}

/** A soft tone. */
export function beep() {
  const sound = new AudioContext();
  const tone = sound.createOscillator();
  const volume = sound.createGain();
  volume.gain.setValueAtTime(0.08, sound.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + 0.3);
  tone.connect(volume).connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.3);
  tone.onended = () => sound.close();
}

async function askPerson(panel) {
  const answer = await panel.attempt(() => panel.api.post("chat/request-operator"), true);
  panel.state.isWaiting = Boolean(answer?.waiting);
  if (answer) panel.hint(answer.waiting ? "" : panel.words.nobody);
  panel.listen();
}

async function begin(panel) {
  if (!(await panel.attempt(() => panel.api.post("chat/close"), true))) return;
  panel.closed();
  rate(panel, () => panel.welcome());
}

function rate(panel, then) {
  const post = (path, body) => panel.attempt(() => panel.api.post(path, body), true);
  const score = async (score) => {
    const answer = await post("chat/rate", { score });
    if (answer) panel.core.emit("rating", { score });
    return answer;
  };
  const comment = (text) => post("chat/rate/comment", { comment: text });
  panel.view.setEnd(ratingForm(panel.words, { rate: score, comment, close: then ?? (() => panel.view.setEnd(null)) }));
}

/** `collect`: email, phone or both. save(values) throws a Refusal; close() takes the form away. */
function contactForm(words, collect, { save, close }) {
  const error = h("p", { class: "meta error", role: "alert" });
  const fields = new Map([["name", field(words.name, { name: "name", autocomplete: "name" })]]);
  if (collect !== "phone") fields.set("email", field(words.email, { name: "email", type: "email", autocomplete: "email" }));
  if (collect !== "email") fields.set("phone", field(words.phone, { name: "phone", type: "tel", autocomplete: "tel" }));
  const submit = async (event) => {
    event.preventDefault();
    const values = {};
    for (const [name, { input }] of fields) if (input.value.trim()) values[name] = input.value.trim();
    try {
      await save(values);
      form.replaceChildren(h("p", { role: "status" }, words.saved));
    } catch (problem) {
      error.textContent = problem instanceof Refusal ? problem.message : words.failed;
    }
  };
  const form = h("form", { class: "card", onsubmit: submit, novalidate: "", "aria-label": words.contact },
    h("p", {}, words.contact));
  for (const { label } of fields.values()) form.append(label);
  form.append(error, buttons(words, close));
  return form;
}

/** rate(score) and comment(text) give null when they failed. */
function ratingForm(words, { rate, comment, close }) {
  const card = h("form", { class: "card", "aria-label": words.rate }, h("p", {}, words.rate));
  const stars = h("div", { class: "stars", role: "radiogroup", "aria-label": words.rate });
  for (let score = 1; score <= 5; score++) {
    const label = words.stars.replace("{n}", score);
    const choose = async () => {
      mark(stars, score);
      if (await rate(score)) ask();
    };
    stars.append(iconButton("star", label, choose, { role: "radio", "aria-checked": "false" }));
  }
  const text = h("textarea", { rows: 2, maxlength: 2000, "aria-label": words.comment, placeholder: words.comment });
  const ask = () => card.contains(text) || (later.replaceWith(text, buttons(words, close)), text.focus());
  const later = h("button", { type: "button", class: "pill", onclick: close }, words.skip);
  card.append(stars, later);
  card.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text.value.trim() || (await comment(text.value))) card.replaceChildren(h("p", { role: "status" }, words.saved));
  });
  return card;
}

function field(name, attributes) {
  const input = h("input", attributes);
  return { input, label: h("label", {}, name, input) };
}

function buttons(words, close) {
  return h("div", { class: "line" },
    h("button", { class: "pill strong" }, words.save),
    h("button", { type: "button", class: "pill", onclick: close }, words.skip));
}

function mark(stars, score) {
  let number = 0;
  for (const star of stars.children) {
    number++;
    star.classList.toggle("on", number <= score);
    star.setAttribute("aria-checked", number === score);
  }
}
