// Telling an operator who looks elsewhere: the count in the tab's title, and, where they are wanted, the browser's
// notifications and a short sound.

import { openDialog, toast } from "./dialog.js";
import { h } from "./dom.js";
import { checkbox } from "./form.js";

const ALLOWED_KEY = "vexar-console-notify";
const SOUND_KEY = "vexar-console-sound";
const NOTES_HZ = [660, 880];

export class Notifier {
  #title = "";
  #count = 0;
  #app;
  #audio = null;

  constructor(app) {
    this.#app = app;
  }

  // The title of the page, without the count.
  title(text) {
    this.#title = text;
    this.#draw();
  }

  // How many conversations want a person.
  count(number) {
    this.#count = number;
    this.#draw();
  }

  get isAllowed() {
    return "Notification" in window && Notification.permission === "granted"
      && localStorage.getItem(ALLOWED_KEY) !== "off";
  }

  get hasSound() {
    return localStorage.getItem(SOUND_KEY) === "on";
  }

  // Asks the browser; whether notifications will come.
  async allow(isWanted) {
    localStorage.setItem(ALLOWED_KEY, isWanted ? "on" : "off");
    if (isWanted && "Notification" in window
      && Notification.permission === "default") await Notification.requestPermission();
    return this.isAllowed;
  }

  // Whether a sound is made; played once, so that one knows it and the browser allows it from then on.
  allowSound(isWanted) {
    localStorage.setItem(SOUND_KEY, isWanted ? "on" : "off");
    if (isWanted) this.#play();
  }

  // One notification for a conversation; a newer one replaces it. Nothing while the console is being looked at.
  tell(title, body, path) {
    if (document.visibilityState === "visible" && document.hasFocus()) return;
    if (this.hasSound) this.#play();
    if (!this.isAllowed) return;
    const note = new Notification(title, { body, tag: path });
    note.onclick = () => {
      window.focus();
      this.#app.go(path);
      note.close();
    };
  }

  #play() {
    this.#audio ||= new AudioContext();
    const start = this.#audio.currentTime;
    NOTES_HZ.forEach((pitch, place) => {
      const tone = this.#audio.createOscillator();
      const volume = this.#audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.15, start + place * 0.12);
      volume.gain.exponentialRampToValueAtTime(0.001, start + place * 0.12 + 0.3);
      tone.connect(volume).connect(this.#audio.destination);
      tone.start(start + place * 0.12);
      tone.stop(start + place * 0.12 + 0.3);
    });
  }

  // Nothing else says that a colleague counts on this operator from now on.
  transferred({ row, from }) {
    if (row.operator.id !== this.#app.user.id) return;
    toast(`${from.name} passed ${row.visitor_name} on to you.`);
    this.tell(`${row.visitor_name} is yours now`, row.last_message, `inbox/${row.id}`);
  }

  #draw() {
    document.title = (this.#count ? `(${this.#count}) ` : "") + this.#title;
  }
}

// What shall happen when a visitor waits and nobody looks.
export function alertsDialog(notifier) {
  const note = checkbox("Notify me on this device", "notify", notifier.isAllowed,
    "While the console is open in a tab.");
  const sound = checkbox("Play a sound", "sound", notifier.hasSound);
  note.querySelector("input").addEventListener("change", async ({ target }) => {
    const isWanted = target.checked;
    target.checked = await notifier.allow(isWanted);
    if (isWanted && !target.checked) toast("The browser does not allow it; change that beside the page's address.",
      "bad");
  });
  sound.querySelector("input").addEventListener("change", ({ target }) => notifier.allowSound(target.checked));
  openDialog("Alerts", h("div", { class: "form" },
    h("p", { class: "soft" }, "When somebody waits for a person, or writes to you while you look elsewhere."), note,
      sound));
}
