// Live push: one tab of a session listens and tells the others. EventSource, or polling where that does not get
// through. A tab that stops listening gives the lock away, and the next one goes on from its own cursor.

import { parseObject } from "./api.js";
import { hold } from "./turns.js";

const FIRST_EVENT_MS = 10_000;
const POLL_MS = 4_000;
const HIDDEN_FACTOR = 5;
const POLLS_BEFORE_RETRY = 15;
const POLLS_PER_BLOCK = 3;

export class Live {
  #api;
  #turn;
  #cursor;
  #hear;
  #wanted = null;
  #source = null;
  #timer = 0;

  /** turn: what only one tab has; cursor(): where to go on; hear(event): an event of chat/events, or {type: "poll", ...} with a polled answer. */
  constructor(api, turn, cursor, hear) {
    this.#api = api;
    this.#turn = turn;
    this.#cursor = cursor;
    this.#hear = hear;
  }

  /** Whether this tab is the one that listens. */
  get isLeading() {
    return this.#source !== null || this.#timer !== 0;
  }

  /** Whether this tab waits for another one that listens. */
  get isFollowing() {
    return this.#wanted !== null && !this.isLeading;
  }

  /** Listen, or stop listening. */
  want(isWanted) {
    if (isWanted === (this.#wanted !== null)) return;
    if (!isWanted) return this.#leave();
    const wanted = (this.#wanted = new AbortController());
    hold(this.#turn, wanted.signal, (signal) => this.#lead(signal)).catch(() => {});
  }

  /** The network changed: the old connection may hang without ever failing. */
  renew() {
    if (this.isLeading) this.#connect();
  }

  #leave() {
    this.#wanted.abort();
    this.#wanted = null;
  }

  #lead(signal) {
    if (signal.aborted) return null;
    this.#connect();
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(this.#stop()));
    });
  }

  #connect() {
    this.#stop();
    const source = new EventSource(this.#api.url("chat/events", { since: this.#cursor() }));
    this.#source = source;
    const giveUp = () => this.#source === source && this.#poll(POLLS_BEFORE_RETRY);
    this.#timer = setTimeout(giveUp, FIRST_EVENT_MS);
    source.onmessage = ({ data }) => {
      clearTimeout(this.#timer);
      const event = parseObject(data);
      if (event) this.#hear(event);
    };
    // While it is CONNECTING the browser tries again by itself; CLOSED means that it was refused.
    source.onerror = () => source.readyState === EventSource.CLOSED && giveUp();
  }

  async #poll(left) {
    this.#stop();
    const slower = document.hidden ? HIDDEN_FACTOR : 1;
    this.#timer = setTimeout(() => (left > 0 ? this.#poll(left - 1) : this.#connect()), jitter(POLL_MS * slower));
    const turn = this.#timer;
    // What comes when the turn is over is of a session that may be forgotten.
    const hear = (event) => this.#timer === turn && this.#hear(event);
    try {
      hear({ ...(await this.#api.get("chat/operator-messages", { since: this.#cursor() })), type: "poll" });
      if (left % POLLS_PER_BLOCK === 0) hear({ ...(await this.#api.get("chat/block-status")), type: "blocked" });
    } catch {
      // The next turn tries again.
    }
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#source?.close();
    this.#source = null;
  }
}

function jitter(ms) {
  return ms * (0.75 + Math.random() / 2);
}
