// Bars over days as inline SVG, with the same figures as a table beside it: nobody has to read a picture.

import { h, svg } from "./dom.js";

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 36;
const BOTTOM = 24;

// A figure. rows: [{label, values: [numbers]}]; series: [{name, class}], drawn on top of each other.
export function barChart(title, rows, series) {
  const top = niceTop(Math.max(1, ...rows.map((row) => sum(row.values))));
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, title, series.length > 1 && legend(series)),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}; the figures are in the table below` },
      grid(top), rows.map((row, place) => bar(row, place, rows.length, top, series)), labels(rows)),
    table(title, rows, series),
  );
}

function legend(series) {
  return h("span", { class: "legend" }, series.map((one) => h("span", {}, h("i", { class: `swatch ${one.class}` }), one.name)));
}

function grid(top) {
  return [0, 0.5, 1].map((part) => {
    const y = yOf(top * part, top);
    return svg("g", { class: "grid" },
      svg("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y }),
      svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, String(top * part)));
  });
}

function bar(row, place, count, top, series) {
  const step = (WIDTH - LEFT) / count;
  let below = 0;
  const parts = row.values.map((value, number) => {
    const y = yOf(below + value, top);
    const height = yOf(below, top) - y;
    below += value;
    return svg("rect", {
      x: LEFT + place * step + step * 0.15, y, width: step * 0.7, height, rx: Math.min(2, height / 2), class: series[number].class,
    });
  });
  return svg("g", {}, svg("title", {}, `${row.label}: ${row.values.join(" + ")}`), parts);
}

function labels(rows) {
  const every = Math.ceil(rows.length / 8);
  const step = (WIDTH - LEFT) / rows.length;
  return rows.map((row, place) => place % every === 0 &&
    svg("text", { x: LEFT + (place + 0.5) * step, y: HEIGHT - 6, "text-anchor": "middle" }, row.label));
}

function table(title, rows, series) {
  return h(
    "details",
    {},
    h("summary", {}, "Figures"),
    h("table", { class: "figures" },
      h("caption", { class: "hidden" }, title),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ""), series.map((one) => h("th", { scope: "col", class: "number" }, one.name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.label),
        row.values.map((value) => h("td", { class: "number" }, String(value))))))),
  );
}

function yOf(value, top) {
  return 8 + (HEIGHT - BOTTOM - 8) * (1 - value / top);
}

function niceTop(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  const top = [1, 2, 4, 5, 10].find((step) => step * size >= value) * size;
  return Math.max(2, top);
}

function sum(values) {
  return values.reduce((all, one) => all + one, 0);
}
