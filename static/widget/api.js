// The public endpoints, as one visitor of one site calls them.

const TIMEOUT_MS = 20_000;
const SCHEMES = /^(https?|mailto|tel):$/;

/** What the server refused: `code`, the sentence as message, `retryMs` when it says how long to wait. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body?.error ?? `HTTP ${status}`);
    this.status = status;
    this.code = body?.code ?? "internal";
    this.errors = body?.errors;
    this.retryMs = body?.retry_after ? body.retry_after * 1000 : null;
  }
}

export class Api {
  constructor(base, siteKey, session) {
    this.base = `${base}api/v1/`;
    this.scope = { site_key: siteKey, session_id: session };
  }

  /** The address of a GET. */
  url(path, query = {}) {
    return `${this.base}${path}?${new URLSearchParams({ ...this.scope, ...query })}`;
  }

  /** Raises Refusal, or TypeError without a network. */
  async get(path, query) {
    return answerOf(await fetch(this.url(path, query), { signal: AbortSignal.timeout(TIMEOUT_MS) }));
  }

  async post(path, body = {}) {
    return answerOf(await fetch(this.base + path, { ...this.#json(body), signal: AbortSignal.timeout(TIMEOUT_MS) }));
  }

  async upload(blob, name) {
    const body = new FormData();
    for (const field of Object.keys(this.scope)) body.set(field, this.scope[field]);
    body.set("image", blob, name);
    return answerOf(await fetch(`${this.base}chat/upload-image`, { method: "POST", body }));
  }

  /** Send a message; the response is not read yet. `last`: the id of the last event that came. */
  async stream(body, last, signal) {
    const options = this.#json(body);
    options.headers.Accept = "text/event-stream";
    if (last) options.headers["Last-Event-ID"] = last;
    const answer = await fetch(`${this.base}chat/stream`, { ...options, signal });
    return answer.ok ? answer : answerOf(answer);
  }

  #json(body) {
    const headers = { "Content-Type": "application/json" };
    return { method: "POST", headers, body: JSON.stringify({ ...this.scope, ...body }) };
  }
}

async function answerOf(answer) {
  const body = await answer.json().catch(() => null);
  if (!answer.ok || !body?.success) throw new Refusal(answer.status, body);
  return body;
}

/** The address of a link when it may be followed, else null. `base`: what an address without a host belongs to. */
export function safeUrl(url, base) {
  try {
    const parsed = new URL(url, base);
    return SCHEMES.test(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** The object a JSON text holds, or null. */
export function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}
