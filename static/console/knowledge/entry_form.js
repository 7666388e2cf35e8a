// The editor of an entry: a question with its answer, or a text with a title.

import { h } from "../lib/dom.js";
import { field, form, select } from "../lib/form.js";
import { lines } from "../settings/inputs.js";
import { joined, wordingsOf } from "./wordings.js";

// As the server limits them.
const MAX_TITLE_CHARS = 500;
const MAX_QUESTION_CHARS = 2000;
const MAX_CONTENT_CHARS = 200_000;
const MAX_URL_CHARS = 2000;
const TITLE_HINT = "What the source is called below an answer.";

// `entry`: {type, title?, question?, content?, url?}. `save({values, asked})`: what the API takes for an entry, and
// {question, wordings} apart. `hasKind`: question or text may be chosen; `hasUrl`: a page can be named.
export function entryForm(entry, { save, hasKind = false, hasUrl = true, done = "", extra = null, submit = "Save" }) {
  const fields = fieldsOf(entry);
  const kind = hasKind && field("Kind", select("type", [["faq", "A question and its answer"], ["custom", "A text"]],
    entry.type));
  const typeOf = (given) => given.type || entry.type;
  const element = form(
    [kind, fields.question, fields.wordings, fields.content,
      h("div", { class: "columns" }, fields.title, hasUrl && fields.url)],
    (given) => save(valuesOf(typeOf(given), given)), { submit, done, extra });
  const look = () => follow(typeOf({ type: element.elements.type?.value }), fields);
  element.elements.type?.addEventListener("change", look);
  look();
  return element;
}

function fieldsOf(entry) {
  const [question = "", ...others] = wordingsOf(entry.question || "");
  // A title that repeats the question is ours, and says nothing.
  const ownTitle = entry.title === titleOf(question) || entry.title === titleOf(entry.question || "") ? ""
    : entry.title || "";
  return {
    question: field("Question", h("input", {
      name: "question", value: question, maxlength: MAX_QUESTION_CHARS, required: true, dir: "auto",
      data: { first: true },
    }), "As a visitor would ask it."),
    wordings: field("Other wordings", h("textarea", {
      name: "wordings", rows: 3, value: others.join("\n"), maxlength: MAX_QUESTION_CHARS, dir: "auto",
    }), "One a line; may be empty. For words that neither the question nor the answer has."),
    content: field("Answer", h("textarea", {
      name: "content", value: entry.content || "", rows: entry.type === "faq" ? 6 : 14, maxlength: MAX_CONTENT_CHARS,
      required: true, dir: "auto",
    })),
    title: field("Title", h("input", { name: "title", value: ownTitle, maxlength: MAX_TITLE_CHARS, dir: "auto" }),
      TITLE_HINT),
    url: field("Link", h("input", {
      name: "url", value: entry.url || "", maxlength: MAX_URL_CHARS, inputmode: "url", placeholder: "/shipping",
    }), "The page that an answer names as its source; may be empty."),
  };
}

// What the fields are about depends on the kind.
function follow(type, { question, wordings, content, title }) {
  const isQuestion = type === "faq";
  question.hidden = wordings.hidden = !isQuestion;
  content.querySelector("label").textContent = isQuestion ? "Answer" : "Text";
  title.querySelector(".hint").textContent = isQuestion ? `${TITLE_HINT} Empty: the question.` : TITLE_HINT;
  title.querySelector("input").required = !isQuestion;
}

function valuesOf(type, given) {
  const asked = type === "faq" ? { question: given.question.trim(), wordings: lines(given.wordings) }
    : { question: "", wordings: [] };
  return {
    asked,
    values: {
      type, question: joined(asked.question, asked.wordings), title: given.title.trim() || titleOf(asked.question),
      content: given.content, url: given.url?.trim() || null,
    },
  };
}

function titleOf(question) {
  return question.slice(0, MAX_TITLE_CHARS);
}
