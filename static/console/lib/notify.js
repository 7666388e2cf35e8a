// Telling an operator who looks elsewhere: the count in the tab's title, and notifications where they are allowed.

const ALLOWED_KEY = "vexar-console-notify";

export class Notifier {
  #title = "";
  #count = 0;
  #app;

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
    return "Notification" in window && Notification.permission === "granted" && localStorage.getItem(ALLOWED_KEY) !== "off";
  }

  // Asks the browser; whether notifications will come.
  async allow(isWanted) {
    localStorage.setItem(ALLOWED_KEY, isWanted ? "on" : "off");
    if (isWanted && "Notification" in window && Notification.permission === "default") await Notification.requestPermission();
    return this.isAllowed;
  }

  // One notification for a conversation; a newer one replaces it. Nothing while the console is being looked at.
  tell(title, body, path) {
    if (!this.isAllowed || (document.visibilityState === "visible" && document.hasFocus())) return;
    const note = new Notification(title, { body, tag: path });
    note.onclick = () => {
      window.focus();
      this.#app.go(path);
      note.close();
    };
  }

  #draw() {
    document.title = (this.#count ? `(${this.#count}) ` : "") + this.#title;
  }
}
