// The letters of a session on their way: who carries them, what is shown and said of them, how they become messages.

import { Outbox } from "./outbox.js";

const SAY_MS = 1_000;
const SETTLE_MS = 1_500;

export class Letters {
  #session;
  #outbox;

  constructor(session) {
    const { state, api, keep, panel } = session;
    this.#session = session;
    this.#outbox = new Outbox(state, api, keep, {
      changed: (letter, reason) => this.#changed(letter, reason),
      missed: ({ message_id }) => this.settle(message_id),
      failing: (isFailing) => session.setFailing(isFailing),
      extra: () => about(panel),
    });
  }

  /** See to every letter that nobody carries yet, in the order they were written. */
  carry() {
    for (const letter of this.#session.state.letters.values()) {
      if (letter.received) continue;
      this.#outbox.carry(letter);
      this.#share(letter);
    }
  }

  /** Send a failed letter again. */
  retry(letter) {
    this.#outbox.retry(letter);
  }

  wake() {
    this.#outbox.wake();
  }

  close() {
    this.#outbox.close();
    // The next session of this page begins with those that are left.
    for (const letter of this.#session.state.letters.values()) letter.received = null;
  }

  /** Another tab carries this letter; ours shows it, and waits to take over. */
  adopt(values) {
    const { state, keep, panel } = this.#session;
    const { message_id, phase } = values;
    const known = state.letters.get(message_id);
    if (this.#outbox.carries(message_id) || (!known && !keep.pending(message_id))) return;
    const letter = state.letter(message_id, values);
    if (!known) this.carry();
    if (phase === "answering" || phase === "answered") letter.received?.();
    panel.render();
  }

  /** A letter was answered: what is stored takes its place, read from the history when nobody pushed it. */
  settle(message_id, ms = SETTLE_MS) {
    const { state, later, panel } = this.#session;
    if (!state.letters.has(message_id)) return;
    state.letter(message_id, { phase: "answered" });
    later.do(`settle ${message_id}`, ms, async () => {
      if (!state.letters.has(message_id)) return;
      await this.#session.refresh();
      this.settle(message_id, 4 * SETTLE_MS);
      panel.render();
    });
  }

  #changed(letter, reason) {
    const { state, later, panel } = this.#session;
    if (!state.blocked && (reason === "blocked" || letter.note?.code === "blocked")) this.#learnBlock();
    if (reason) this.#finished(letter, reason);
    later.do(`share ${letter.message_id}`, reason ? 0 : 100, () => this.#share(letter), true);
    this.#say(letter, Boolean(reason));
    later.do("render", 16, () => panel.render(), true);
  }

  /** Live push may be away: ask why, and until when. */
  async #learnBlock() {
    const { state, api, panel } = this.#session;
    state.blocked = { reason: null, until: null };
    const found = await panel.attempt(() => api.get("chat/block-status"));
    if (found) state.blocked = found.blocked ? found : null;
    panel.render();
  }

  #finished(letter, reason) {
    const { panel } = this.#session;
    this.#session.tell({ over: letter.message_id });
    if (reason === "error") panel.core.emit("error", letter.note);
    this.#introduce();
    panel.finished();
  }

  /** Pass on, once, what the page told of its signed-in visitor. */
  #introduce() {
    const { panel, api } = this.#session;
    const { name, email } = panel.who;
    panel.who.email = null;
    if (email) panel.attempt(() => api.post("chat/contact", name ? { email, name } : { email }));
  }

  /** Tell a screen reader what became a whole sentence; not more than one line a second. */
  #say(letter, isOver) {
    const { panel, later } = this.#session;
    const say = () => panel.isWatched && panel.view.announce(letter.announcer.next(letter.reply, isOver));
    if (!isOver) return later.do("say", SAY_MS, say, true);
    later.drop("say");
    return say();
  }

  #share({ message_id, text, image_url, phase, reply, note, doing, isOwn }) {
    if (isOwn || this.#outbox.carries(message_id)) {
      this.#session.tell({ letter: { message_id, text, image_url, phase, reply, note, doing } });
    }
  }
}

/** What a message says of the page and of who is signed in. */
function about({ core, who: { user_id, user_hash } }) {
  const more = { lang: core.lang(), page_url: location.href.slice(0, 2000) };
  return user_id ? { ...more, user_id: String(user_id), user_hash } : more;
}
