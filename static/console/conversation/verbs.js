// What can be done with a conversation besides writing: transfer, block, and the small dialogs they need.

import { api } from "../lib/api.js";
import { openDialog, toast } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { field, form, select } from "../lib/form.js";

const FOR_HOW_LONG = [["", "For good"], ["60", "An hour"], ["1440", "A day"], ["10080", "A week"]];
const MINUTE_MS = 60_000;

// Hands the conversation to a colleague who may chat on its site.
export async function transferDialog(app, conversation) {
  const { data } = await api.get(`sites/${conversation.site_id}/team`);
  const others = data.filter((one) => one.id !== app.user.id && one.can_chat !== false);
  if (!others.length) {
    toast("Nobody else answers for this site; invite a colleague under Team.", "bad");
    return;
  }
  const people = others.map((one) => [one.id, one.name + (one.online ? " (online)" : "")]);
  const dialog = openDialog("Transfer", form([field("To", select("operator_id", people, others[0].id))], async (given) => {
    await api.post(`operator/transfer/${conversation.id}`, { operator_id: Number(given.operator_id) });
    dialog.close();
  }, { submit: "Transfer" }));
}

// Blocks the visitor by session, address or email.
export function blockDialog(conversation) {
  const ways = [["session", "This browser"], ["ip", "This internet address"], conversation.email && ["email", conversation.email]];
  const dialog = openDialog("Block this visitor", form([
    h("p", { class: "soft" }, "Who is blocked can read what was said and write nothing. A running answer stops."),
    field("What", select("by", ways.filter(Boolean), "session")),
    field("How long", select("minutes", FOR_HOW_LONG, "")),
    field("Reason", h("input", { name: "reason", maxlength: 500 }), "The visitor reads this."),
  ], async ({ by, minutes, reason }) => {
    const until = minutes ? new Date(Date.now() + Number(minutes) * MINUTE_MS).toISOString() : null;
    await api.post("operator/block", { conversation_id: conversation.id, by, reason: reason || null, until });
    toast("Blocked.");
    dialog.close();
  }, { submit: "Block" }));
}
