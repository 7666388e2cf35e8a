// What happened in the last days: conversations, messages, who answered, how fast, how it ended.

import { api } from "../lib/api.js";
import { barChart } from "../lib/chart.js";
import { h, put } from "../lib/dom.js";
import { lasting } from "../lib/time.js";

const PERIODS = [[7, "7 days"], [30, "30 days"], [90, "90 days"]];

export async function open(app) {
  const place = h("div", { class: "charts" });
  const show = async (period) => put(place, draw(await api.get(`sites/${app.siteId}/analytics`, { period })));
  const choose = h("select", { "aria-label": "Period", onchange: (event) => show(event.target.value) },
    PERIODS.map(([days, words]) => h("option", { value: days, selected: days === 30 }, words)));
  await show(30);
  const node = h("div", { class: "page" }, h("div", { class: "page-head" }, h("h1", {}, "Analytics"), choose), place);
  return { title: "Analytics", node };
}

function draw(data) {
  return [
    h("dl", { class: "figures-row" }, figures(data).map(([title, value]) => h("div", { class: "figure" }, h("dt", {}, title), h("dd", {}, value)))),
    h("section", { class: "card" }, barChart("Conversations a day", byDay(data.conversations_by_day, ["count"]), [{ name: "Conversations", class: "bar-1" }])),
    h("section", { class: "card" }, barChart("Messages a day", byDay(data.messages_by_day, ["visitor", "assistant", "operator"]),
      [{ name: "Visitors", class: "bar-1" }, { name: "AI", class: "bar-2" }, { name: "People", class: "bar-3" }])),
    h("div", { class: "columns" },
      h("section", { class: "card" }, h("h2", {}, "From visit to contact"), plainTable(data.funnel.map((step) => [step.name, step.count]))),
      h("section", { class: "card" }, h("h2", {}, "Languages"), plainTable(data.by_lang.map((one) => [one.lang || "unknown", one.count])))),
    h("p", { class: "soft small" }, "Days are those of UTC."),
  ];
}

function figures(data) {
  return [
    ["Conversations", String(total(data.conversations_by_day, "count"))],
    ["Answered by the AI", String(data.answered.ai)],
    ["Answered by people", String(data.answered.operator)],
    ["First reply of a person", lasting(data.first_response.median_ms)],
    ["Leads", String(data.leads)],
    ["Rating", data.ratings.average == null ? "–" : data.ratings.average.toFixed(1)],
  ];
}

function byDay(rows, names) {
  return rows.map((row) => ({ label: row.day.slice(5), values: names.map((name) => row[name]) }));
}

function plainTable(rows) {
  if (!rows.length) return h("p", { class: "empty" }, "Nothing yet.");
  return h("table", { class: "figures" }, h("tbody", {}, rows.map(([name, count]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, String(count))))));
}

function total(rows, name) {
  return rows.reduce((all, row) => all + row[name], 0);
}
