// Live push: one tab of a session listens and tells the others. EventSource, or polling where that does not get
// through. A tab that stops listening gives the lock away, and the next one goes on from its own cursor.

import { parseObject } from "./api.js";
import { hold } from "./keep.js";

const FIRST_EVENT_MS = 10_000;
const POLL_MS = 4_000;
const HIDDEN_FACTOR = 5;
const POLLS_BEFORE_RETRY = 15;

export class Live {
  #api;
  #cursor;
  #hear;
  #wanted = null;
  #source = null;
  #timer = 0;

  /** cursor(): where to go on; hear(event): an event of chat/events, or {type: "poll", ...} with a polled answer. */
  constructor(api, cursor, hear) {
    this.#api = api;
    this.#cursor = cursor;
    this.#hear = hear;
  }

  /** Whether this tab is the one that listens. */
  get isLeading() {
    return this.#source !== null || this.#timer !== 0;
  }

  /** Listen, or stop listening. */
  want(isWanted) {
    if (isWanted === (this.#wanted !== null)) return;
    if (!isWanted) return this.#leave();
    const wanted = (this.#wanted = new AbortController());
    const lead = () => this.#lead(wanted.signal);
    hold(`live:${this.#api.scope.session_id}`, wanted.signal, lead).catch(() => {});
  }

  #leave() {
    this.#wanted.abort();
    this.#wanted = null;
    this.#stop();
  }

  #lead(signal) {
    if (signal.aborted) return null;
    this.#connect();
    return new Promise((resolve) => signal.addEventListener("abort", resolve));
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
    try {
      this.#hear({ ...(await this.#api.get("chat/operator-messages", { since: this.#cursor() })), type: "poll" });
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
