// Working hours: a time zone and one or more spans a day; off means somebody is always expected.

import { h, icon, put } from "../lib/dom.js";
import { checkbox, field, select } from "../lib/form.js";
import { ICONS } from "../lib/icons.js";
import { shownWhen } from "./inputs.js";

const DAYS = [
  ["mon", "Monday"], ["tue", "Tuesday"], ["wed", "Wednesday"], ["thu", "Thursday"], ["fri", "Friday"],
  ["sat", "Saturday"], ["sun", "Sunday"],
];
const USUAL = ["09:00", "17:00"];

export class Hours {
  #rows = h("div", { class: "hours" });

  // hours: {timezone, days: {mon: [["09:00", "17:00"]]}} or null for always.
  constructor(hours) {
    const zone = hours?.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone;
    const days = hours?.days || Object.fromEntries(DAYS.slice(0, 5).map(([day]) => [day, [USUAL]]));
    const limited = checkbox("Only at certain hours", "has_hours", Boolean(hours),
      "Outside them visitors are asked for an email, unless somebody has the console open.");
    const zones = select("timezone", timezones(zone).map((name) => [name, name]), zone);
    const inside = h("div", { class: "form" }, field("Time zone", zones), this.#rows);
    put(this.#rows, DAYS.map(([day, name]) => dayRow(day, name, days[day] || [])));
    this.node = h("fieldset", { data: { name: "working_hours" } }, h("legend", {}, "Working hours"), limited,
      shownWhen(limited, inside));
  }

  // What the fields of a form say, as the server takes it.
  static read(element) {
    if (!element.elements.has_hours.checked) return null;
    const days = {};
    for (const row of element.querySelectorAll(".hours-day")) {
      const spans = [...row.querySelectorAll(".span")].map((span) => [...span.querySelectorAll("input")]);
      // Half a span is sent as it is, and refused: dropped in silence, the day would be a free one.
      if (spans.length) days[row.dataset.day] = spans.map((span) => span.map((input) => input.value));
    }
    return { timezone: element.elements.timezone.value, days };
  }
}

function dayRow(day, name, spans) {
  const free = h("span", { class: "free soft" }, "Closed");
  const place = h("div", { class: "spans" }, free);
  const add = (span) => place.append(spanRow(name, span));
  const button = h("button", {
    type: "button", class: "quiet", onclick: () => {
      add(USUAL);
      place.lastElementChild.querySelector("input").focus();
    },
  }, icon(ICONS.plus, 18), "Add", h("span", { class: "hidden" }, ` hours on ${name}`));
  spans.forEach(add);
  place.addEventListener("removed", () => button.focus());
  return h("div", { class: "hours-day", data: { day } }, h("span", { class: "hours-name" }, name), place, button);
}

function spanRow(name, [from, to]) {
  const remove = () => {
    row.dispatchEvent(new Event("removed", { bubbles: true }));
    row.remove();
  };
  const row = h("span", { class: "span" },
    h("input", { type: "time", value: from, "aria-label": `${name} from` }), "–",
    // The end of a day is 24:00 for the server; a clock shows it as 00:00, which means the same.
    h("input", { type: "time", value: to === "24:00" ? "00:00" : to, "aria-label": `${name} to` }),
    h("button", {
      type: "button", class: "quiet square", "aria-label": `Remove these hours on ${name}`, onclick: remove,
    }, icon(ICONS.close, 18)));
  return row;
}

function timezones(own) {
  const known = Intl.supportedValuesOf?.("timeZone") || [];
  return [...new Set([own, "UTC", ...known])];
}
