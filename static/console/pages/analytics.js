// What happened in the last days: conversations, messages, who answered, how fast, how it ended.

import { api, url } from "../lib/api.js";
import { barChart, barTable } from "../lib/chart.js";
import { h, icon, put } from "../lib/dom.js";
import { ICONS } from "../lib/icons.js";
import { lasting } from "../lib/time.js";

const PERIODS = [[7, "7 days"], [30, "30 days"], [90, "90 days"], [365, "A year"]];
const STEPS = {
  opened: "Opened the chat", wrote: "Wrote", left_contact: "Left an address", rated: "Rated",
  person: "Talked to a person",
};
const AGAIN_MS = 3_000;
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const languages = new Intl.DisplayNames(undefined, { type: "language", fallback: "code" });

export async function open(app) {
  const page = new Analytics(app.siteId);
  await page.show(30);
  return page;
}

class Analytics {
  title = "Analytics";
  #path;
  #turn = 0;
  #timer = 0;
  #place = h("div", { class: "charts" });
  #csv = h("a", { class: "button quiet", download: true }, icon(ICONS.download, 16), "CSV");

  constructor(siteId) {
    this.#path = `sites/${siteId}/analytics`;
    const choose = h("select", { "aria-label": "Period", onchange: ({ target }) => this.show(target.value) },
      PERIODS.map(([days, words]) => h("option", { value: days, selected: days === 30 }, words)));
    this.node = h("div", { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Analytics"), h("div", { class: "tools" }, choose, this.#csv)),
      this.#place);
  }

  // Asked again while older messages are still being counted.
  async show(period) {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.#csv.href = url(this.#path, { period, format: "csv" });
    const data = await api.get(this.#path, { period }).catch((problem) => ({ problem }));
    if (turn !== this.#turn) return;
    if (data.problem) put(this.#place, h("p", { class: "empty" }, data.problem.message));
    else put(this.#place, draw(data));
    if (data.is_complete === false) this.#timer = setTimeout(() => this.show(period), AGAIN_MS);
  }

  close() {
    this.#turn += 1;
    clearTimeout(this.#timer);
  }
}

function draw(data) {
  return [
    !data.is_complete && h("p", { class: "notice", role: "status" },
      "Still indexing older messages: the figures are not complete yet."),
    h("dl", { class: "figures-row" }, figures(data).map(([title, value]) =>
      h("div", { class: "figure" }, h("dt", {}, title), h("dd", {}, value)))),
    h("div", { class: "columns wide-columns" },
      h("section", { class: "card" }, barChart("Conversations a day", byDay(data.conversations_by_day, ["count"]),
        [{ name: "Conversations", class: "bar-1" }])),
      h("section", { class: "card" },
        barChart("Messages a day", byDay(data.messages_by_day, ["visitor", "assistant", "operator"]), [
          { name: "Visitors", class: "bar-1" }, { name: "AI", class: "bar-2" }, { name: "People", class: "bar-3" },
        ])),
      h("section", { class: "card" }, h("h2", {}, "From visit to contact"), funnel(data.funnel)),
      h("section", { class: "card" }, h("h2", {}, "Languages"), spoken(data.by_lang))),
    h("p", { class: "soft small" }, "Days are those of UTC."),
  ];
}

function figures(data) {
  const { answered, first_response: first, ratings } = data;
  return [
    ["Conversations", String(data.conversations_by_day.reduce((all, row) => all + row.count, 0))],
    ["Answered by the AI alone", String(answered.ai)],
    ["Answered by people", String(answered.operator)],
    ["First reply of a person", lasting(first.median_ms)],
    ["Leads", String(data.leads)],
    ["Rating", ratings.average == null ? "–" : `${ratings.average.toFixed(1)} of 5`],
  ];
}

function byDay(rows, names) {
  return rows.map((row) => ({ label: shortDay.format(new Date(row.day)), values: names.map((name) => row[name]) }));
}

function funnel(steps) {
  const all = steps[0]?.count;
  if (!all) return h("p", { class: "empty" }, "Nobody in these days.");
  return barTable("From visit to contact", steps.map(({ name, count }) => ({
    label: STEPS[name] || name, value: count, share: `${Math.round(100 * count / all)} %`,
  })), ["Step", "Visitors"]);
}

function spoken(rows) {
  if (!rows.length) return h("p", { class: "empty" }, "Nothing in these days.");
  return barTable("Conversations by language", rows.map(({ lang, count }) => ({
    label: languageName(lang), value: count,
  })), ["Language", "Conversations"]);
}

function languageName(lang) {
  try {
    return lang ? languages.of(lang) : "Unknown";
  } catch {
    return lang;
  }
}
