// What few visitors need: the entries of the menu, the forms at the end of a conversation, the sound.

import { dress, h, iconButton } from "./dom.js";
import { Refusal } from "./api.js";

const CSS = `
.panel .pill.strong { border-color: transparent; background: var(--primary); color: var(--on-primary); }
.card { padding: 14px; border: 1px solid var(--edge); border-radius: var(--radius); }
.card > p:first-child { font-weight: 600; }
.card label { display: block; margin-top: 8px; font-size: 14px; }
.panel .card input, .panel .card textarea { display: block; width: 100%; min-height: 40px; margin-top: 3px; padding: 8px 12px;
  border: 1px solid var(--dim); border-radius: 10px; background: var(--ground); font-size: 16px; }
.panel .card textarea { margin-top: 8px; resize: none; }
.panel .card [aria-invalid] { border-color: var(--bad); }
.panel .card .error { margin-top: 8px; color: var(--bad); font-size: 13px; }
.acts { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 10px; }
.stars { display: flex; gap: 2px; margin-top: 4px; margin-inline-start: -6px; color: var(--accent); }
.stars .icon { width: 40px; height: 40px; }
.panel .stars svg { width: 26px; height: 26px; stroke-width: 1.6; }
.stars .on svg { fill: currentColor; }`;
const DROP = `
.drop { position: absolute; inset-inline-end: 0; top: 100%; z-index: 1; width: max-content; max-width: 300px; padding: 6px;
  border: 1px solid var(--edge); border-radius: min(var(--radius), 12px); background: var(--ground); color: var(--text);
  box-shadow: 0 6px 24px #0004; }
.drop button { display: block; width: 100%; min-height: 40px; padding: 8px 12px; border: 0; border-radius: min(var(--radius), 8px);
  text-align: start; background: none; cursor: pointer; }
.drop button:hover, .drop button:focus-visible { background: var(--soft); }`;
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -5, End: 5 };

/** The buttons of the menu as they fit at the moment; close() is called when one was chosen. */
export function menu(panel, close) {
  dress(panel.core.root, DROP);
  const items = document.createDocumentFragment();
  for (const { label, run } of entries(panel)) {
    const choose = () => {
      close();
      run();
    };
    items.append(h("button", { type: "button", onclick: choose, onkeydown: step }, label));
  }
  return items;
}

/** The arrows go round in the menu. */
function step(event) {
  const { parentNode, previousSibling, nextSibling } = event.target;
  const next = { ArrowUp: previousSibling ?? parentNode.lastChild, ArrowDown: nextSibling ?? parentNode.firstChild };
  if (!Object.hasOwn(next, event.key)) return;
  event.preventDefault();
  next[event.key].focus();
}

function entries(panel) {
  const { words, keep, state, core } = panel;
  const found = [];
  const entry = (label, run) => (found[found.length] = { label, run });
  if (core.config.operator && state.conversation && state.mode === "ai") entry(words.askPerson, () => askPerson(panel));
  if (core.config.forms.collect_data !== "none") entry(words.contact, () => contact(panel, true));
  if (state.cursor) entry(words.rate, () => rate(panel));
  if (state.conversation) entry(words.fresh, () => begin(panel));
  const sound = keep.get("sound");
  entry(sound ? words.soundOff : words.soundOn, () => keep.set("sound", !sound));
  return found;
}

/** Ask the visitor how to reach it, in the site's way; `isAsked`: by the visitor's own wish. */
export function contact(panel, isAsked = false) {
  const { core, words, keep, api, view } = panel;
  dress(core.root, CSS);
  keep.set("asked", true);
  const save = (values) => api.post("chat/contact", values);
  const close = () => view.setEnd(null);
  const form = contactForm(words, core.config.forms.collect_data, { save, close, saved: () => thank(panel) });
  view.setEnd(form);
  if (isAsked) form.querySelector("input").focus();
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
  const { core, words, view } = panel;
  dress(core.root, CSS);
  const post = (path, body) => panel.attempt(() => panel.api.post(path, body), true);
  const score = async (score) => {
    const answer = await post("chat/rate", { score });
    if (answer) core.emit("rating", { score });
    return answer;
  };
  const comment = (text) => post("chat/rate/comment", { comment: text });
  const close = then ?? (() => view.setEnd(null));
  const form = ratingForm(words, { rate: score, comment, close, saved: () => thank(panel) });
  view.setEnd(form);
  form.querySelector("[tabindex='0']").focus();
}

