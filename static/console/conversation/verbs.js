// What can be done with a conversation besides writing, and the small dialogs it needs. Every function resolves when
// it is over, done or not; refusals of the server are thrown.

import { api, readAll } from "../lib/api.js";
import { confirmDialog, openDialog, toast } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { field, form, select } from "../lib/form.js";

const FOR_HOW_LONG = [["60", "An hour"], ["1440", "A day"], ["10080", "A week"], ["", "For good"]];
const MINUTE_MS = 60_000;

export const VERBS = {
  accept: (app, row) => api.post(`operator/accept/${row.id}`),
  return: (app, row) => api.post(`operator/return-to-ai/${row.id}`),
  unblock: (app, row) => api.post(`operator/unblock/${row.id}`),
  takeOver,
  transfer,
  block,
  close,
  erase,
};

async function takeOver(app, row) {
  const sentence = `${row.operator.name} answers this visitor at the moment.`;
  if (!(await confirmDialog("Take the conversation over?", sentence, "Take over"))) return;
  await api.post(`operator/transfer/${row.id}`, { operator_id: app.user.id });
}

async function close(app, row) {
  const sentence = "The visitor is told, and begins a new conversation with the next message.";
  if (await confirmDialog("Close the conversation?", sentence, "Close it")) await api.post(`operator/close/${row.id}`);
}

// For privacy requests: there is no way back.
async function erase(app, row) {
  const sentence = "Every conversation, contact and image of this visitor goes, for good.";
  if (!(await confirmDialog(`Erase ${row.visitor_name}?`, sentence, "Erase for good"))) return;
  await api.del(`visitors/${row.visitor_id}`);
  toast("Erased.");
  app.go("inbox", { replace: true });
}

// Hands the conversation to a colleague who may chat on its site.
async function transfer(app, row) {
  const data = await readAll(`sites/${row.site_id}/team`);
  const others = data.filter((one) => one.id !== app.user.id && one.can_chat !== false);
  if (!others.length) {
    toast("Nobody else answers for this site; the owner can invite colleagues on the page Team.", "bad");
    return;
  }
  others.sort((one, other) => Number(Boolean(other.online)) - Number(Boolean(one.online)));
  const people = others.map((one) => [one.id, one.name + (one.online ? " (online)" : "")]);
  await ask("Transfer the conversation", [field("To", select("operator_id", people, others[0].id))], "Transfer",
    ({ operator_id: id }) => api.post(`operator/transfer/${row.id}`, { operator_id: Number(id) }));
}

// Blocks the visitor by session, address or email.
async function block(app, row) {
  const ways = [["session", "This browser"], ["ip", "This internet address"], row.email && ["email", row.email]];
  await ask("Block this visitor", [
    h("p", { class: "soft" }, "A blocked visitor can read what was said and write nothing. A running answer stops."),
    field("What", select("by", ways.filter(Boolean), "session")),
    field("How long", select("minutes", FOR_HOW_LONG, "1440")),
    field("Reason", h("input", { name: "reason", maxlength: 500 }), "The visitor reads this."),
  ], "Block", async ({ by, minutes, reason }) => {
    const until = minutes ? new Date(Date.now() + Number(minutes) * MINUTE_MS).toISOString() : null;
    await api.post("operator/block", { conversation_id: row.id, by, reason: reason || null, until });
    toast("Blocked.");
  });
}

// A form in a dialog, until it was sent or closed.
function ask(title, fields, submit, save) {
  return new Promise((resolve) => {
    const dialog = openDialog(title, form(fields, async (given) => {
      await save(given);
      dialog.close();
    }, { submit }), { onClose: resolve });
  });
}
