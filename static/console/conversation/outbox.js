// Messages on their way, by conversation: one after the other, each under its own message_id, so that one that is
// sent again never arrives twice. What was refused stays until it is sent again or discarded.

import { api } from "../lib/api.js";
import { keep, kept } from "../lib/kept.js";

const boxes = new Map();

// No answer, or a server that restarts: the same message will arrive later.
export function isPassing(problem) {
  return [0, 502, 503, 504].includes(problem?.status);
}

export class Outbox extends EventTarget {
  #id;
  #isWorking = false;
  // {message_id, content, file?, image_url?, problem?}; in the order they were written.
  entries = [];

  constructor(id) {
    super();
    this.#id = id;
  }

  // Sends a message of a person: text, an image (File) or both.
  send(content, file = null) {
    this.entries.push({ message_id: newMessageId(), content, file });
    this.#changed();
    this.#work();
  }

  // The same once more.
  again(entry) {
    entry.problem = null;
    this.#changed();
    this.#work();
  }

  discard(entry) {
    this.entries = this.entries.filter((one) => one !== entry);
    this.#changed();
  }

  // Everything that failed because the server could not be reached.
  resend() {
    const lost = this.entries.filter((entry) => isPassing(entry.problem));
    for (const entry of lost) entry.problem = null;
    this.#changed();
    this.#work();
  }

  async #work() {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let entry = this.#next(); entry; entry = this.#next()) await this.#deliver(entry);
    this.#isWorking = false;
  }

  #next() {
    return this.entries.find((entry) => !entry.problem);
  }

  async #deliver(entry) {
    try {
      if (entry.file && !entry.image_url) entry.image_url = await this.#upload(entry.file);
      const { content, message_id, image_url } = entry;
      const { message } = await api.post("operator/message",
        { conversation_id: this.#id, content, message_id, image_url });
      this.entries = this.entries.filter((one) => one !== entry);
      this.dispatchEvent(new CustomEvent("arrived", { detail: message }));
    } catch (problem) {
      entry.problem = problem;
    }
    this.#changed();
  }

  async #upload(file) {
    const form = new FormData();
    form.append("conversation_id", String(this.#id));
    form.append("image", file);
    return (await api.upload("operator/upload-image", form)).url;
  }

  #changed() {
    const texts = [...boxes].flatMap(([id, box]) => box.entries
      // A file cannot be kept; its words can.
      .filter((entry) => entry.content || entry.image_url)
      .map(({ message_id, content, image_url }) => ({ id, message_id, content, image_url })));
    keep("letters", texts);
    this.dispatchEvent(new Event("change"));
  }
}

// The outbox of a conversation; it goes on when another conversation is looked at.
export function outboxOf(id) {
  if (!boxes.has(id)) boxes.set(id, new Outbox(id));
  return boxes.get(id);
}

// What an earlier page of this tab did not get rid of; to be called once, at the start.
export function restoreOutboxes() {
  for (const { id, ...entry } of kept("letters") || []) outboxOf(id).entries.push(entry);
}

// The server can be reached again.
export function resendAll() {
  for (const box of boxes.values()) box.resend();
}

export function newMessageId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `m_${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
