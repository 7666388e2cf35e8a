// Who is blocked on the site, why and until when; a block is lifted here. One is made in a conversation.

import { api } from "../lib/api.js";
import { confirmDialog, toast } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { ListTable } from "../lib/table.js";
import { ago, moment } from "../lib/time.js";

const KINDS = { session: "One browser", ip: "Address range", email: "Email" };

export async function open(app) {
  const list = new ListTable({
    path: "operator/blocked",
    query: { site_id: app.siteId },
    caption: "Blocks",
    empty: "Nobody is blocked. A visitor is blocked from inside a conversation.",
    columns: [
      { title: "Who", cell: (row) => h("bdi", { class: "code-name" }, row.value) },
      { title: "By", cell: (row) => KINDS[row.by] },
      { title: "Reason", cell: (row) => row.reason },
      {
        title: "Until",
        cell: (row) => (row.until ? h("time", { datetime: row.until }, moment(row.until)) : "For good"),
      },
      { title: "Blocked", cell: (row) => h("span", {}, h("time", { datetime: row.created_at }, ago(row.created_at)),
        row.operator && ` by ${row.operator.name}`) },
      { title: "", cell: (row) => h("button", { type: "button", onclick: () => lift(row, list) }, "Lift",
        h("span", { class: "hidden" }, ` the block of ${row.value}`)) },
    ],
  });
  await list.load();
  const node = h("div", { class: "page" }, h("h1", {}, "Blocks"),
    h("p", { class: "soft" }, "Whoever is blocked here can read nothing new and write nothing."), list.node);
  return { title: "Blocks", node };
}

async function lift(row, list) {
  const who = `${row.value} may write again at once.`;
  if (!(await confirmDialog("Lift the block?", who, "Lift it"))) return;
  try {
    await api.del(`operator/blocked/${row.id}`);
  } catch (problem) {
    toast(problem.message, "bad");
  }
  await list.load();
}
