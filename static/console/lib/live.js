// The operators' live stream: one EventSource for the whole console, and the heartbeat that says "I am here".
//
// Events: every type of the stream by its name, `connected` when the stream is ready and after each `reset` (read
// your snapshot then), `offline` and `online` when the line breaks and comes back.

import { api } from "./api.js";

const HEARTBEAT_MS = 30_000;
const TYPES = ["conversation", "message", "note", "typing", "presence"];

export class Live extends EventTarget {
  #source = null;
  #heartbeat = 0;
  #siteIds = [];
  isOnline = false;

  // siteIds: the sites this operator answers for.
  start(siteIds) {
    this.#siteIds = siteIds;
    this.#connect();
    this.#beat();
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
    // A laptop that wakes up, or a network that is back: do not wait for the browser's own back-off.
    addEventListener("online", () => this.#connect());
  }

  stop() {
    clearInterval(this.#heartbeat);
    this.#source?.close();
  }

  on(type, listener, signal) {
    this.addEventListener(type, (event) => listener(event.detail), { signal });
  }

  #connect() {
    this.#source?.close();
    this.#source = new EventSource("/api/v1/operator/stream");
    this.#source.onmessage = (message) => this.#hear(JSON.parse(message.data));
    this.#source.onerror = () => this.#lost();
  }

  #hear(event) {
    if (event.type === "ready" || event.type === "reset") this.#connected();
    else if (TYPES.includes(event.type)) this.#tell(event.type, event);
  }

  #connected() {
    if (!this.isOnline) {
      this.isOnline = true;
      this.#tell("online");
    }
    this.#tell("connected");
  }

  #lost() {
    if (this.isOnline) {
      this.isOnline = false;
      this.#tell("offline");
    }
    // CLOSED: the server refused (signed out, restarting); the browser does not come back by itself then.
    if (this.#source.readyState === EventSource.CLOSED) setTimeout(() => this.#connect(), 2_000 + Math.random() * 3_000);
  }

  #beat() {
    if (this.#siteIds.length) api.post("operator/heartbeat", { site_ids: this.#siteIds }).catch(() => {});
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
