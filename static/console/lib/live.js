// The operators' live stream: one EventSource for the whole console, and the heartbeat that says "I am here".
//
// Events: every type of the stream by its name, `connected` when the stream is ready and after each `reset` (read
// your snapshot then), `offline` and `online` when the line breaks and comes back.

import { api } from "./api.js";

const HEARTBEAT_MS = 30_000;
// A timer that comes so late means that the machine slept: the line may be dead without anybody knowing.
const SLEPT_MS = 75_000;
const AGAIN_MS = 2_000;
const TYPES = ["conversation", "message", "note", "typing", "presence"];

export class Live extends EventTarget {
  #source = null;
  #timer = 0;
  #beatAt = 0;
  #siteIds = [];
  isOnline = false;

  // siteIds: the sites this operator answers for.
  start(siteIds) {
    this.#siteIds = siteIds;
    this.#connect();
    this.#beat();
    setInterval(() => this.#beat(), HEARTBEAT_MS);
    // Do not wait for the browser's own back-off when the network is back, nor for its patience when it is gone.
    addEventListener("online", () => this.#connect());
    addEventListener("offline", () => this.#lost());
    // A page that the browser had frozen and shows again.
    addEventListener("pageshow", (event) => event.persisted && this.#connect());
    addEventListener("pagehide", () => this.#source?.close());
  }

  // After a site was added or removed.
  answerFor(siteIds) {
    this.#siteIds = siteIds;
    this.#connect();
    this.#beat();
  }

  on(type, listener, signal) {
    this.addEventListener(type, (event) => listener(event.detail), { signal });
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource("/api/v1/operator/stream");
    this.#source = source;
    source.onmessage = (message) => this.#hear(JSON.parse(message.data));
    source.onerror = () => source === this.#source && this.#broken();
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

  #broken() {
    this.#lost();
    if (this.#source.readyState !== EventSource.CLOSED) return;
    // The server refused (signed out, restarting); the browser does not come back by itself then. The question tells
    // whether this session has ended: it leads to the login.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await api.get("auth/me").catch(() => {});
      this.#connect();
    }, AGAIN_MS * (1 + Math.random()));
  }

  #lost() {
    if (!this.isOnline) return;
    this.isOnline = false;
    this.#tell("offline");
  }

  #beat() {
    const now = Date.now();
    if (this.#beatAt && now - this.#beatAt > SLEPT_MS) this.#connect();
    this.#beatAt = now;
    if (this.#siteIds.length) api.post("operator/heartbeat", { site_ids: this.#siteIds }).catch(() => {});
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
