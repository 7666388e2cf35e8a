// The bubble at the button: a nudge of the site's rules, or one of the page itself.

import { Api } from "./api.js";
import { dress, h, iconButton } from "./dom.js";

const CSS = `
.nudge { position: fixed; right: var(--vexar-offset-x, 20px); bottom: calc(var(--vexar-offset-y, 20px) + var(--vexar-button-size, 56px) + 12px);
  display: flex; align-items: flex-start; max-width: min(300px, calc(100vw - 40px)); padding: 4px; border: 1px solid var(--edge);
  border-radius: var(--radius); box-shadow: 0 6px 24px #0004; }
.left .nudge { right: auto; left: var(--vexar-offset-x, 20px); }
.open .nudge { display: none; }
.nudge .text { padding: 8px 4px 8px 12px; border: 0; background: none; text-align: start; cursor: pointer; }`;

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
  dress(core.root, CSS);
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
