// What one visitor's conversation looks like, without DOM and network: stored messages by id, and letters on their way.
//
// A letter is a message of this visitor that is not over: {message_id, text, image_url, phase, reply, note}.
// phase: waiting, sending, answering, answered (its reply is stored, but has not been seen yet), failed.

const STORED = "id role content image_url created_at status sources operator reply_to message_id";

export class State {
  mode = "ai";
  operator = null;
  blocked = null;
  isWaiting = false;
  conversation = null;
  cursor = 0;
  first = 0;
  hasMore = false;
  read = 0;
  messages = new Map();
  letters = new Map();
  #keys = new Map();

  /** Take in a page of the history. */
  addPage({ messages, has_more, mode, conversation_id, cursor }, isOlder = false) {
    const oldest = messages[0]?.id ?? 0;
    // A page that does not reach what is known would leave a hole: begin anew with it.
    if (!isOlder && oldest > this.cursor + 1) this.#forget();
    const isEarliest = !this.first || (oldest && oldest < this.first);
    for (const message of messages) this.add(message);
    if (isEarliest) this.hasMore = has_more;
    if (isOlder) return;
    this.mode = mode;
    this.conversation = conversation_id;
    this.cursor = Math.max(this.cursor, cursor);
  }

  /** Take in one stored message; whether it was new. */
  add(message) {
    const isNew = !this.messages.has(message.id);
    if (!isNew) return false;
    const kept = {};
    for (const name of STORED.split(" ")) kept[name] = message[name] ?? null;
    this.messages.set(message.id, kept);
    this.first = this.first ? Math.min(this.first, message.id) : message.id;
    this.cursor = Math.max(this.cursor, message.id);
    this.#settle(kept);
    return true;
  }

  /** Whether `id` is the next one: ids have no gaps, so another one tells that something was missed. */
  isNext(id) {
    return id <= this.cursor + 1;
  }

  /** A letter by its message_id, made when it is new. */
  letter(message_id, values = {}) {
    const known = this.letters.get(message_id);
    if (known) return Object.assign(known, values);
    const letter = { message_id, text: "", image_url: null, phase: "waiting", reply: "", note: null, ...values };
    this.letters.set(message_id, letter);
    for (const message of this.messages.values()) this.#settle(message);
    return letter;
  }

  /** One event of a letter's stream; the `finish_reason` when it was the last. */
  hear(letter, event) {
    if (event.type === "chunk") letter.reply += event.content;
    if (event.type === "reset") letter.reply = "";
    if (event.type === "chunk" || event.type === "reset") letter.doing = letter.isCut = null;
    if (event.type === "status") letter.doing = event.text;
    if (event.type === "mode") this.mode = event.mode;
    if (event.type === "error") letter.note = { code: event.code, text: event.error };
    return event.type === "done" ? this.#done(letter, event.meta) : null;
  }

  /** The letter is to be sent once more; what its earlier tries left behind is not its answer. */
  again(letter) {
    Object.assign(letter, { phase: "waiting", reply: "", note: null, last: null, isCut: null, from: this.cursor });
  }

  /** The letter is over and needs no more care. */
  drop(message_id) {
    this.letters.delete(message_id);
  }

  /** Whether something is being answered. */
  get answering() {
    for (const letter of this.letters.values()) {
      if (letter.phase === "answering" || letter.phase === "sending") return letter;
    }
    return null;
  }

  /** How many messages of others lie behind what was read. */
  get unread() {
    let count = 0;
    for (const [id, { role }] of this.messages) {
      if (id > this.read && role !== "visitor" && role !== "system") count++;
    }
    return count;
  }

  /** What to show, in order: {key, role, text, message?, letter?}. A key stays when a letter becomes a message. */
  *rows() {
    for (let id = this.first; id <= this.cursor; id++) {
      const message = this.messages.get(id);
      if (message) yield { key: this.#keys.get(id) ?? `m${id}`, role: message.role, text: message.content, message };
    }
    for (const letter of this.letters.values()) yield* this.#letterRows(letter);
  }

  *#letterRows(letter) {
    const { message_id, text, reply, phase, stored } = letter;
    if (!stored) yield { key: `v:${message_id}`, role: "visitor", text, letter };
    const isTalking = phase === "answering" && this.mode === "ai";
    if (isTalking || (letter.note && stored) || (reply && !letter.isCut)) {
      yield { key: replyKey(letter), role: "assistant", text: letter.isCut ? "" : reply, letter };
    }
  }

  #done(letter, meta) {
    letter.phase = meta.finish_reason === "error" ? "failed" : "answered";
    letter.reply_id = meta.reply_id;
    letter.doing = null;
    this.mode = meta.mode;
    this.conversation = meta.conversation_id;
    for (const message of this.messages.values()) this.#settle(message);
    return meta.finish_reason;
  }

  /** A stored message takes the place of what was shown of its letter. */
  #settle(message) {
    for (const letter of this.letters.values()) {
      if (message.role === "visitor" && message.message_id === letter.message_id) {
        letter.stored = message.id;
        this.#keys.set(message.id, `v:${letter.message_id}`);
      }
      if (letter.stored && message.reply_to === letter.stored && message.id > (letter.from ?? 0)) {
        this.#keys.set(message.id, replyKey(letter));
        // What broke off is kept by the server as well; whether the letter is over, only its stream tells. Its next
        // answer is another one.
        if (message.status === "interrupted") Object.assign(letter, { isCut: true, from: message.id });
        else this.drop(letter.message_id);
      }
      const isSeen = letter.stored && (!letter.reply_id || this.messages.has(letter.reply_id));
      if (isSeen && letter.phase === "answered") this.drop(letter.message_id);
    }
  }

  #forget() {
    this.messages.clear();
    this.first = this.cursor = 0;
  }
}

// A second try has an answer of its own beside what the first one left.
function replyKey({ message_id, from }) {
  return from ? `r:${message_id}:${from}` : `r:${message_id}`;
}
