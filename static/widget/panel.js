// The panel behind the button: joins state, network and view. The loader imports it when it is wanted; nothing is
// stored and nothing is sent before the visitor opens it, beyond what a nudge needs.

import { Api, Refusal } from "./api.js";
import { h, loadMarkdown } from "./dom.js";
import { Keep, newMessageId } from "./keep.js";
import { Live } from "./live.js";
import { State } from "./state.js";
import { isPhone, View } from "./view.js";

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
  api = null;
  #outbox = null;
  #live = null;
  #channel = null;
  #isOpen = false;
  #isLoaded = false;
  identity = {};
  image = null;
  #failing = false;
  #typedAt = 0;
  #timers = {};
  #title = null;

  constructor(core, lang, words) {
    this.core = core;
    this.words = words;
    this.keep = new Keep(core.key);
    this.state = this.#newState();
    this.#draw(lang);
    this.#watchPage();
  }

  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.begin();
    this.view.setOpen(true);
    this.#opened();
    this.#seen();
    this.core.emit("open");
  }

  close() {
    if (!this.#isOpen || this.core.inline) return;
    this.#isOpen = false;
    this.view.setOpen(false);
    this.#opened();
    this.core.emit("close");
  }

  #opened() {
    const { button, side, key } = this.core;
    button.ariaExpanded = String(this.#isOpen);
    side.classList.toggle("open", this.#isOpen);
    try {
      sessionStorage.setItem(`vexar:${key}`, JSON.stringify({ open: this.#isOpen }));
    } catch {
      // Refused: the chat just does not open by itself on the next page.
    }
    this.listen();
  }

  toggle() {
    if (this.#isOpen) this.close();
    else this.open();
  }

  /** Send a text as if it had been typed; whether it was taken. */
  send(text) {
    const said = String(text ?? "").trim();
    const isUploading = this.image && !this.image.url;
    if ((!said && !this.image) || isUploading || this.state.blocked) return false;
    this.begin();
    this.view.setEnd(null);
    const letter = this.state.letter(newMessageId(), { text: said, image_url: this.image?.url ?? null, isOwn: true });
    this.keep.letter(letter);
    this.#carry();
    this.detach();
    this.#render();
    this.view.toEnd();
    return true;
  }

  identify({ user_id, user_hash, name, email } = {}) {
    this.identity = { user_id, user_hash, name, email };
  }

  async setLanguage() {
    const { lang, words } = await prepare(this.core);
    this.words = words;
    this.view.panel.remove();
    this.#draw(lang);
    this.#showUnread(this.#unread, true);
    if (this.#isOpen) this.view.setOpen(true);
  }

  /** Forget this visitor: the session, what was said, everything this browser kept. */
  reset() {
    this.#tell({ reset: true });
    this.#forget();
    if (this.#isOpen) {
      this.begin();
      this.listen();
    }
  }

  /** A bubble at the button with a text of the page's own. */
  async nudge(text) {
    const { bubble } = await import("./nudge.js");
    bubble(this.core, this.words, { content: String(text) }, { clicked: () => this.open() });
  }

  /** Ask for the nudge of this page, when its rules have one. */
  async visit() {
    if (this.#isOpen) return;
    const { visit } = await import("./nudge.js");
    await visit(this.core, this.words, this.keep, this.#newApi(), () => this.open());
  }

  /** Go on where an earlier page stopped. */
  resume() {
    this.begin();
    if (sessionStorage.getItem(`vexar:${this.core.key}`)?.includes("true") && !isPhone(this.core)) this.open();
    this.listen();
  }

  shutdown() {
    this.#leave();
    this.#isOpen = false;
    this.#showUnread(0);
    for (const name in this.#timers) clearTimeout(this.#timers[name]);
  }

  // The session

  begin() {
    if (this.api) return;
    this.api = this.#newApi();
    this.#live = new Live(this.api, () => this.state.cursor, (event) => {
      this.#tell({ event });
      this.#hear(event);
    });
    this.#join();
    for (const { hasFailed, ...letter } of this.keep.letters()) {
      this.state.letter(letter.message_id, { ...letter, phase: hasFailed ? "failed" : "waiting" });
      this.#carry();
    }
    this.#render();
    this.#refresh();
  }

  /** What carries letters and formats answers, fetched when the first one is written. */
  async #mail() {
    const api = this.api;
    const suffix = this.#misses ? `?${this.#misses}` : "";
    const [{ Outbox }] = await Promise.all([import(`./outbox.js${suffix}`), loadMarkdown(suffix)]);
    this.view.redraw(this.state);
    if (api !== this.api) throw new Error("the session ended");
    this.#outbox ??= new Outbox(this.state, api, this.keep, {
      changed: (letter, reason) => this.#changed(letter, reason),
      missed: (letter) => this.#later("settle", SETTLE_MS, () => this.#settle(letter)),
      failing: (isFailing) => this.#setFailing(isFailing),
      extra: () => this.#about(),
    });
    return this.#outbox;
  }

  #misses = 0;

  /** See to every letter that nobody carries yet, in the order they were written. */
  async #carry() {
    const { api } = this;
    try {
      const outbox = this.#outbox ?? (await this.#mail());
      for (const letter of this.state.letters.values()) {
        if (letter.received) continue;
        outbox.carry(letter);
        this.#share(letter);
      }
    } catch {
      if (api !== this.api) return;
      this.#misses++;
      this.#setFailing(true);
      this.#later("mail", 3_000, () => this.#carry());
    }
  }

  #newApi() {
    return new Api(this.core.base, this.core.key, this.keep.begin());
  }

  #newState() {
    return Object.assign(new State(), { read: this.keep.get("read") ?? 0, mode: this.keep.get("mode") ?? "ai" });
  }

  #leave() {
    this.#outbox?.close();
    this.#live?.want(false);
    this.#channel?.close();
    this.api = this.#outbox = this.#live = this.#channel = null;
  }

  #forget() {
    this.#leave();
    this.keep.forget();
    this.identity = {};
    this.#isLoaded = false;
    this.state = this.#newState();
    this.detach();
    this.view.setEnd(null);
    this.#render();
  }

  #about() {
    const { user_id, user_hash } = this.identity;
    const more = { lang: this.core.lang(), page_url: location.href.slice(0, 2000) };
    return user_id ? { ...more, user_id, user_hash } : more;
  }

  /** Read the newest page of the history. */
  async #refresh() {
    if (this.#timers.refreshing || !this.api) return;
    this.#timers.refreshing = true;
    const api = this.api;
    try {
      const before = this.state.cursor;
      const page = await api.get("chat/history", { limit: 50 });
      if (api === this.api) this.#takePage(page, before);
    } catch (problem) {
      if (api === this.api) this.#refused(problem, () => this.#refresh());
    } finally {
      this.#timers.refreshing = false;
    }
  }

  #takePage(page, before) {
    this.state.addPage(page);
    if (page.messages.length && !this.#outbox) this.#carry();
    if (this.#isLoaded) for (const message of page.messages) if (message.id > before) this.#arrived(message);
    const isFirst = !this.#isLoaded;
    this.#isLoaded = true;
    this.#setFailing(false);
    this.#render();
    this.#seen();
    if (isFirst) this.welcome();
    if (isFirst) this.view.toEnd();
    this.listen();
  }

  async #older() {
    const page = await this.attempt(() => this.api.get("chat/history", { limit: 50, before: this.state.first }));
    if (!page) return;
    this.state.addPage(page, true);
    this.view.keepPlace(() => this.#render());
  }

  /** A letter was answered: what is stored takes its place, read from the history when nobody pushed it. */
  async #settle(letter) {
    if (!this.state.letters.has(letter.message_id)) return;
    await this.#refresh();
    if (this.state.letters.has(letter.message_id)) this.#later("settle", 4 * SETTLE_MS, () => this.#settle(letter));
    this.#render();
  }

  // What comes in

  #hear(event) {
    const state = this.state;
    if (event.type === "message") this.#message(event.message);
    else if (event.type === "mode") this.#mode(event.mode, event.operator);
    else if (event.type === "typing") this.#typing(event.on);
    else if (event.type === "blocked") state.blocked = event.blocked ? event : null;
    else if (event.type === "closed") this.closed();
    else if (event.type === "reset") this.#refresh();
    else if (event.type === "poll") this.#polled(event);
    this.#setFailing(false);
    this.#render();
  }

  #message(message) {
    const isNext = this.state.isNext(message.id);
    if (!isNext && this.#isLoaded) return this.#refresh();
    if (this.state.add(message)) this.#arrived(message);
    this.#seen();
  }

  #mode(mode, operator) {
    Object.assign(this.state, { mode, operator: operator ?? this.state.operator });
    if (mode === "operator") this.state.isWaiting = false;
    if (mode !== this.keep.get("mode")) this.keep.set("mode", mode);
    if (mode !== this.#lastMode) this.core.emit("mode", { mode });
    this.#lastMode = mode;
    this.listen();
  }

  #lastMode = "ai";

  #polled({ messages, mode, cursor, typing }) {
    this.#mode(mode, null);
    this.#typing(typing);
    for (const message of messages) if (this.state.isNext(message.id)) this.#message(message);
    if (cursor > this.state.cursor) this.#refresh();
  }

  #typing(isOn) {
    const name = this.state.operator?.name ?? "";
    this.view.setTyping(isOn ? fill(this.words.typing, { name }) : "");
    if (isOn) this.#later("typing", TYPED_MS, () => this.view.setTyping(""));
  }

  #arrived(message) {
    this.core.emit("message", message);
    if (message.role === "visitor") return;
    this.view.setTyping("");
    if (message.role !== "assistant") this.view.announce(message.content);
    if (this.#isWatched()) return;
    if (this.keep.get("sound")) this.#extra("beep");
    if (message.role === "proactive" && !this.#isOpen) this.nudge(message.content);
  }

  #changed(letter, reason) {
    if (reason === "blocked" && !this.state.blocked) this.state.blocked = { reason: null, until: null };
    if (letter.note?.code === "blocked") this.state.blocked = { reason: letter.note.text, until: null };
    if (reason) this.#finished(letter, reason);
    this.#later("share", 100, () => this.#share(letter), !reason);
    this.#say(letter, Boolean(reason));
    this.#later("render", 16, () => this.#render(), true);
  }

  #finished(letter, reason) {
    this.#tell({ over: letter.message_id });
    if (reason === "error") this.core.emit("error", letter.note);
    if (this.identity.email) this.#extra("introduce");
    if (this.#asksContact("after_answer")) this.#extra("contact");
  }

  /** Tell a screen reader what became a whole sentence; not more than one line a second. */
  #say(letter, isOver) {
    const say = () => this.#isWatched() && this.view.announce(letter.announcer.next(letter.reply, isOver));
    if (!isOver) return this.#later("say", SAY_MS, say, true);
    clearTimeout(this.#timers.say);
    this.#timers.say = null;
    return say();
  }

  // Tabs

  #join() {
    if (typeof BroadcastChannel !== "function") return;
    this.#channel = new BroadcastChannel(`vexar:${this.api.scope.session_id}`);
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
    if (over) this.#later("settle", SETTLE_MS, () => this.#settle(this.state.letter(over, { phase: "answered" })));
    if (read) this.#markRead(read);
    if (reset) this.#forget();
  }

  /** Another tab carries this letter; ours shows it, and waits to take over. */
  #adopt(values) {
    const { message_id, phase } = values;
    const isKnown = this.state.letters.has(message_id);
    if (this.#outbox?.carries(message_id) || this.state.letters.get(message_id)?.isOwn) return;
    if (!isKnown && !this.keep.pending(message_id)) return;
    const letter = this.state.letter(message_id, values);
    if (!isKnown) this.#carry();
    if (phase === "answering" || phase === "answered") letter.received?.();
    this.#render();
  }

  // The page around

  #watchPage() {
    const signal = this.core.signal;
    addEventListener("online", () => this.#online(), { signal });
    addEventListener("offline", () => this.#render(), { signal });
    addEventListener("pageshow", (event) => event.persisted && this.#refresh(), { signal });
    document.addEventListener("visibilitychange", () => this.#seen(this.listen()), { signal });
    const fit = () => isPhone(this.core) && this.#fit();
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
    this.view.panel.style.setProperty("--height", `${visualViewport.height}px`);
    this.view.panel.style.setProperty("--top", `${visualViewport.offsetTop}px`);
    this.view.toEnd();
  }

  listen() {
    // Without the history it would be told everything that ever was.
    if (!this.#isLoaded) return;
    const isTalking = this.state.mode === "operator" || this.state.isWaiting;
    clearTimeout(this.#timers.hidden);
    if (!document.hidden || isTalking) this.#live?.want(this.#isOpen || isTalking);
    else this.#later("hidden", HIDDEN_PAUSE_MS, () => this.#live?.want(false));
  }

  #isWatched() {
    return this.#isOpen && !document.hidden;
  }

  /** What is on the screen counts as read. */
  #seen() {
    const { cursor, read } = this.state;
    if (this.#isWatched() && cursor > read) {
      let isFromPerson = false;
      for (const [id, { role }] of this.state.messages) isFromPerson ||= id > read && /^[op]/.test(role);
      if (isFromPerson) this.#later("read", 1_000, () => this.attempt(() => this.api.post("chat/read", { cursor })));
      this.#markRead(cursor);
      this.#tell({ read: cursor });
    }
    this.#showUnread(this.#isWatched() ? 0 : this.state.unread);
  }

  #markRead(cursor) {
    this.state.read = Math.max(this.state.read, cursor);
    if (this.keep.get("read") !== this.state.read) this.keep.set("read", this.state.read);
    this.#showUnread(this.state.unread);
  }

  #unread = 0;

  #badge = h("span", { class: "badge" });

  #showUnread(count, isAnew = false) {
    if (count === this.#unread && !isAnew) return;
    const { button } = this.core;
    const { open, unread } = this.words;
    this.#unread = count;
    this.#badge.textContent = count > 9 ? "9+" : count;
    button.ariaLabel = count ? `${open}, ${fill(unread, { n: count })}` : open;
    if (count) button.append(this.#badge);
    else this.#badge.remove();
    if (this.#title !== null) document.title = this.#title;
    this.#title = count && document.hidden ? document.title : null;
    if (this.#title !== null) document.title = `(${count}) ${this.#title}`;
    this.core.emit("unread", { count });
  }

  // What the visitor does

  #draw(lang) {
    this.view = new View(this.core, this.words, {
      send: (text) => this.send(text),
      stop: () => this.#stop(),
      retry: (letter) => this.#outbox.retry(letter),
      older: () => this.#older(),
      close: () => this.close(),
      menu: () => import("./extras.js").then(({ entries }) => entries(this)),
      attach: (file) => import("./image.js").then(({ attach }) => attach(this, file)),
      detach: () => this.detach(),
      typing: () => this.#types(),
      reason: (note) => this.#reason(note),
    });
    const { panel } = this.view;
    panel.lang = lang;
    panel.dir = RTL.test(lang) ? "rtl" : "ltr";
    this.core.root.append(panel);
    this.#render();
    if (this.#isLoaded) this.welcome();
  }

  #render() {
    if (!this.view) return;
    this.view.render(this.state);
    this.view.setBlocked(Boolean(this.state.blocked));
    this.view.setNote(this.#noteText());
  }

  #noteText() {
    const { blocked, letters } = this.state;
    if (blocked) return this.#blockText(blocked);
    if (navigator.onLine === false) return this.words.offline;
    for (const { phase, note } of letters.values()) {
      if (phase !== "failed" && note && /^(rate_|too_)/.test(note.code)) return this.words.tooMany;
    }
    return this.#failing ? this.words.offline : this.#hinted;
  }

  #hinted = "";

  #blockText({ reason, until }) {
    const end = until ? fill(this.words.until, { time: new Date(until).toLocaleString() }) : "";
    return `${this.words.blocked} ${reason ?? ""} ${end}`.trim();
  }

  #reason(note) {
    if (note?.code === "budget_exhausted") return note.text;
    return note?.code === "blocked" ? this.words.blocked : this.words.failed;
  }

  #stop() {
    for (const { message_id, phase } of this.state.letters.values()) {
      if (phase === "answering") this.attempt(() => this.api.post("chat/stop", { message_id }));
    }
  }

  #types() {
    if (this.state.mode !== "operator" || Date.now() - this.#typedAt < TYPING_MS) return;
    this.#typedAt = Date.now();
    this.attempt(() => this.api.post("chat/typing"));
  }

  /** Ask for a form, a sound: what few visitors need is fetched when it is wanted. */
  async #extra(name) {
    (await import("./extras.js"))[name](this);
  }

  /** Whether the site wants to be told now, for the first time, how to reach the visitor. */
  #asksContact(when) {
    const { collect_data, lead_when } = this.core.config.forms;
    return collect_data !== "none" && lead_when === when && !this.keep.get("asked");
  }

  /** The visitor's open conversation ended. */
  closed() {
    Object.assign(this.state, { conversation: null, isWaiting: false });
    this.#mode("ai", null);
  }

  detach() {
    this.image = null;
    this.view?.setImage(null);
  }

  /** What is said before anybody has said anything. */
  welcome() {
    const { config } = this.core;
    if (this.state.conversation || this.state.letters.size) return;
    if (this.#asksContact("start")) {
      this.#extra("contact");
      return;
    }
    const starters = h("div", { class: "starters" });
    if (config.welcome_message) starters.append(h("div", { class: "bubble", dir: "auto" }, config.welcome_message));
    for (const text of config.starters) {
      starters.append(h("button", { type: "button", class: "pill", dir: "auto", onclick: () => this.send(text) }, text));
    }
    this.view.setEnd(starters);
  }

  // Helpers

  #setFailing(isFailing) {
    if (isFailing === this.#failing) return;
    this.#failing = isFailing;
    this.#render();
  }

  hint(text) {
    this.#hinted = text;
    this.#render();
  }

  /** The answer of a request, or null; `isTold`: the visitor hears why not. */
  async attempt(request, isTold = false) {
    try {
      return await request();
    } catch (problem) {
      if (isTold) this.hint(problem instanceof Refusal ? problem.message : this.words.offline);
      return null;
    }
  }

  /** A read failed: again later, unless the server says that it never will. */
  #refused(problem, again) {
    if (problem instanceof Refusal && problem.status < 500 && problem.status !== 429) {
      this.core.emit("error", { code: problem.code, text: problem.message });
      return this.hint(problem.message);
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
