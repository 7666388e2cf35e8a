// What comes in from elsewhere: what the server pushes, and what the session's other tabs tell.

import { Live } from "./live.js";

const TYPED_MS = 6_000;

export class News {
  #session;
  #live;

  constructor(session) {
    const { api, keep, state } = session;
    this.#session = session;
    this.#live = new Live(api, keep.turn("live"), () => state.cursor, (event) => {
      session.tell({ event });
      this.#hear(event);
    });
  }

  /** Whether another tab listens for this one, too. */
  get isFollowing() {
    return this.#live.isFollowing;
  }

  /** Listen to the server, or stop. */
  want(isWanted) {
    this.#live.want(isWanted);
  }

  /** The network is another one. */
  renew() {
    this.#live.renew();
  }

  /** What another tab told. */
  overhear({ event, letter, over, read, isNew }) {
    const session = this.#session;
    if (event) this.#hear(event);
    if (letter) session.mail().then((letters) => letters.adopt(letter)).catch(() => {});
    if (over) session.mail().then((letters) => letters.settle(over)).catch(() => {});
    if (read) session.markRead(read);
    if (isNew && this.#live.isLeading) this.#introduce();
  }

  /** What only the tab that listens was told, for one that came later. */
  #introduce() {
    const { state } = this.#session;
    const { mode, operator, blocked } = state;
    this.#session.tell({ event: { type: "mode", mode, operator } });
    if (blocked) this.#session.tell({ event: { ...blocked, type: "blocked", blocked: true } });
  }

  #hear(event) {
    const session = this.#session;
    if (event.type === "message") this.#message(event.message);
    else if (event.type === "mode") session.mode(event.mode, event.operator);
    else if (event.type === "typing") this.#typing(event.on);
    else if (event.type === "blocked") session.state.blocked = event.blocked ? event : null;
    else if (event.type === "closed") session.closed();
    else if (event.type === "reset") session.refresh();
    else if (event.type === "poll") this.#polled(event);
    session.setFailing(false);
    session.panel.render();
  }

  #message(message) {
    const session = this.#session;
    // Numbers have no gaps: one that is not the next tells that something was missed.
    if (!session.state.isNext(message.id)) return session.refresh();
    if (session.state.add(message)) session.panel.arrived(message);
    return session.seen();
  }

  #typing(isOn) {
    const { panel, later } = this.#session;
    panel.showTyping(isOn);
    // The event that says it ended may be lost.
    if (isOn) later.do("typing", TYPED_MS, () => panel.showTyping(false));
  }

  #polled({ messages, mode, cursor, typing }) {
    const session = this.#session;
    session.mode(mode, null);
    this.#typing(typing);
    for (const message of messages) if (session.state.isNext(message.id)) this.#message(message);
    if (cursor > session.state.cursor) session.refresh();
  }
}
