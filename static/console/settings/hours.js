// Working hours: a time zone and one or more spans a day; off means somebody is always expected.

import { h, put } from "../lib/dom.js";
import { checkbox, field, select } from "../lib/form.js";

const DAYS = [["mon", "Monday"], ["tue", "Tuesday"], ["wed", "Wednesday"], ["thu", "Thursday"], ["fri", "Friday"], ["sat", "Saturday"], ["sun", "Sunday"]];
const USUAL = ["09:00", "17:00"];

export class Hours {
  #rows = h("div", { class: "hours" });

  // hours: {timezone, days: {mon: [["09:00", "17:00"]]}} or null for always.
  constructor(hours) {
    const zone = hours?.timezone || Intl.DateTimeFormat().resolvedOptions().timeZone;
    const days = hours?.days || Object.fromEntries(DAYS.slice(0, 5).map(([day]) => [day, [USUAL]]));
    const limited = checkbox("Only at certain hours", "has_hours", Boolean(hours), "Outside them visitors are asked for an email instead.");
    const zones = select("timezone", timezones(zone).map((name) => [name, name]), zone);
    const inside = h("div", { class: "form", hidden: !hours }, field("Time zone", zones), this.#rows);
    limited.querySelector("input").addEventListener("change", (event) => (inside.hidden = !event.target.checked));
    put(this.#rows, DAYS.map(([day, name]) => dayRow(day, name, days[day] || [])));
    this.node = h("fieldset", {}, h("legend", {}, "Working hours"), limited, inside);
  }

  // What the fields of a form say, as the server takes it.
  static read(element) {
    if (!element.elements.has_hours.checked) return null;
    const days = {};
    for (const row of element.querySelectorAll(".hours-day")) {
      const spans = [...row.querySelectorAll(".span")].map((span) => [...span.querySelectorAll("input")].map((input) => input.value));
      const filled = spans.filter(([from, to]) => from && to);
      if (filled.length) days[row.dataset.day] = filled;
    }
    return { timezone: element.elements.timezone.value, days };
  }
}

function dayRow(day, name, spans) {
  const place = h("div", { class: "spans" }, spans.map((span) => spanRow(name, span)));
  const add = h("button", { type: "button", class: "quiet", onclick: () => place.append(spanRow(name, USUAL)) }, "Add", h("span", { class: "hidden" }, ` hours on ${name}`));
  return h("div", { class: "hours-day", data: { day } }, h("span", { class: "hours-name" }, name), place, add);
}

function spanRow(name, [from, to]) {
  const row = h("span", { class: "span" },
    h("input", { type: "time", value: from, "aria-label": `${name} from` }), " – ", h("input", { type: "time", value: to, "aria-label": `${name} to` }),
    h("button", { type: "button", class: "quiet square", "aria-label": `Remove these hours on ${name}`, onclick: () => row.remove() }, "×"));
  return row;
}

function timezones(own) {
  const known = Intl.supportedValuesOf?.("timeZone") || [];
  return [...new Set([own, "UTC", ...known])];
}