function thank({ view, words }) {
  view.setEnd(h("p", { class: "card" }, words.saved));
  view.announce(words.saved);
}

/** `collect`: email, phone or both. save(values) throws a Refusal; close() takes the form away. */
function contactForm(words, collect, { save, close, saved }) {
  const error = h("p", { class: "error", role: "alert" });
  const fields = new Map([["name", field(words.name, { name: "name", autocomplete: "name" })]]);
  if (collect !== "phone") fields.set("email", field(words.email, { name: "email", type: "email", autocomplete: "email" }));
  if (collect !== "email") fields.set("phone", field(words.phone, { name: "phone", type: "tel", autocomplete: "tel" }));
  const submit = async (event) => {
    event.preventDefault();
    const values = {};
    for (const [name, { input }] of fields) if (input.value.trim()) values[name] = input.value.trim();
    try {
      await save(values);
      saved();
    } catch (problem) {
      error.textContent = problem instanceof Refusal && problem.status === 422 ? words.check : words.failed;
      complain(fields, problem.errors);
    }
  };
  const form = h("form", { class: "card", onsubmit: submit, novalidate: "", "aria-label": words.contact },
    h("p", {}, words.contact));
  for (const { label } of fields.values()) form.append(label);
  form.append(error, buttons(words, close));
  return form;
}

/** Mark the fields that were refused, and go to the first of them. */
function complain(fields, errors = {}) {
  let first = null;
  for (const [name, { input }] of fields) {
    const isWrong = Object.hasOwn(errors, name);
    input.ariaInvalid = isWrong ? "true" : null;
    if (isWrong) first ??= input;
  }
  first?.focus();
}

/** rate(score) and comment(text) give null when they failed. */
function ratingForm(words, { rate, comment, close, saved }) {
  const text = h("textarea", { rows: 2, maxlength: 2000, "aria-label": words.comment, placeholder: words.comment });
  const later = h("div", { class: "acts" }, h("button", { type: "button", class: "pill", onclick: close }, words.skip));
  const ask = () => card.contains(text) || later.replaceWith(text, buttons(words, close));
  const choose = async (score) => {
    if (!(await rate(score))) return;
    ask();
    text.focus();
  };
  const card = h("form", { class: "card", "aria-label": words.rate }, h("p", {}, words.rate), starRow(words, choose), later);
  card.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text.value.trim() || (await comment(text.value))) saved();
  });
  return card;
}

/** One radio group: the arrows, Home and End move, Enter, the space bar and a click choose. */
function starRow(words, choose) {
  const stars = h("div", { class: "stars", role: "radiogroup", "aria-label": words.rate });
  const pick = (score) => {
    mark(stars, score);
    choose(score);
  };
  for (let score = 1; score <= 5; score++) {
    const label = words.stars.replace("{n}", score);
    stars.append(iconButton("star", label, () => pick(score), { role: "radio", "aria-checked": "false",
      tabindex: score === 1 ? 0 : -1 }));
  }
  stars.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const isBackwards = /^Arrow[RL]/.test(event.key) && getComputedStyle(stars).direction === "rtl";
    const now = Number(stars.dataset.score ?? 0);
    const score = Math.min(5, Math.max(1, now + (isBackwards ? -step : step)));
    mark(stars, score);
    stars.children[score - 1].focus();
  });
  return stars;
}

function field(name, attributes) {
  const input = h("input", attributes);
  return { input, label: h("label", {}, name, input) };
}

function buttons(words, close) {
  return h("div", { class: "acts" },
    h("button", { class: "pill strong" }, words.save),
    h("button", { type: "button", class: "pill", onclick: close }, words.skip));
}

function mark(stars, score) {
  stars.dataset.score = score;
  let number = 0;
  for (const star of stars.children) {
    number++;
    star.classList.toggle("on", number <= score);
    star.setAttribute("aria-checked", number === score);
    star.tabIndex = number === score ? 0 : -1;
  }
}
