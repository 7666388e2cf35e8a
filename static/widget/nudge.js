// The bubble at the button: a nudge of the site's rules, or one of the page itself.

import { Api } from "./api.js";
import { h, iconButton } from "./dom.js";

let waiting = 0;

/** Ask for the nudge of this page, show it after its delay, report what the visitor did with it. */
export async function visit(panel) {
  const { core, keep } = panel;
  const path = location.pathname;
  const isHere = () => !core.signal.aborted && !panel.isOpen && location.pathname === path;
  const api = panel.api ?? new Api(core.base, core.key, keep.begin());
  clearTimeout(waiting);
  drop(core);
  const { messages } = await api.get("chat/pending-proactive", { path, since: keep.get("read") ?? 0 });
  for (const nudge of messages) {
    if (nudge.rule_path === null || Object.hasOwn(keep.get("dismissed") ?? {}, nudge.rule_path)) continue;
    if (isHere()) waiting = setTimeout(() => isHere() && show(panel, api, nudge), nudge.delay_seconds * 1000);
    return;
  }
}

function show(panel, api, { content, rule_path }) {
  const { keep } = panel;
  const report = (event) => api.post("proactive/event", { event, rule_path }).catch(() => {});
  const dismiss = () => keep.set("dismissed", { ...keep.get("dismissed"), [rule_path]: true });
  bubble(panel, content, {
    clicked: () => (report("clicked"), dismiss(), panel.open()),
    dismissed: () => (report("dismissed"), dismiss()),
  });
  report("shown");
}

/** Show a bubble; only one at a time. */
export function bubble({ core, words }, content, { clicked, dismissed = () => {} }) {
  drop(core);
  const end = (then) => () => {
    box.remove();
    then();
  };
  const text = h("button", { type: "button", class: "text", dir: "auto", onclick: end(clicked) }, content);
  const box = h("div", { class: "nudge", role: "status" }, text, iconButton("close", words.close, end(dismissed)));
  core.side.append(box);
}

function drop({ side }) {
  side.querySelector(".nudge")?.remove();
}
