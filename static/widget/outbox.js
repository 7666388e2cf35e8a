// Brings letters to the server exactly once and reads their answers: one message_id from the first try to the last,
// whatever breaks in between. A letter is carried by one tab; when that dies, another one that waits takes over.

import { readEvents } from "./sse.js";
import { hold } from "./turns.js";
import { Refusal } from "./api.js";

const SILENCE_MS = 40_000;
const MAX_WAIT_MS = 60_000;
const MAX_CRASHES = 3;

export class Outbox {
  #state;
  #api;
  #keep;
  #hooks;
  #carried = new Set();
  #line = Promise.resolve();
  #wake = new EventTarget();
  #over = new AbortController();

  /** hooks: changed(letter), missed(), failing(isFailing), extra() -> more fields of the request. */
  constructor(state, api, keep, hooks) {
    this.#state = state;
    this.#api = api;
    this.#keep = keep;
    this.#hooks = hooks;
  }

  /** Whether this tab carries the letter. */
  carries(message_id) {
    return this.#carried.has(message_id);
  }

  /** See that the letter arrives, as soon as nobody else does. */
  carry(letter) {
    const { message_id } = letter;
    letter.announcer ??= new Announcer();
    let resolve;
    const received = new Promise((done) => (resolve = letter.received = done));
    const before = this.#line;
    this.#line = before.then(() => received);
    const work = async () => {
      if (this.#over.signal.aborted || !this.#keep.pending(message_id) || letter.phase === "failed") return;
      this.#carried.add(message_id);
      await before;
      await this.#deliver(letter);
    };
    hold(this.#keep.turn(message_id), this.#over.signal, work)
      .catch(() => {})
      .finally(() => {
        this.#carried.delete(message_id);
        resolve();
      });
  }

  /** Send a failed letter again, under the same id. */
  retry(letter) {
    this.#state.again(letter);
    this.#keep.letter(letter);
    this.carry(letter);
    this.#hooks.changed(letter);
  }

  /** Try again now, without waiting for the next turn. */
  wake() {
    this.#wake.dispatchEvent(new Event("wake"));
  }

  /** Leave everything as it is: the page or the session ends. */
  close() {
    this.#over.abort();
  }

  async #deliver(letter) {
    for (let tries = 0; !this.#over.signal.aborted; tries++) {
      const before = letter.last;
      let waitMs = null;
      try {
        if (await this.#attempt(letter)) return;
      } catch (problem) {
        if (this.#isFinal(letter, problem, tries)) return this.#fail(letter);
        waitMs = problem.retryMs ?? null;
      }
      if (letter.last !== before) tries = 0;
      this.#hooks.failing(true);
      await this.#pause(Math.min(waitMs ?? backoffMs(tries), MAX_WAIT_MS));
    }
  }

  /** One request; whether the letter is over. Throws what went wrong. */
  async #attempt(letter) {
    const watch = new Watch(this.#over.signal, this.#wake);
    try {
      if (letter.phase !== "answering") letter.phase = "sending";
      const { message_id, text, image_url } = letter;
      const body = { message: text, message_id, ...this.#hooks.extra() };
      if (image_url) body.image_url = image_url;
      const answer = await this.#api.stream(body, letter.last, watch.signal);
      this.#opened(letter);
      if (answer.status === 204) return this.#finish(letter);
      return await this.#listen(letter, answer, watch);
    } finally {
      watch.end();
    }
  }

  #opened(letter) {
    letter.phase = "answering";
    letter.note = null;
    letter.received?.();
    this.#hooks.failing(false);
    this.#hooks.changed(letter);
  }

  async #listen(letter, answer, watch) {
    for await (const { event, id } of readEvents(answer.body, () => watch.heard())) {
      const reason = this.#state.hear(letter, event);
      if (id) letter.last = id;
      // Without an id the server only ends; the answer goes on elsewhere.
      if (reason === "error" && !id) letter.phase = "answering";
      else if (reason === "error") return this.#fail(letter);
      else if (reason) return this.#finish(letter, reason);
      this.#hooks.changed(letter);
    }
    return false;
  }

  #finish(letter, reason) {
    this.#keep.drop(letter.message_id);
    letter.phase = "answered";
    this.#hooks.changed(letter, reason ?? "stop");
    // Live push brings the stored messages; where it is slow, the history does.
    if (this.#state.letters.has(letter.message_id)) this.#hooks.missed(letter);
    return true;
  }

  #fail(letter) {
    letter.phase = "failed";
    this.#keep.letter(letter);
    this.#hooks.changed(letter, "error");
    return true;
  }

  #isFinal(letter, problem, tries) {
    if (!(problem instanceof Refusal)) return false;
    letter.note = { code: problem.code, text: problem.message };
    this.#hooks.changed(letter);
    if (problem.status === 429) return problem.code === "budget_exhausted";
    return problem.status < 500 || (problem.status === 500 && tries >= MAX_CRASHES);
  }

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#wake.addEventListener("wake", wake, { once: true });
      this.#over.signal.addEventListener("abort", wake, { once: true });
    });
  }
}

/** Ends a request that has gone silent: comments come every 15 s, so that silence means a dead connection. */
class Watch {
  #abort = new AbortController();
  #timer = 0;
  #heardAt = 0;

  constructor(over, wake) {
    this.end = () => {
      clearTimeout(this.#timer);
      over.removeEventListener("abort", this.cut);
      wake.removeEventListener("wake", this.check);
    };
    this.cut = () => this.#abort.abort();
    // After a change of network an old connection may hang without ever failing.
    this.check = () => performance.now() - this.#heardAt > 3_000 && this.cut();
    over.addEventListener("abort", this.cut);
    wake.addEventListener("wake", this.check);
    this.heard();
  }

  get signal() {
    return this.#abort.signal;
  }

  heard() {
    this.#heardAt = performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.cut, SILENCE_MS);
  }
}

/** Cuts a growing answer into what a screen reader is told: whole sentences, and the rest at the end. */
export class Announcer {
  #told = 0;

  /** What of `text` is to be said now, or "". */
  next(text, isOver) {
    if (text.length < this.#told) this.#told = 0;
    const rest = text.slice(this.#told);
    const part = isOver ? rest : rest.slice(0, lastBoundary(rest));
    this.#told += part.length;
    return part.replace(/[*_`#|]+/g, " ").replace(/\s+/g, " ").trim();
  }
}

function lastBoundary(text) {
  let end = 0;
  for (const found of text.matchAll(/[.!?…](?=\s)|[。！？]|\n/g)) end = found.index + found[0].length;
  return end;
}

/** Milliseconds until the next try: doubling from half a second to 15 s, half of it by chance. */
export function backoffMs(tries, chance = Math.random()) {
  const full = Math.min(15_000, 500 * 2 ** Math.min(tries, 10));
  return full / 2 + (full / 2) * chance;
}
