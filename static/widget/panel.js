// The panel behind the button: joins session and view. The loader imports it when it is wanted; nothing is stored and
// nothing is sent before the visitor opens it, beyond what a nudge needs.

import { acts } from "./acts.js";
import { Refusal } from "./api.js";
import { Keep, newMessageId } from "./keep.js";
import { asksContact, opening } from "./opening.js";
import { watchPage } from "./page.js";
import { Session } from "./session.js";
import { State } from "./state.js";
import { isPhone, View } from "./view.js";
import { languageOf, noteText, prepare } from "./words.js";
// What the view needs: asked for with it, and not only when it is here.
import "./composer.js";
import "./dom.js";

const RTL = /^(ar|he)$/;

/** The panel's commands: open, close, toggle, send, identify, setLanguage, nudge, reset, shutdown, resume, visit. */
export async function start(core) {
  const { lang, words, sheet } = await prepare(core);
  core.root.adoptedStyleSheets = [...core.root.adoptedStyleSheets, sheet];
  return new Panel(core, lang, words);
}

class Panel {
  session = null;
  who = {};
  image = null;
  isOpen = false;
  hinted = "";
  #unread = 0;
  #badge = null;

  constructor(core, lang, words) {
    this.core = core;
    this.words = words;
    this.keep = new Keep(core.key);
    this.state = this.#newState();
    this.#draw(lang);
    watchPage(this);
  }

  get api() {
    return this.session?.api;
  }

  /** Whether what arrives is seen. */
  get isWatched() {
    return this.isOpen && !document.hidden;
  }

  open() {
    if (this.isOpen) return;
    this.isOpen = true;
    this.begin();
    this.view.setOpen(true);
    this.#opened();
    this.session.seen();
    this.core.emit("open");
  }

  close() {
    if (!this.isOpen || this.core.inline) return;
    this.isOpen = false;
    this.view.setOpen(false);
    this.#opened();
    this.core.emit("close");
  }

  toggle() {
    if (this.isOpen) this.close();
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
    this.session.carry();
    this.listen();
    this.detach();
    this.render();
    this.view.toEnd();
    return true;
  }

  /** Who is signed in at the page: {user_id, user_hash, name, email}. Somebody else than before begins anew. */
  identify(values = {}) {
    const former = this.keep.get("user");
    if (former && values.user_id && String(values.user_id) !== former) this.reset();
    this.who = { ...values };
    this.#noteUser();
  }

  async setLanguage() {
    const { lang, words } = await prepare(this.core);
    // A later call may have been quicker.
    if (lang !== languageOf(this.core.lang())) return;
    const { panel, draft } = this.view;
    this.words = words;
    panel.remove();
    this.#draw(lang);
    this.view.draft = draft;
    this.view.setImage(this.image?.preview);
    this.showUnread(true);
    if (this.isOpen) this.view.setOpen(true);
  }

  /** Forget this visitor: the session, what was said, everything this browser kept. */
  reset() {
    this.keep.forget();
    this.who = {};
    this.view.draft = "";
    this.renew();
  }

  /** A bubble at the button with a text of the page's own. */
  async nudge(text) {
    const { bubble } = await import("./nudge.js");
    bubble(this, String(text), { clicked: () => this.open() });
  }

  /** Another page: ask for its nudge when the site has rules for it. What the last one showed goes. */
  async visit(hasRule) {
    const { side } = this.core;
    side.querySelector(".nudge")?.remove();
    if (hasRule && !this.isOpen) await (await import("./nudge.js")).visit(this);
  }

  /** Go on where an earlier page stopped. */
  resume() {
    this.begin();
    const { open, draft } = this.keep.page;
    this.view.draft = draft ?? "";
    if (open && !isPhone(this.core)) this.open();
  }

  shutdown() {
    this.leave();
    this.isOpen = false;
    this.showUnread();
  }

