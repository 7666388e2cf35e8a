// Who left an email address or a phone number.

import { h } from "../lib/dom.js";
import { ListTable } from "../lib/table.js";
import { ago } from "../lib/time.js";

export async function open(app) {
  const list = new ListTable({
    path: `sites/${app.siteId}/leads`,
    caption: "Leads",
    searchLabel: "Search name, email or phone",
    empty: "Nobody has left an address yet. Visitors are asked for one as your settings say.",
    columns: [
      { title: "Name", cell: (row) => h("bdi", {}, row.name || row.email || row.phone) },
      { title: "Email", cell: (row) => row.email && h("a", { href: `mailto:${row.email}` }, row.email) },
      { title: "Phone", cell: (row) => row.phone && h("a", { href: `tel:${row.phone}` }, row.phone) },
      { title: "Conversations", cell: (row) => String(row.conversations_count), isNumber: true },
      { title: "Last seen", cell: (row) => h("time", { datetime: row.last_seen }, ago(row.last_seen)) },
    ],
    opens: (row) => Boolean(row.conversation_id),
    onRow: (row) => app.go(`inbox/${row.conversation_id}`),
  });
  await list.load();
  return { title: "Leads", node: h("div", { class: "page" }, h("h1", {}, "Leads"), list.node) };
}
