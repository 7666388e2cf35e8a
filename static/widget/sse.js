// Reads server-sent events from bytes, however they were cut; knows nothing of what they mean.

import { parseObject } from "./api.js";

/** Turns pieces of a stream into events: `feed(bytes)` gives [{data, id}] of what became complete. */
export class EventParser {
  #decoder = new TextDecoder();
  #rest = "";
  #data = null;
  #id = null;

  /** @param {Uint8Array} bytes */
  *feed(bytes) {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    for (let line = this.#line(); line !== null; line = this.#line()) {
      if (line) this.#field(line);
      else if (this.#data !== null) yield this.#take();
      else this.#id = null;
    }
  }

  #line() {
    const end = this.#rest.search(/[\r\n]/);
    // A CR at the very end may be the first half of CRLF.
    if (end < 0 || (this.#rest[end] === "\r" && end + 1 === this.#rest.length)) return null;
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + (this.#rest.startsWith("\r\n", end) ? 2 : 1));
    return line;
  }

  #field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    if (name === "id") this.#id = value;
  }

  #take() {
    const event = { data: this.#data, id: this.#id };
    this.#data = this.#id = null;
    return event;
  }
}

/**
 * The JSON events of a response body, each as {event, id}; what is no JSON is skipped. `heard` is called for every
 * piece, comments too. A broken connection throws what reading threw.
 */
export async function* readEvents(body, heard = () => {}) {
  const reader = body.getReader();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      for (const { data, id } of parser.feed(value)) {
        const event = parseObject(data);
        if (event) yield { event, id };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