  /** Another tab began a session: somebody else may sit there now. */
  follow() {
    if (this.keep.get("user") !== String(this.who.user_id)) this.who = {};
    this.renew();
  }

  begin() {
    if (this.session) return;
    this.session = new Session(this);
    this.#noteUser();
    this.session.begin();
    this.render();
  }

  #opened() {
    const { button, side } = this.core;
    button.ariaExpanded = String(this.isOpen);
    side.classList.toggle("open", this.isOpen);
    this.keepPage();
    this.listen();
  }

  /** Whose session it is. Checked by the server only, with every message. */
  #noteUser() {
    const { user_id } = this.who;
    if (this.session && user_id) this.keep.set("user", String(user_id));
  }

  /** For the next page in this tab. */
  keepPage() {
    this.keep.page = { open: this.isOpen, draft: this.view.draft };
  }

  #newState() {
    const { keep } = this;
    const mode = keep.get("mode") ?? "ai";
    return Object.assign(new State(), { read: keep.get("read") ?? 0, mode, isWaiting: mode === "ai" && keep.get("live") });
  }

  /** Leave the session to other tabs and later pages. */
  leave() {
    this.session?.end();
    this.session = null;
  }

  /** The session is another one from here on. */
  renew() {
    this.leave();
    this.state = this.#newState();
    this.detach();
    this.view.setEnd(null);
    this.showTyping(false);
    this.hint("");
    this.showUnread();
    if (this.isOpen) this.begin();
  }

  // What the session tells

  /** The first page of the history is here. */
  loaded() {
    this.welcome();
    this.view.toEnd();
    this.listen();
  }

  arrived(message) {
    this.core.emit("message", message);
    if (message.role === "visitor") return;
    this.showTyping(false);
    if (message.role !== "assistant") this.view.announce(message.content);
    if (this.isWatched) return;
    // One tone, however many tabs there are.
    if (this.keep.get("sound") && !this.session.news?.isFollowing) this.extra("beep");
    if (message.role === "proactive" && !this.isOpen) this.nudge(message.content).catch(() => {});
  }

  /** A letter is over. */
  finished() {
    if (asksContact(this, "after_answer")) this.extra("contact");
  }

  showTyping(isOn) {
    this.view.setTyping(isOn ? this.words.typing.replace("{name}", this.state.operator?.name ?? "") : "");
  }

  showUnread(isAnew = false) {
    const count = this.isWatched || !this.session ? 0 : this.state.unread;
    if (count === this.#unread && !isAnew) return;
    if (count || this.#badge) {
      this.#badge ??= import("./badge.js");
      this.#badge.then(({ show }) => show(this.core, this.words, this.#unread)).catch(() => (this.#badge = null));
    }
    if (count !== this.#unread) this.core.emit("unread", { count });
    this.#unread = count;
  }

  render() {
    if (!this.view) return;
    this.view.render(this.state);
    this.view.setBlocked(Boolean(this.state.blocked));
    this.view.setNote(noteText(this));
  }

  #draw(lang) {
    this.view = new View(this.core, this.words, acts(this));
    const { panel } = this.view;
    panel.lang = lang;
    panel.dir = RTL.test(lang) ? "rtl" : "ltr";
    this.core.root.append(panel);
    this.render();
    if (this.session?.isLoaded) this.welcome();
  }

  /** Ask for a form, a sound: what few visitors need is fetched when it is wanted. */
  extra(name) {
    import("./extras.js").then((extras) => this.session && extras[name](this)).catch(() => {});
  }

  listen() {
    this.session?.listen();
  }

  closed() {
    this.session.closed();
  }

  detach() {
    this.image = null;
    this.view?.setImage(null);
  }

  /** What is said before anybody has said anything. */
  welcome() {
    if (!this.state.conversation && !this.state.letters.size) this.view.setEnd(opening(this));
  }

  hint(text) {
    this.hinted = text;
    this.render();
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
}
