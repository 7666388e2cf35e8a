// What this browser remembers of one site: the session, what was read, letters that are not over. In localStorage,
// or for this page only where that is refused. Nothing is written before `begin`.

export class Keep {
  #fallback = new Map();

  /** @param {string} siteKey */
  constructor(siteKey) {
    this.name = `vexar:${siteKey}`;
  }

  /** The visitor's secret of 128 random bits, made on the first call. */
  begin() {
    if (!this.get("session")) {
      let session = "s_";
      for (const byte of crypto.getRandomValues(new Uint8Array(16))) session += byte.toString(16).padStart(2, "0");
      this.set("session", session);
    }
    return this.get("session");
  }

  /** Always what is stored at the moment: another tab may have changed or forgotten it. */
  get(name) {
    return this.#load(this.name)?.[name] ?? null;
  }

  set(name, value) {
    this.#save(this.name, { ...this.#load(this.name), [name]: value });
  }

  /** What only this tab goes on with on its next page: {open, draft}. */
  get page() {
    try {
      return JSON.parse(sessionStorage.getItem(this.name)) ?? {};
    } catch {
      return {};
    }
  }

  set page(values) {
    try {
      if (values) sessionStorage.setItem(this.name, JSON.stringify(values));
      else sessionStorage.removeItem(this.name);
    } catch {
      // Refused: the chat just does not open by itself on the next page.
    }
  }

  /** The name of something that only one tab of this session does at a time. */
  turn(name) {
    return `${this.name}:turn:${this.begin()}:${name}`;
  }

  /** Remember a letter until `drop`. */
  letter(letter) {
    const { message_id, text, image_url, phase } = letter;
    this.#save(this.#letterName(message_id), { message_id, text, image_url, hasFailed: phase === "failed" });
  }

  /** The remembered letter, or null when it is over. */
  pending(message_id) {
    return this.#load(this.#letterName(message_id));
  }

  drop(message_id) {
    this.#remove(this.#letterName(message_id));
  }

  /** All remembered letters, oldest first. */
  *letters() {
    const names = new Set();
    for (const name of this.#names()) if (name.startsWith(this.#letterName(""))) names.add(name);
    // Their ids begin with the time they were made.
    while (names.size) {
      let first = null;
      for (const name of names) first = first === null || name < first ? name : first;
      names.delete(first);
      const letter = this.#load(first);
      if (letter) yield letter;
    }
  }

  /** Forget everything. */
  forget() {
    this.page = null;
    for (const name of this.#names()) if (`${name}:`.startsWith(`${this.name}:`)) this.#remove(name);
  }

  #letterName(message_id) {
    return `${this.name}:letter:${message_id}`;
  }

  #names() {
    const names = new Set(this.#fallback.keys());
    try {
      for (let at = 0; at < localStorage.length; at++) names.add(localStorage.key(at));
    } catch {
      return names;
    }
    return names;
  }

  #load(name) {
    try {
      return JSON.parse(this.#fallback.get(name) ?? localStorage.getItem(name));
    } catch {
      return null;
    }
  }

  #save(name, value) {
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(name, text);
      this.#fallback.delete(name);
    } catch {
      this.#fallback.set(name, text);
    }
  }

  #remove(name) {
    this.#fallback.delete(name);
    try {
      localStorage.removeItem(name);
    } catch {
      // Refused as a whole: the fallback was all there was.
    }
  }
}

/** A new message id; later ones sort behind earlier ones. */
export function newMessageId() {
  // Not Date.now: a clock that is put back must not put a letter in front of earlier ones.
  let id = `w${Math.floor(performance.timeOrigin + performance.now()).toString(36)}`;
  for (const byte of crypto.getRandomValues(new Uint8Array(8))) id += byte.toString(16).padStart(2, "0");
  return id;
}
