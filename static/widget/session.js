// One visitor's session: its history, what was read of it, when it listens. Draws nothing: it tells the panel.

import { Api, Refusal } from "./api.js";
import { loadMarkdown } from "./dom.js";

const HIDDEN_PAUSE_MS = 30_000;
const MISSED_MS = 3_000;
const REFRESH_MS = 4_000;
const STAYED_MS = 4_000;
const PAGE = { limit: 50 };

export class Session {
  later = new Later();
  isLoaded = false;
  isFailing = false;
  isOver = false;
  news = null;
  #isWanted = false;
  #isReading = false;
  #isKnown = false;
  #letters = null;
  #misses = 0;
  #channel = null;

  constructor(panel) {
    const { core, keep, state } = panel;
    Object.assign(this, { panel, state, keep, lastMode: state.mode });
    // A first look at the chat is not burdened with what listens: that comes with the first words, or in a moment.
    this.#isKnown = Boolean(keep.get("session"));
    this.api = new Api(core.base, core.key, keep.begin());
  }

  /** Join the other tabs, take up the letters that an earlier page left, read the history. */
  begin() {
    if (typeof BroadcastChannel === "function") {
      this.#channel = new BroadcastChannel(`vexar:${this.api.scope.session_id}`);
      this.#channel.onmessage = ({ data }) => this.#hear((news) => news.overhear(data));
      this.tell({ isNew: true });
    }
    for (const { hasFailed, ...letter } of this.keep.letters()) {
      this.state.letter(letter.message_id, { ...letter, phase: hasFailed ? "failed" : "waiting" });
    }
    if (this.state.letters.size) this.carry();
    this.refresh();
  }

  /** Leave everything as it is, and everything to other tabs. */
  end() {
    this.isOver = true;
    this.later.clear();
    this.#letters?.close();
    this.news?.want(false);
    this.#channel?.close();
  }

  /** Tell the other tabs. */
  tell(message) {
    if (!this.isOver) this.#channel?.postMessage(message);
  }

  /** See to every letter that nobody carries yet. */
  async carry() {
    try {
      (await this.mail()).carry();
    } catch {
      if (this.isOver) return;
      this.#misses++;
      this.setFailing(true);
      this.later.do("mail", MISSED_MS, () => this.carry());
    }
  }

