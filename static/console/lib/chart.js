// Figures as inline SVG, each with the same figures as a table beside it: nobody has to read a picture.

import { h, put, svg } from "./dom.js";

const HEIGHT = 200;
const LEFT = 36;
const BOTTOM = 24;
const LABEL_PX = 62;
const MIN_WIDTH = 240;

// Bars over days. rows: [{label, values: [numbers]}]; series: [{name, class}], drawn on top of each other.
export function barChart(title, rows, series) {
  const place = h("div", { class: "chart-place" });
  // Drawn as wide as it is shown, so that its words are as large as all others.
  const observer = new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width) put(place, draw(title, rows, series, Math.max(MIN_WIDTH, Math.round(contentRect.width))));
  });
  observer.observe(place);
  const isEmpty = rows.every((row) => !sum(row.values));
  return h("figure", { class: "chart" },
    h("figcaption", {}, title, series.length > 1 && legend(series)),
    isEmpty ? h("p", { class: "empty" }, "Nothing in these days.") : [place, table(title, rows, series)]);
}

// Bars of names inside their table. rows: [{label (text or a node), value, share?}]; `share`: "40 %" or the like.
export function barTable(caption, rows, names) {
  const top = Math.max(1, ...rows.map((row) => row.value));
  const hasShare = rows.some((row) => row.share);
  const titles = [...names, hasShare && "Share"].filter(Boolean);
  return h("table", { class: "figures bars" },
    h("caption", { class: "hidden" }, caption),
    h("thead", { class: "hidden" }, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {},
      h("th", { scope: "row" }, row.label),
      h("td", { class: "number" }, across(row.value / top), h("span", {}, String(row.value))),
      hasShare && h("td", { class: "number soft" }, row.share || "")))));
}

function across(part) {
  return svg("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", class: "across", "aria-hidden": "true" },
    svg("rect", { width: 100, height: 8, class: "track" }),
    svg("rect", { width: 100 * part, height: 8, class: "bar-1" }));
}

function draw(title, rows, series, width) {
  const top = niceTop(Math.max(1, ...rows.map((row) => sum(row.values))));
  return svg("svg", {
    viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img",
    "aria-label": `${title}; the figures are in the table below`,
  }, grid(top, width), rows.map((row, place) => bar(row, place, rows.length, top, series, width)), labels(rows, width));
}

function legend(series) {
  return h("span", { class: "legend" },
    series.map((one) => h("span", {}, h("i", { class: `swatch ${one.class}` }), one.name)));
}

function grid(top, width) {
  return [0, 0.5, 1].map((part) => {
    const y = yOf(top * part, top);
    return svg("g", { class: "grid" },
      svg("line", { x1: LEFT, x2: width, y1: y, y2: y }),
      svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, String(top * part)));
  });
}

function bar(row, place, count, top, series, width) {
  const step = (width - LEFT) / count;
  let below = 0;
  const parts = row.values.map((value, number) => {
    const y = yOf(below + value, top);
    const height = yOf(below, top) - y;
    below += value;
    return value > 0 && svg("rect", {
      x: LEFT + place * step + step * 0.15, y, width: step * 0.7, height, rx: Math.min(2, height / 2),
      class: series[number].class,
    });
  });
  const said = series.map((one, number) => `${one.name} ${row.values[number]}`).join(", ");
  // The whole column tells its figures, not only the thin bar in it.
  const ground = svg("rect", { x: LEFT + place * step, y: 0, width: step, height: HEIGHT - BOTTOM, class: "column" });
  return svg("g", {}, svg("title", {}, `${row.label}: ${said}`), ground, parts);
}

function labels(rows, width) {
  const every = Math.ceil(rows.length * LABEL_PX / (width - LEFT));
  const step = (width - LEFT) / rows.length;
  // Counted from today, which is the last one.
  return rows.map((row, place) => (rows.length - 1 - place) % every === 0 && LEFT + (place + 0.5) * step > LABEL_PX &&
    svg("text", {
      x: Math.min(LEFT + (place + 0.5) * step, width - LABEL_PX / 3), y: HEIGHT - 6, "text-anchor": "middle",
    }, row.label));
}

function table(title, rows, series) {
  return h("details", {},
    h("summary", {}, "Figures"),
    h("div", { class: "figures-scroll", tabindex: "0", role: "region", "aria-label": title },
      h("table", { class: "figures" },
        h("caption", { class: "hidden" }, title),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Day"),
          series.map((one) => h("th", { scope: "col", class: "number" }, one.name)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.label),
          row.values.map((value) => h("td", { class: "number" }, String(value)))))))));
}

function yOf(value, top) {
  return 8 + (HEIGHT - BOTTOM - 8) * (1 - value / top);
}

function niceTop(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  // Its half is on the scale, too, and conversations are whole.
  const top = [1, 2, 4, 6, 8, 10].find((step) => step * size >= value) * size;
  return Math.max(2, top);
}

function sum(values) {
  return values.reduce((all, one) => all + one, 0);
}
