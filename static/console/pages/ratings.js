// What visitors thought of their conversations.

import { api } from "../lib/api.js";
import { barTable } from "../lib/chart.js";
import { h } from "../lib/dom.js";
import { ListTable } from "../lib/table.js";
import { ago } from "../lib/time.js";

export async function open(app) {
  const list = new ListTable({
    path: `sites/${app.siteId}/ratings`,
    caption: "Ratings",
    empty: "Nobody has rated a conversation yet.",
    columns: [
      { title: "Visitor", cell: (row) => h("bdi", {}, row.visitor_name) },
      { title: "Score", cell: (row) => stars(row.score) },
      { title: "Comment", cell: (row) => row.comment },
      { title: "Talked to", cell: (row) => row.operator?.name || "AI" },
      { title: "When", cell: (row) => h("time", { datetime: row.rated_at }, ago(row.rated_at)) },
    ],
    onRow: (row) => app.go(`inbox/${row.conversation_id}`),
  });
  const [stats] = await Promise.all([api.get(`sites/${app.siteId}/ratings/stats`), list.load()]);
  const node = h("div", { class: "page" }, h("h1", {}, "Ratings"), stats.count > 0 && summary(stats), list.node);
  return { title: "Ratings", node };
}

function summary({ average, count, distribution }) {
  const rows = [5, 4, 3, 2, 1].map((score) => ({ label: stars(score), value: distribution[score] || 0 }));
  return h("section", { class: "card rating-summary", "aria-label": "Summary" },
    h("dl", { class: "figure-plain" },
      h("div", {}, h("dt", {}, "Average"), h("dd", {}, average == null ? "–" : average.toFixed(1))),
      h("div", {}, h("dt", {}, "Ratings"), h("dd", {}, String(count)))),
    barTable("Ratings by score", rows, ["Score", "Ratings"]));
}

function stars(score) {
  return h("span", { class: "stars" },
    h("span", { "aria-hidden": "true" }, "★".repeat(score) + "☆".repeat(5 - score)),
    h("span", { class: "hidden" }, `${score} of 5`));
}
