// The open conversations as the operator has them on the screen: a snapshot, kept true by the live stream.

import { api } from "./api.js";

// A thousand open conversations; nobody looks through more.
const MAX_PAGES = 10;
const AGAIN_MS = 3_000;

export class Conversations extends EventTarget {
  rows = new Map();
  // Whether a snapshot was read yet: before, an empty list says nothing.
  isRead = false;
  #typing = new Map();
  #closed = new Set();
  #turn = 0;

  constructor(live) {
    super();
    live.on("connected", () => this.read());
    live.on("conversation", ({ conversation }) => this.#take(conversation));
    live.on("typing", (event) => this.#types(event));
  }

  // Reads the snapshot. What the stream said meanwhile is newer than the answer and wins.
  async read() {
    const turn = ++this.#turn;
    const before = new Map(this.rows);
    this.#closed.clear();
    const data = await readOpen().catch(() => null);
    if (turn !== this.#turn) return;
    if (!data) {
      setTimeout(() => turn === this.#turn && this.read(), AGAIN_MS);
      return;
    }
    const fresh = new Map(data.map((row) => [row.id, row]));
    for (const [id, row] of this.rows) {
      if (row !== before.get(id)) fresh.set(id, row);
    }
    for (const id of this.#closed) fresh.delete(id);
    this.rows = fresh;
    this.isRead = true;
    this.#tell();
  }

  // Waiting first, who waits longest on top; then those with something unread; then the newest.
  sorted(keep = () => true) {
    return [...this.rows.values()].filter(keep).sort(compare);
  }

  isTyping(id) {
    return this.#typing.has(id);
  }

  // Forgets the unread count at once; the server hears of it by `operator/read`.
  markRead(id) {
    const row = this.rows.get(id);
    if (row?.unread_count) this.#take({ ...row, unread_count: 0 });
  }

  #take(row) {
    const before = this.rows.get(row.id)?.operator;
    if (before && row.operator && before.id !== row.operator.id) {
      this.dispatchEvent(new CustomEvent("transferred", { detail: { row, from: before } }));
    }
    if (row.status === "closed") {
      this.rows.delete(row.id);
      this.#closed.add(row.id);
    } else this.rows.set(row.id, row);
    this.#tell(row);
  }

  #types({ who, conversation_id: id, on }) {
    if (who !== "visitor") return;
    clearTimeout(this.#typing.get(id));
    this.#typing.delete(id);
    // The `off` of a visitor who lost the line never comes.
    if (on) this.#typing.set(id, setTimeout(() => this.#types({ who, conversation_id: id, on: false }), 7_000));
    this.dispatchEvent(new CustomEvent("typing", { detail: { id, on } }));
  }

  #tell(row = null) {
    this.dispatchEvent(new CustomEvent("change", { detail: row }));
  }
}

// Every open conversation of the operator's sites; who may only read has the list instead of the desk.
async function readOpen() {
  const found = [];
  for (let page = 1, pages = 1; page <= Math.min(pages, MAX_PAGES); page += 1) {
    const query = { filter: "open", page, per_page: 100 };
    const answer = await api.get("conversations", query);
    found.push(...answer.data);
    pages = answer.pagination.pages;
  }
  return found;
}

// What the AI answers is news to nobody; what waits for a person is.
export function isUnread(row) {
  return row.unread_count > 0 && row.status !== "ai";
}

function compare(one, other) {
  if (one.is_waiting !== other.is_waiting) return one.is_waiting ? -1 : 1;
  if (one.is_waiting) return (one.waiting_since || "").localeCompare(other.waiting_since || "");
  if (isUnread(one) !== isUnread(other)) return isUnread(one) ? -1 : 1;
  return other.changed_at.localeCompare(one.changed_at);
}
