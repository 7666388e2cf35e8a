// What this browser remembers of one site: the session, what was read, letters that are not over. In localStorage,
// or for this page only where that is refused. Nothing is written before `begin`.

export class Keep {
  #name;
  #values;
  #fallback = new Map();

  /** @param {string} siteKey */
  constructor(siteKey) {
    this.#name = `vexar:${siteKey}`;
    this.#values = this.#load(this.#name) ?? {};
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

  get(name) {
    return this.#values[name] ?? null;
  }

  set(name, value) {
    // Another tab may have written meanwhile.
    this.#values = { ...this.#values, ...this.#load(this.#name), [name]: value };
    this.#save(this.#name, this.#values);
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
    for (const name of this.#names()) if (name.startsWith(this.#name)) this.#remove(name);
    this.#values = {};
  }

  #letterName(message_id) {
    return `${this.#name}:letter:${message_id}`;
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
      return JSON.parse(localStorage.getItem(name) ?? this.#fallback.get(name) ?? "null");
    } catch {
      return JSON.parse(this.#fallback.get(name) ?? "null");
    }
  }

  #save(name, value) {
    const text = JSON.stringify(value);
    try {
      localStorage.setItem(name, text);
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
  let id = `w${Date.now().toString(36)}`;
  for (const byte of crypto.getRandomValues(new Uint8Array(8))) id += byte.toString(16).padStart(2, "0");
  return id;
}

/** Do `work` while no other tab does it; where the browser has no locks, at once: the server knows the id. */
export function hold(name, signal, work) {
  return navigator.locks ? navigator.locks.request(`vexar:${name}`, { signal }, work) : work();
}
