// The panel behind the button: joins state, network and view. The loader imports it when it is wanted; nothing is
// stored and nothing is sent before the visitor opens it, beyond what a nudge needs.

import { Api, Refusal } from "./api.js";
import { paint } from "./color.js";
import { h, loadMarkdown } from "./dom.js";
import { Keep, newMessageId } from "./keep.js";
import { Live } from "./live.js";
import { Announcer, State } from "./state.js";
import { View } from "./view.js";

const LANGUAGES = /^(en|de|fr|es|pt|it|nl|pl|uk|tr|ar|he|zh|ja)$/;
const RTL = /^(ar|he)$/;
const HIDDEN_PAUSE_MS = 30_000;
const TYPING_MS = 3_000;
const TYPED_MS = 6_000;
const SAY_MS = 1_000;
const SETTLE_MS = 1_500;

let sheet = null;
const words = new Map();

/** Fetch what the first look needs: styles and words. */
export async function prepare(core) {
  const lang = languageOf(core.lang());
  const wanted = words.get(lang) ?? import(`./lang/${lang}.js`);
  sheet ??= fetch(new URL("./widget.css", import.meta.url)).then((answer) => answer.text()).then(toSheet);
  words.set(lang, wanted);
  return { lang, words: (await wanted).default, sheet: await sheet };
}

/** The panel's commands: open, close, toggle, send, identify, setLanguage, nudge, reset, shutdown, resume, visit. */
export async function start(core) {
  const { lang, words, sheet } = await prepare(core);
  core.root.adoptedStyleSheets = [...core.root.adoptedStyleSheets, sheet];
  return new Panel(core, lang, words);
}

async function toSheet(text) {
  const sheet = new CSSStyleSheet();
  await sheet.replace(text);
  return sheet;
}

function languageOf(tag) {
  const base = tag.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.test(base) ? base : "en";
}

class Panel {
  #core;
  #words;
  #keep;
  #state;
  #api = null;
  #outbox = null;
  #live = null;
  #channel = null;
  #view;
  #isOpen = false;
  #isLoaded = false;
  #identity = {};
  #image = null;
  #failing = false;
  #typedAt = 0;
  #timers = {};
  #title = null;

