// What visitors asked and nobody could answer, grouped: one click makes an entry of a question.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { settle } from "../lib/dirty.js";
import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { ListTable } from "../lib/table.js";
import { ago } from "../lib/time.js";
import { entryForm } from "./entry_form.js";
import { joined } from "./wordings.js";
import { counted, shortened } from "./words.js";

export class Unanswered {
  title = "Unanswered";
  node = h("div", { class: "list" });
  #page;
  #path;
  #list;
  // Those that were in a list, by number: the editor opens without asking for one again.
  #known = new Map();

  constructor(page) {
    this.#page = page;
    this.#path = `${page.path}/knowledge/unanswered`;
    this.#list = new ListTable({
      path: this.#path,
      caption: "Unanswered questions",
      searchLabel: "Search questions",
      empty: "Every question was answered so far. What visitors ask in vain will be listed here.",
      columns: [
        { title: "Question", cell: (row) => this.#question(row) },
        { title: "Asked", cell: (row) => askedWords(row) },
        { title: "Last", cell: (row) => h("time", { datetime: row.last_asked_at }, ago(row.last_asked_at)) },
        { title: "", cell: (row) => this.#verbs(row) },
      ],
    });
  }

  // "": the list; "7": the editor for that question.
  async show([id = ""]) {
    const row = id && await this.#find(Number(id));
    if (row) {
      put(this.node, this.#editor(row));
      return;
    }
    put(this.node, h("p", { class: "soft lead" }, "What visitors asked and got no answer to; what many asked lately " +
      "comes first. Answer a question once, and everybody who asks gets the answer."), this.#list.node);
    await this.#list.load();
  }

  again() {
    if (this.node.contains(this.#list.node)) this.#list.load();
  }

  // After a reload nothing is known: the question is looked for among those asked most.
  async #find(id) {
    if (this.#known.has(id)) return this.#known.get(id);
    const { data } = await api.get(this.#path, { per_page: 100 }).catch(() => ({ data: [] }));
    return data.find((one) => one.id === id);
  }

  #question(row) {
    this.#known.set(row.id, row);
    return h("div", { class: "asked" },
      h("a", { class: "source-name", href: `/console/knowledge/unanswered/${row.id}`, dir: "auto" },
        shortened(row.question, 200)),
      row.wordings.length > 0 && h("span", { class: "soft small", dir: "auto" },
        `Also: ${shortened(row.wordings.join(" · "), 160)}`),
      row.suggestion && h("span", { class: "small good" },
        `${row.suggestion.operator || "A colleague"} answered it in the conversation`));
  }

  #verbs(row) {
    const named = (words) => [words, h("span", { class: "hidden" }, `: ${row.question}`)];
    return h("div", { class: "row-verbs" },
      h("a", { class: "button", href: `/console/knowledge/unanswered/${row.id}` }, named("Answer")),
      row.conversation_id && this.#page.mayReadConversations && h("a", { class: "button quiet",
        href: `/console/inbox/${row.conversation_id}` }, named("Conversation")),
      h("button", { type: "button", class: "quiet square", "aria-label": `Dismiss: ${row.question}`,
        onclick: () => this.#dismiss(row) }, icon(ICONS.trash, 18)));
  }

  #editor(row) {
    const { suggestion } = row;
    const element = entryForm(
      { type: "faq", question: joined(row.question, row.wordings), content: suggestion?.content || "" },
      { hasUrl: false, submit: "Save the answer", save: async ({ values, asked }) => {
        const { title, content } = values;
        await api.post(`${this.#path}/${row.id}/answer`, { title, content, ...asked });
        settle(element);
        this.#gone(row);
        await this.#page.go("unanswered", { replace: true });
        toast("Saved. It answers from now on.");
      } });
    return [
      h("a", { class: "back-link", href: "/console/knowledge/unanswered" }, icon(ICONS.back, 18), "All questions"),
      h("section", { class: "card form" }, h("div", {}, h("h2", {}, "Answer a question"),
        h("p", { class: "soft entry-facts" }, h("span", {}, `Asked ${askedWords(row)}`),
          h("span", {}, "Last ", h("time", { datetime: row.last_asked_at }, ago(row.last_asked_at))),
          row.conversation_id && this.#page.mayReadConversations
            && h("a", { href: `/console/inbox/${row.conversation_id}` }, "Read the conversation"))),
      suggestion && h("p", { class: "notice is-info" },
        `The answer below is what ${suggestion.operator || "a colleague"} wrote to a visitor. Make it fit everybody.`),
      element),
    ];
  }

  async #dismiss(row) {
    const sentence = `“${shortened(row.question, 200)}” leaves this list. It comes back when several others ask it.`;
    if (!(await confirmDialog("Dismiss the question?", sentence, "Dismiss"))) return;
    try {
      await api.del(`${this.#path}/${row.id}`);
      this.#gone(row);
    } catch (problem) {
      toast(problem.message, "bad");
    }
    await this.#list.load();
    this.#list.node.querySelector("input").focus();
  }

  #gone(row) {
    this.#known.delete(row.id);
    this.#page.count();
  }
}

function askedWords({ count, visitors }) {
  const times = count === 1 ? "once" : `${count.toLocaleString()} times`;
  return visitors > 1 ? `${times} by ${counted(visitors, "visitor")}` : times;
}
