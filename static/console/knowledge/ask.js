// A question as a visitor would ask it: what would be answered, how sure that is, from which entries and why.

import { api } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { submitForm } from "../lib/form.js";
import { written } from "../conversation/text.js";
import { kindTag, nameOf, sourceLink } from "./words.js";

const MAX_QUESTION_CHARS = 4000;
const FIRST_SOURCES = 5;
const FIELDS = [["question", "In the question"], ["title", "In the title"], ["content", "In the text"]];

export class Ask {
  title = "Ask";
  node;
  #page;
  #form;
  #said = h("p", { class: "hidden", role: "status" });
  #result = h("div", { class: "list" });

  constructor(page) {
    this.#page = page;
    const id = "knowledge-question";
    const input = h("input", { name: "question", id, type: "text", maxlength: MAX_QUESTION_CHARS, required: true,
      dir: "auto", autocomplete: "off", enterkeyhint: "send", placeholder: "Do you ship to Canada?",
      data: { first: true } });
    const button = h("button", { type: "submit", class: "primary" }, "Ask");
    this.#form = h("form", { class: "form", novalidate: true },
      h("div", { class: "field" }, h("label", { for: id }, "Ask as a visitor would"),
        h("div", { class: "with-button" }, input, button)));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      submitForm(this.#form, button, ({ question }) => this.#ask(question));
    });
    this.node = h("div", { class: "list" }, h("section", { class: "card", "aria-label": "Ask" }, this.#form),
      this.#said, this.#result);
  }

  show() {}

  async #ask(question) {
    this.#result.setAttribute("aria-busy", "true");
    try {
      this.#draw(await api.post(`${this.#page.path}/knowledge/ask`, { question: question.trim(), explain: true }));
    } finally {
      this.#result.removeAttribute("aria-busy");
    }
  }

  #draw(found) {
    const best = found.sources.slice(0, FIRST_SOURCES);
    const rest = found.sources.slice(FIRST_SOURCES);
    const list = (sources, start) => h("ol", { class: "sources", start }, sources.map((one) => this.#source(one)));
    put(this.#said, verdict(found), `. ${found.answer}`);
    put(this.#result,
      h("section", { class: "card form", "aria-label": "What is answered" },
        h("div", { class: "verdict" }, h("span", { class: `tag ${found.answered ? "operator" : "waiting"}` },
          found.answered ? "Answered" : "Not answered"), meter(found)),
        h("div", { class: "said assistant as-visitor", dir: "auto" }, h("div", { class: "said-text" },
          written(found.answer))),
        h("p", { class: "hint" }, "In the words of the built-in answerer. Where an AI model answers, it gets the " +
          "same sources and finds its own words."),
        found.missing.length > 0 && h("p", { class: "words" }, "Found nowhere: ",
          found.missing.map((word) => h("span", { class: "word is-missing" }, word))),
        !found.answered && this.#page.mayEdit && h("div", { class: "next" },
          h("button", { type: "button", onclick: () => this.#write(found.question) }, "Write the answer"))),
      best.length > 0 && h("section", { class: "list", "aria-label": "Sources" },
        h("h2", {}, "What was found, best first"), list(best, 1),
        rest.length > 0 && h("details", {}, h("summary", {}, `${rest.length} more`),
          list(rest, FIRST_SOURCES + 1))));
  }

  #source(source) {
    const link = sourceLink(source.url, this.#page.site);
    return h("li", { class: "card source" },
      h("div", { class: "source-head" },
        h("a", { class: "source-name", href: `/console/knowledge/entries/${source.knowledge_id}`, dir: "auto" },
          nameOf(source)),
        kindTag(source.type),
        h("span", { class: "soft small" }, `Score ${source.score.toFixed(1)}`)),
      source.question && source.title && !source.question.startsWith(source.title)
        && h("p", { class: "soft small", dir: "auto" }, source.title),
      h("p", { class: "pre", dir: "auto" }, source.excerpt),
      link && h("p", { class: "small" }, link),
      FIELDS.map(([name, words]) => matchedIn(words, source.matched.filter((one) => one.field === name))));
  }

  #write(question) {
    this.#page.prefill = { type: "faq", question };
    this.#page.go("entries/new");
  }
}

// Which words of the question an entry holds in one of its fields; another spelling or word for it with what it is.
function matchedIn(words, matched) {
  return matched.length > 0 && h("p", { class: "words" }, words, matched.map(({ word, met, how }) =>
    h("span", { class: "word" }, how === "same" ? word : `${word} ≈ ${met}`)));
}

function verdict({ answered, confidence, threshold, sources }) {
  const [sure, needed] = shares(confidence, threshold);
  if (!sources.length) return "Nothing in your knowledge is about this";
  return answered ? `${sure} sure; ${needed} are needed` : `Only ${sure} sure; ${needed} are needed`;
}

// How sure against how sure it has to be.
function meter(found) {
  const { confidence, threshold } = found;
  const words = verdict(found);
  const fill = h("span", { class: "meter-fill", style: { width: `${100 * bounded(confidence)}%` } });
  const mark = h("span", { class: "meter-mark", style: { insetInlineStart: `${100 * bounded(threshold)}%` } });
  return h("div", { class: `meter-place ${found.answered ? "is-good" : "is-low"}` },
    h("div", { class: "meter", role: "meter", "aria-label": "Confidence", "aria-valuemin": 0, "aria-valuemax": 100,
      "aria-valuenow": Math.round(100 * bounded(confidence)), "aria-valuetext": words }, fill, mark),
    h("span", { class: "small" }, words));
}

// As percentages, with as many digits as tell the two apart.
function shares(...numbers) {
  const [one, other] = numbers.map((number) => Math.round(100 * number));
  const digits = one === other && numbers[0] !== numbers[1] ? 1 : 0;
  return numbers.map((number) => `${(100 * number).toFixed(digits)} %`);
}

function bounded(share) {
  return Math.min(1, Math.max(0, share));
}
