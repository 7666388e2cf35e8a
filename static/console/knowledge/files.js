// Files into entries: chosen or dropped, one after the other, each with its progress and what came of it.

import { h, icon, put } from "../lib/dom.js";
import { capital } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";
import { KINDS, sendFile } from "./upload.js";
import { counted } from "./words.js";

const MAX_ROWS_SHOWN = 100;

export class Files {
  title = "Files";
  node;
  #page;
  #list = h("ul", { class: "uploads" });
  #said = h("p", { class: "hidden", role: "status" });
  #input;
  #queue = Promise.resolve();

  constructor(page) {
    this.#page = page;
    this.#input = h("input", {
      type: "file", id: "knowledge-file", multiple: true, accept: [...KINDS, "htm"].map((one) => `.${one}`).join(","),
      class: "hidden", "aria-describedby": "knowledge-file-hint", data: { first: true },
      onchange: () => this.#take(this.#input.files),
    });
    const zone = h("div", { class: "drop" },
      icon(ICONS.download, 28),
      h("p", {}, this.#input, h("label", { class: "button primary", for: "knowledge-file" }, "Choose files"),
        h("span", { class: "drop-words" }, " or drop them here")),
      h("p", { class: "hint", id: "knowledge-file-hint" }, `${KINDS.join(", ")}; up to 50 MB each`));
    this.#listen(zone);
    this.node = h("div", { class: "list" }, h("section", { class: "card form", "aria-label": "Files" },
      zone, this.#said, this.#list, help()));
  }

  show() {}

  #listen(zone) {
    let depth = 0;
    const mark = () => zone.classList.toggle("is-over", depth > 0);
    zone.addEventListener("dragenter", (event) => (event.preventDefault(), (depth += 1), mark()));
    zone.addEventListener("dragleave", () => ((depth = Math.max(0, depth - 1)), mark()));
    zone.addEventListener("dragover", (event) => event.preventDefault());
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      mark();
      this.#take(event.dataTransfer.files);
    });
  }

  // One at a time: the server reads few files at once, and the first result is of use while the second is on its way.
  #take(files) {
    for (const file of [...files]) {
      const row = new Upload(this.#page, file, (words) => put(this.#said, words));
      this.#list.prepend(row.node);
      this.#queue = this.#queue.then(() => row.send());
    }
    // The same file again, corrected, is news.
    this.#input.value = "";
  }
}

// One file: waiting, on its way, read, or refused.
class Upload {
  node = h("li", { class: "upload" });
  #page;
  #file;
  #say;

  constructor(page, file, say) {
    this.#page = page;
    this.#file = file;
    this.#say = say;
    this.#draw(h("p", { class: "soft" }, "Waiting …"));
  }

  async send() {
    const bar = h("progress", { max: 1, value: 0, "aria-label": `${this.#file.name}, how much is sent` });
    const words = h("p", { class: "soft" }, "Sending …");
    this.#draw(bar, words);
    try {
      const answer = await sendFile(`${this.#page.path}/knowledge/import`, this.#file, (share) => {
        bar.value = share;
        put(words, share < 1 ? `Sending … ${Math.round(100 * share)} %` : "Reading it …");
        // All of it is there; how long the reading takes nobody knows.
        if (share >= 1) bar.removeAttribute("value");
      });
      this.#done(answer);
    } catch (problem) {
      this.#failed(problem);
    }
  }

  #done({ imported, skipped }) {
    const words = `${imported.toLocaleString()} imported${skipped.length ? `, ${counted(skipped.length, "row")} skipped`
      : ""}.`;
    const isGood = imported > 0;
    this.#say(`${this.#file.name}: ${words}`);
    this.#draw(
      h("p", { class: isGood ? "result" : "form-error" }, isGood && icon(ICONS.check, 18), h("span", {},
        isGood || skipped.length ? words : "There was nothing in it to import.")),
      skipped.length > 0 && skippedRows(skipped),
      isGood && h("div", { class: "next" },
        h("a", { class: "button", href: "/console/knowledge/ask" }, "Ask something"),
        h("a", { class: "button quiet", href: "/console/knowledge/entries" }, "See the entries")));
  }

  #failed(problem) {
    this.#say(`${this.#file.name}: ${problem.message}`);
    const isOver = problem.status >= 400 && problem.status < 500 && problem.status !== 429;
    const again = h("button", { type: "button", onclick: () => this.send() }, "Try again",
      h("span", { class: "hidden" }, ` with ${this.#file.name}`));
    this.#draw(h("p", { class: "form-error" }, problem.message), !isOver && h("div", { class: "next" }, again));
  }

  #draw(...content) {
    put(this.node, h("h2", { class: "upload-name" }, h("bdi", {}, this.#file.name), " ",
      h("span", { class: "soft small" }, sizeWords(this.#file.size))), content);
  }
}

function skippedRows(skipped) {
  const rest = skipped.length - MAX_ROWS_SHOWN;
  return h("details", { open: skipped.length <= 10 }, h("summary", {}, "What was skipped, and why"),
    h("ul", { class: "reasons" }, skipped.slice(0, MAX_ROWS_SHOWN).map(({ row, error }) => h("li", {},
      h("span", { class: "reason-count" }, `Row ${row}`), h("span", { dir: "auto" }, capital(error)))),
    rest > 0 && h("li", {}, h("span", { class: "reason-count" }), `and ${rest.toLocaleString()} more`)));
}

function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function help() {
  return h("details", {}, h("summary", {}, "What files look like"),
    h("dl", { class: "formats" },
      format("CSV", "The first row names the columns: ", h("code", {}, "type,title,question,content,url"),
        ". Only content has to be there; a row with a question is a question and its answer."),
      format("JSONL", "One object with the same names in each line."),
      format("Text, Markdown", "One entry for each section; a heading that ends with a question mark is a question."),
      format("HTML, PDF", "The text without the menus around it; a PDF page by page.")));
}

function format(title, ...words) {
  return h("div", {}, h("dt", {}, title), h("dd", {}, words));
}