  constructor(core, lang, words) {
    this.#core = core;
    this.#words = words;
    this.#keep = new Keep(core.key);
    this.#state = this.#newState();
    this.#draw(lang);
    this.#watchPage();
  }

  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#begin();
    this.#view.setOpen(true);
    this.#core.setOpen(true);
    this.#seen();
    this.#listen();
    this.#core.emit("open");
  }

  close() {
    if (!this.#isOpen || this.#core.inline) return;
    this.#isOpen = false;
    this.#view.setOpen(false);
    this.#core.setOpen(false);
    this.#listen();
    this.#core.emit("close");
  }

  toggle() {
    if (this.#isOpen) this.close();
    else this.open();
  }

  /** Send a text as if it had been typed; whether it was taken. */
  send(text) {
    const said = String(text ?? "").trim();
    if ((!said && !this.#image) || this.#state.blocked) return false;
    this.#begin();
    this.#view.setEnd(null);
    const letter = this.#state.letter(newMessageId(), { text: said, image_url: this.#image?.url ?? null, isOwn: true });
    this.#keep.letter(letter);
    this.#carry(letter);
    this.#detach();
    this.#render();
    this.#view.toEnd();
    return true;
  }

  identify({ user_id, user_hash, name, email } = {}) {
    this.#identity = { user_id, user_hash, name, email };
  }

  async setLanguage(lang) {
    this.#core.settings.lang = String(lang);
    const { lang: base, words } = await prepare(this.#core);
    this.#words = words;
    this.#view.panel.remove();
    this.#draw(base);
    if (this.#isOpen) this.#view.setOpen(true);
  }

  /** Forget this visitor: the session, what was said, everything this browser kept. */
  reset() {
    this.#tell({ reset: true });
    this.#forget();
    if (this.#isOpen) {
      this.#begin();
      this.#listen();
    }
  }

  /** A bubble at the button with a text of the page's own. */
  async nudge(text) {
    const { bubble } = await import("./nudge.js");
    bubble(this.#core, this.#words, { content: String(text) }, { clicked: () => this.open() });
  }

  /** Ask for the nudge of this page, when its rules have one. */
  async visit() {
    if (this.#isOpen) return;
    const { visit } = await import("./nudge.js");
    await visit(this.#core, this.#words, this.#keep, this.#newApi(), () => this.open());
  }

  /** Go on where an earlier page stopped, without opening. */
  resume() {
    this.#begin();
    this.#listen();
  }

  shutdown() {
    this.#leave();
    this.#isOpen = false;
    this.#showUnread(0);
    for (const name in this.#timers) clearTimeout(this.#timers[name]);
  }

  // The session

  #begin() {
    if (this.#api) return;
    this.#api = this.#newApi();
    this.#live = new Live(this.#api, () => this.#state.cursor, (event) => {
      this.#tell({ event });
      this.#hear(event);
    });
    this.#join();
    for (const { hasFailed, ...letter } of this.#keep.letters()) {
      this.#carry(this.#state.letter(letter.message_id, { ...letter, phase: hasFailed ? "failed" : "waiting" }));
    }
    this.#render();
    this.#refresh();
  }

  /** What carries letters and formats answers, fetched when the first one is written. */
  async #mail() {
    const api = this.#api;
    const suffix = this.#misses ? `?${this.#misses}` : "";
    const [{ Outbox }] = await Promise.all([import(`./outbox.js${suffix}`), loadMarkdown(suffix)]);
    this.#view.redraw(this.#state);
    if (api !== this.#api) throw new Error("the session ended");
    this.#outbox ??= new Outbox(this.#state, api, this.#keep, {
      changed: (letter, reason) => this.#changed(letter, reason),
      missed: (letter) => this.#later("settle", SETTLE_MS, () => this.#settle(letter)),
      failing: (isFailing) => this.#setFailing(isFailing),
      extra: () => this.#extra(),
    });
    return this.#outbox;
  }

  #misses = 0;

  async #carry(letter) {
    const api = this.#api;
    try {
      const outbox = this.#outbox ?? (await this.#mail());
      outbox.carry(letter);
      this.#share(letter);
    } catch {
      if (api !== this.#api) return;
      this.#misses++;
      this.#setFailing(true);
      this.#later(letter.message_id, 3_000, () => this.#carry(letter));
    }
  }

  #newApi() {
    return new Api(this.#core.base, this.#core.key, this.#keep.begin());
  }

  #newState() {
    return Object.assign(new State(), { read: this.#keep.get("read") ?? 0, mode: this.#keep.get("mode") ?? "ai" });
  }

  #leave() {
    this.#outbox?.close();
    this.#live?.want(false);
    this.#channel?.close();
    this.#api = this.#outbox = this.#live = this.#channel = null;
  }

  #forget() {
    this.#leave();
    this.#keep.forget();
    this.#identity = {};
    this.#isLoaded = false;
    this.#state = this.#newState();
    this.#detach();
    this.#view.setEnd(null);
    this.#render();
  }

  #extra() {
    const { user_id, user_hash } = this.#identity;
    const extra = { lang: this.#core.lang(), page_url: location.href.slice(0, 2000) };
    return user_id ? { ...extra, user_id, user_hash } : extra;
  }

  /** Read the newest page of the history. */
  async #refresh() {
    if (this.#timers.refreshing || !this.#api) return;
    this.#timers.refreshing = true;
    const api = this.#api;
    try {
      const before = this.#state.cursor;
      const page = await api.get("chat/history", { limit: 50 });
      if (api === this.#api) this.#takePage(page, before);
    } catch (problem) {
      if (api === this.#api) this.#refused(problem, () => this.#refresh());
    } finally {
      this.#timers.refreshing = false;
    }
  }

  #takePage(page, before) {
    this.#state.addPage(page);
    if (page.messages.length && !this.#outbox) this.#mail().catch(() => {});
    if (this.#isLoaded) for (const message of page.messages) if (message.id > before) this.#arrived(message);
    const isFirst = !this.#isLoaded;
    this.#isLoaded = true;
    this.#setFailing(false);
    this.#render();
    this.#seen();
    if (isFirst) this.#welcome();
    if (isFirst) this.#view.toEnd();
    this.#listen();
  }

  async #older() {
    const page = await this.#try(() => this.#api.get("chat/history", { limit: 50, before: this.#state.first }));
    if (!page) return;
    this.#state.addPage(page, true);
    this.#view.keepPlace(() => this.#render());
  }

  /** A letter was answered: what is stored takes its place, read from the history when nobody pushed it. */
  async #settle(letter) {
    if (!this.#state.letters.has(letter.message_id)) return;
    await this.#refresh();
    if (letter.phase === "answered") this.#state.drop(letter.message_id);
    this.#render();
  }

  // What comes in

  #hear(event) {
    const state = this.#state;
    if (event.type === "message") this.#message(event.message);
    else if (event.type === "mode") this.#mode(event.mode, event.operator);
    else if (event.type === "typing") this.#typing(event.on);
    else if (event.type === "blocked") state.blocked = event.blocked ? event : null;
    else if (event.type === "closed") this.#closed();
    else if (event.type === "reset") this.#refresh();
    else if (event.type === "poll") this.#polled(event);
    this.#setFailing(false);
    this.#render();
  }

  #message(message) {
    const isNext = this.#state.isNext(message.id);
    if (!isNext && this.#isLoaded) return this.#refresh();
    if (this.#state.add(message)) this.#arrived(message);
    this.#seen();
  }

  #mode(mode, operator) {
    Object.assign(this.#state, { mode, operator: operator ?? this.#state.operator });
    if (mode === "operator") this.#state.isWaiting = false;
    if (mode !== this.#keep.get("mode")) this.#keep.set("mode", mode);
    if (mode !== this.#lastMode) this.#core.emit("mode", { mode });
    this.#lastMode = mode;
    this.#listen();
  }

  #lastMode = "ai";

  #polled({ messages, mode, cursor, typing }) {
    this.#mode(mode, null);
    this.#typing(typing);
    for (const message of messages) if (this.#state.isNext(message.id)) this.#message(message);
    if (cursor > this.#state.cursor) this.#refresh();
  }

  #typing(isOn) {
    const name = this.#state.operator?.name ?? "";
    this.#view.setTyping(isOn ? fill(this.#words.typing, { name }) : "");
    if (isOn) this.#later("typing", TYPED_MS, () => this.#view.setTyping(""));
  }

  #closed() {
    this.#state.conversation = null;
    this.#mode("ai", null);
  }

  #arrived(message) {
    this.#core.emit("message", message);
    if (message.role === "visitor") return;
    this.#view.setTyping("");
    if (message.role !== "assistant") this.#view.announce(message.content);
    if (this.#isWatched()) return;
    if (this.#keep.get("sound")) beep();
    if (message.role === "proactive" && !this.#isOpen) this.nudge(message.content);
  }

  #changed(letter, reason) {
    if (reason === "blocked" && !this.#state.blocked) this.#state.blocked = { reason: null, until: null };
    if (letter.note?.code === "blocked") this.#state.blocked = { reason: letter.note.text, until: null };
    if (reason) this.#finished(letter, reason);
    this.#later("share", 100, () => this.#share(letter), !reason);
    this.#say(letter, Boolean(reason));
    this.#later("render", 16, () => this.#render(), true);
  }

  #finished(letter, reason) {
    this.#tell({ over: letter.message_id });
    if (reason === "error") this.#core.emit("error", letter.note);
    this.#introduce();
    const { forms } = this.#core.config;
    if (forms.collect_data !== "none" && forms.lead_when === "after_answer") this.#contact(true);
  }

  /** Tell a screen reader what became a whole sentence; not more than one line a second. */
  #say(letter, isOver) {
    letter.announcer ??= new Announcer();
    const say = () => this.#isWatched() && this.#view.announce(letter.announcer.next(letter.reply, isOver));
    if (!isOver) return this.#later("say", SAY_MS, say, true);
    clearTimeout(this.#timers.say);
    this.#timers.say = null;
    return say();
  }

  // Tabs

  #join() {
    if (typeof BroadcastChannel !== "function") return;
    this.#channel = new BroadcastChannel(`vexar:${this.#api.scope.session_id}`);
    this.#channel.onmessage = ({ data }) => this.#overhear(data);
  }

  #tell(message) {
    this.#channel?.postMessage(message);
  }

  #share({ message_id, text, image_url, phase, reply, note, doing, isOwn }) {
    if (isOwn || this.#outbox?.carries(message_id)) {
      this.#tell({ letter: { message_id, text, image_url, phase, reply, note, doing } });
    }
  }

  #overhear({ event, letter, over, reset, read }) {
    if (event) this.#hear(event);
    if (letter) this.#adopt(letter);
    if (over) this.#later("settle", SETTLE_MS, () => this.#settle(this.#state.letter(over, { phase: "answered" })));
    if (read) this.#markRead(read);
    if (reset) this.#forget();
  }

  /** Another tab carries this letter; ours shows it, and waits to take over. */
  #adopt(values) {
    const { message_id, phase } = values;
    const isKnown = this.#state.letters.has(message_id);
    if (this.#outbox?.carries(message_id) || this.#state.letters.get(message_id)?.isOwn) return;
    if (!isKnown && !this.#keep.pending(message_id)) return;
    const letter = this.#state.letter(message_id, values);
    if (!isKnown) this.#carry(letter);
    if (phase === "answering" || phase === "answered") letter.received?.();
    this.#render();
  }

  // The page around

  #watchPage() {
    const signal = this.#core.signal;
    addEventListener("online", () => this.#online(), { signal });
    addEventListener("offline", () => this.#render(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#refresh(), { signal });
    document.addEventListener("visibilitychange", () => this.#seen(this.#listen()), { signal });
    const fit = () => this.#core.isPhone() && this.#fit();
    visualViewport?.addEventListener("resize", fit, { signal });
    visualViewport?.addEventListener("scroll", fit, { signal });
  }

  #online() {
    this.#outbox?.wake();
    if (this.#isOpen) this.#refresh();
    this.#render();
  }

  /** The keyboard of a phone covers the page: keep to what can be seen. */
  #fit() {
    this.#view.panel.style.setProperty("--height", `${visualViewport.height}px`);
    this.#view.panel.style.setProperty("--top", `${visualViewport.offsetTop}px`);
    this.#view.toEnd();
  }

  #listen() {
    if (!this.#live) return;
    const isTalking = this.#state.mode === "operator" || this.#state.isWaiting;
    clearTimeout(this.#timers.hidden);
    if (!document.hidden || isTalking) this.#live.want(this.#isOpen || isTalking);
    else this.#later("hidden", HIDDEN_PAUSE_MS, () => this.#live?.want(false));
  }

  #isWatched() {
    return this.#isOpen && !document.hidden;
  }

  /** What is on the screen counts as read. */
  #seen() {
    const { cursor, read } = this.#state;
    if (this.#isWatched() && cursor > read) {
      let isFromPerson = false;
      for (const [id, { role }] of this.#state.messages) isFromPerson ||= id > read && /^[op]/.test(role);
      if (isFromPerson) this.#later("read", 1_000, () => this.#try(() => this.#api.post("chat/read", { cursor })));
      this.#markRead(cursor);
      this.#tell({ read: cursor });
    }
    this.#showUnread(this.#isWatched() ? 0 : this.#state.unread);
  }

  #markRead(cursor) {
    this.#state.read = Math.max(this.#state.read, cursor);
    if (this.#keep.get("read") !== this.#state.read) this.#keep.set("read", this.#state.read);
    this.#showUnread(this.#state.unread);
  }

  #unread = 0;

  #showUnread(count) {
    if (count === this.#unread) return;
    this.#unread = count;
    this.#core.setBadge(count, count ? fill(this.#words.unread, { n: count }) : "");
    if (this.#title !== null) document.title = this.#title;
    this.#title = count && document.hidden ? document.title : null;
    if (this.#title !== null) document.title = `(${count}) ${this.#title}`;
    this.#core.emit("unread", { count });
  }

  // What the visitor does

  #draw(lang) {
    this.#view = new View(this.#core, this.#words, {
      send: (text) => this.send(text),
      stop: () => this.#stop(),
      retry: (letter) => this.#outbox.retry(letter),
      older: () => this.#older(),
      close: () => this.close(),
      menu: () => this.#menu(),
      attach: (file) => this.#attach(file),
      detach: () => this.#detach(),
      typing: () => this.#types(),
      reason: (note) => this.#reason(note),
    });
    const { panel } = this.#view;
    panel.lang = lang;
    panel.dir = RTL.test(lang) ? "rtl" : "ltr";
    paint(this.#core);
    this.#core.root.append(panel);
    this.#render();
    if (this.#isLoaded) this.#welcome();
  }

  #render() {
    if (!this.#view) return;
    this.#view.render(this.#state);
    this.#view.setBlocked(Boolean(this.#state.blocked));
    this.#view.setNote(this.#noteText());
  }

  #noteText() {
    const { blocked, letters } = this.#state;
    if (blocked) return this.#blockText(blocked);
    if (navigator.onLine === false) return this.#words.offline;
    for (const { phase, note } of letters.values()) {
      if (phase !== "failed" && note && /^(rate_|too_)/.test(note.code)) return this.#words.tooMany;
    }
    return this.#failing ? this.#words.offline : this.#hint ?? "";
  }

  #hint = null;

  #blockText({ reason, until }) {
    const lines = [this.#words.blocked];
    if (reason) lines[lines.length] = reason;
    if (until) lines[lines.length] = fill(this.#words.until, { time: new Date(until).toLocaleString() });
    let text = "";
    for (const line of lines) text += `${line} `;
    return text.trim();
  }

  #reason(note) {
    const words = { blocked: this.#words.blocked, rate_limited: this.#words.tooMany, budget_exhausted: note?.text };
    return words[note?.code] ?? this.#words.failed;
  }

  #stop() {
    for (const { message_id, phase } of this.#state.letters.values()) {
      if (phase === "answering") this.#try(() => this.#api.post("chat/stop", { message_id }));
    }
  }

  #types() {
    if (this.#state.mode !== "operator" || Date.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = Date.now();
    this.#try(() => this.#api.post("chat/typing"));
  }

  async #attach(file) {
    const { prepareImage } = await import("./image.js");
    try {
      const { blob, preview } = await prepareImage(file);
      this.#view.setImage(preview);
      this.#begin();
      const sent = this.#api.upload(blob, "image");
      this.#image = { url: null };
      this.#image = { url: (await sent).url };
      this.#hintWith(null);
    } catch (problem) {
      this.#detach();
      this.#hintWith(problem instanceof Refusal ? problem.message : this.#words.imageFailed);
    }
  }

  #detach() {
    this.#image = null;
    this.#view?.setImage(null);
  }

  #menu() {
    const { config } = this.#core;
    const words = this.#words;
    const entries = [];
    const entry = (label, run) => (entries[entries.length] = { label, run });
    if (config.operator && this.#state.conversation && this.#state.mode === "ai") entry(words.askPerson, () => this.#ask());
    if (config.forms.collect_data !== "none") entry(words.contact, () => this.#contact());
    if (this.#state.cursor) entry(words.rate, () => this.#rate());
    if (this.#state.conversation) entry(words.fresh, () => this.#fresh());
    const sound = this.#keep.get("sound");
    entry(sound ? words.soundOff : words.soundOn, () => this.#keep.set("sound", !sound));
    return entries;
  }

  async #ask() {
    const answer = await this.#try(() => this.#api.post("chat/request-operator"));
    this.#state.isWaiting = Boolean(answer?.waiting);
    this.#hintWith(answer && !answer.waiting ? this.#words.nobody : null);
    this.#listen();
  }

  async #fresh() {
    const answer = await this.#try(() => this.#api.post("chat/close"));
    if (!answer) return;
    this.#closed();
    this.#rate(() => this.#welcome());
  }

  async #rate(then) {
    const { ratingForm } = await import("./forms.js");
    const rate = async (score) => {
      const answer = await this.#try(() => this.#api.post("chat/rate", { score }), true);
      if (answer) this.#core.emit("rating", { score });
      return answer;
    };
    const comment = (text) => this.#try(() => this.#api.post("chat/rate/comment", { comment: text }), true);
    this.#view.setEnd(ratingForm(this.#words, { rate, comment, close: then ?? (() => this.#view.setEnd(null)) }));
  }

  async #contact(isOnce = false) {
    if (isOnce && this.#keep.get("asked")) return;
    this.#keep.set("asked", true);
    const { contactForm } = await import("./forms.js");
    const save = (contact) => this.#api.post("chat/contact", contact);
    const close = () => this.#view.setEnd(null);
    this.#view.setEnd(contactForm(this.#words, this.#core.config.forms.collect_data, { save, close }));
  }

  /** Pass on, once, what the page told about its signed-in visitor. */
  #introduce() {
    const { name, email } = this.#identity;
    if (!email) return;
    this.#identity.email = null;
    this.#try(() => this.#api.post("chat/contact", name ? { email, name } : { email }));
  }

  /** What is said before anybody has said anything. */
  #welcome() {
    const { config } = this.#core;
    if (this.#state.conversation || this.#state.letters.size) return;
    const { forms } = config;
    if (forms.collect_data !== "none" && forms.lead_when === "start" && !this.#keep.get("asked")) {
      this.#contact(true);
      return;
    }
    const starters = h("div", { class: "starters" });
    if (config.welcome_message) starters.append(h("div", { class: "bubble", dir: "auto" }, config.welcome_message));
    for (const text of config.starters) {
      starters.append(h("button", { type: "button", class: "pill", dir: "auto", onclick: () => this.send(text) }, text));
    }
    this.#view.setEnd(starters);
  }

  // Helpers

  #setFailing(isFailing) {
    if (isFailing === this.#failing) return;
    this.#failing = isFailing;
    this.#render();
  }

  #hintWith(text) {
    this.#hint = text;
    this.#render();
  }

  /** The answer of a request, or null; `isTold`: the visitor hears why not. */
  async #try(request, isTold = false) {
    try {
      return await request();
    } catch (problem) {
      if (isTold) this.#hintWith(problem instanceof Refusal ? problem.message : this.#words.offline);
      return null;
    }
  }

  /** A read failed: again later, unless the server says that it never will. */
  #refused(problem, again) {
    if (problem instanceof Refusal && problem.status < 500 && problem.status !== 429) {
      this.#core.emit("error", { code: problem.code, text: problem.message });
      return this.#hintWith(problem.message);
    }
    this.#setFailing(true);
    return this.#later("again", problem.retryMs ?? 4_000, again);
  }

  /** Do it in a while, once: anew with every call, or (`isSteady`) when the first one said. */
  #later(name, ms, run, isSteady = false) {
    if (isSteady && this.#timers[name]) return;
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(() => {
      this.#timers[name] = null;
      run();
    }, ms);
  }
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function beep() {
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