  /** What carries letters, fetched with what formats answers for the first one. Throws when the session ended. */
  async mail() {
    if (this.#letters) return this.#letters;
    const suffix = this.#suffix;
    const [{ Letters }] = await Promise.all([import(`./letters.js${suffix}`), loadMarkdown(suffix)]);
    if (this.isOver) throw new Error("the session ended");
    this.panel.view.redraw(this.state);
    return (this.#letters ??= new Letters(this));
  }

  // Some browsers remember a failed import: the next try has another address.
  get #suffix() {
    return this.#misses ? `?${this.#misses}` : "";
  }

  /** Read the newest page of the history. */
  async refresh() {
    if (this.#isReading || this.isOver) return;
    this.#isReading = true;
    try {
      const before = this.state.cursor;
      const page = await this.api.get("chat/history", PAGE);
      if (!this.isOver) this.#takePage(page, before);
    } catch (problem) {
      if (!this.isOver) this.#refused(problem);
    } finally {
      this.#isReading = false;
    }
  }

  /** Read the page of the history before what is known; whether there was one. */
  async older() {
    const page = await this.panel.attempt(() => this.api.get("chat/history", { ...PAGE, before: this.state.first }));
    if (page && !this.isOver) this.state.addPage(page, true);
    return page;
  }

  /** The network is back, or the page. */
  wake() {
    this.#letters?.wake();
    this.news?.renew();
    this.refresh();
  }

  /** Listen to what is pushed, while it is of use. */
  listen() {
    // Without the history it would be told everything that ever was.
    if (!this.isLoaded || this.isOver) return;
    const isTalking = this.state.mode === "operator" || Boolean(this.state.isWaiting);
    this.#note("live", isTalking);
    this.later.drop("hidden");
    if (!document.hidden || isTalking) this.#want(this.panel.isOpen || isTalking);
    else this.later.do("hidden", HIDDEN_PAUSE_MS, () => this.#want(false));
  }

  /** Listen or not; what listens is fetched when there is something to listen to. */
  #want(isWanted) {
    this.#isWanted = isWanted;
    this.#isKnown ||= this.state.cursor > 0 || this.state.letters.size > 0;
    if (this.#isKnown || !isWanted) this.later.drop("stay");
    if (this.news || (isWanted && this.#isKnown)) this.#hear((news) => news.want(this.#isWanted));
    else if (isWanted) this.later.do("stay", STAYED_MS, () => this.#stayed());
  }

  /** Whoever stays may be seen by the people of the site, and spoken to first. */
  #stayed() {
    this.#isKnown = true;
    this.listen();
  }

  /** Do something with what comes in; the module for it is fetched with the first of it. */
  async #hear(act) {
    if (this.news) return act(this.news);
    try {
      const { News } = await import(`./news.js${this.#suffix}`);
      if (!this.isOver) act((this.news ??= new News(this)));
    } catch {
      if (this.isOver) return;
      this.#misses++;
      this.later.do("listen", MISSED_MS, () => this.listen());
    }
    return undefined;
  }

  /** What is on the screen counts as read. */
  seen() {
    const { cursor, read, messages } = this.state;
    if (this.panel.isWatched && cursor > read) {
      let isFromPerson = false;
      for (const [id, { role }] of messages) isFromPerson ||= id > read && /^[op]/.test(role);
      const report = () => this.panel.attempt(() => this.api.post("chat/read", { cursor: this.state.read }));
      if (isFromPerson) this.later.do("read", 1_000, report);
      this.markRead(cursor);
      this.tell({ read: cursor });
    }
    this.panel.showUnread();
  }

  /** The visitor's open conversation ended. */
  closed() {
    Object.assign(this.state, { conversation: null, isWaiting: false });
    this.mode("ai", null);
  }

  /** Who answers from here on. */
  mode(mode, operator) {
    Object.assign(this.state, { mode, operator: operator ?? this.state.operator });
    if (mode === "operator") this.state.isWaiting = false;
    this.#note("mode", mode);
    if (mode !== this.lastMode) this.panel.core.emit("mode", { mode });
    this.lastMode = mode;
    this.listen();
  }

  /** Whether requests are failing at the moment. */
  setFailing(isFailing) {
    if (isFailing === this.isFailing) return;
    this.isFailing = isFailing;
    this.panel.render();
  }

  /** Remember it, unless another tab has just forgotten this session. */
  #note(name, value) {
    const isStill = this.keep.get("session") === this.api.scope.session_id;
    if (isStill && (this.keep.get(name) ?? false) !== value) this.keep.set(name, value);
  }

  #takePage(page, before) {
    const isFirst = !this.isLoaded;
    this.state.addPage(page);
    this.isLoaded = true;
    if (page.messages.length && !this.#letters) this.carry();
    if (!isFirst) for (const message of page.messages) if (message.id > before) this.panel.arrived(message);
    this.setFailing(false);
    this.mode(page.mode, this.state.operator);
    this.panel.render();
    if (isFirst) this.panel.loaded();
    this.seen();
  }

  /** A read failed: again later, unless the server says that it never will do. */
  #refused(problem) {
    if (problem instanceof Refusal && problem.status < 500 && problem.status !== 429) {
      this.panel.core.emit("error", { code: problem.code, text: problem.message });
      return this.panel.hint(problem.message);
    }
    this.setFailing(true);
    return this.later.do("again", problem.retryMs ?? REFRESH_MS, () => this.refresh());
  }

  /** Seen, here or in another tab. */
  markRead(cursor) {
    this.state.read = Math.max(this.state.read, cursor);
    this.#note("read", this.state.read);
    this.panel.showUnread();
  }
}

/** What is to be done in a while: one thing per name, so that nothing is done twice. */
class Later {
  #timers = new Map();

  /** Do it in `ms`: anew with every call, or (`isSteady`) when the first one said. */
  do(name, ms, run, isSteady = false) {
    if (isSteady && this.#timers.has(name)) return;
    this.drop(name);
    const done = () => {
      this.#timers.delete(name);
      run();
    };
    this.#timers.set(name, setTimeout(done, ms));
  }

  drop(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  clear() {
    for (const [name] of this.#timers) this.drop(name);
  }
}
