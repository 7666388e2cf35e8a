// The bubble at the button: a nudge of the site's rules, or one of the page itself.

import { h, iconButton } from "./dom.js";

/** Ask for the nudge of this page, show it after its delay, report what the visitor did with it. */
export async function visit(core, words, keep, api, open) {
  const path = location.pathname;
  const dismissed = keep.get("dismissed") ?? {};
  const { messages } = await api.get("chat/pending-proactive", { path, since: keep.get("read") ?? 0 });
  for (const nudge of messages) {
    const { rule_path } = nudge;
    if (rule_path === null || Object.hasOwn(dismissed, rule_path)) continue;
    const report = (event) => api.post("proactive/event", { event, rule_path }).catch(() => {});
    const forget = () => keep.set("dismissed", { ...keep.get("dismissed"), [rule_path]: true });
    await new Promise((resolve) => setTimeout(resolve, nudge.delay_seconds * 1000));
    if (core.signal.aborted || location.pathname !== path || core.isOpen) return;
    bubble(core, words, nudge, {
      clicked: () => (report("clicked"), forget(), open()),
      dismissed: () => (report("dismissed"), forget()),
    });
    report("shown");
    return;
  }
}

/** Show a bubble; only one at a time. */
export function bubble(core, words, { content }, { clicked, dismissed = () => {} }) {
  const side = core.root.firstChild;
  side.querySelector(".nudge")?.remove();
  const end = (then) => () => {
    box.remove();
    then();
  };
  const text = h("button", { type: "button", class: "text", dir: "auto", onclick: end(clicked) }, content);
  const box = h("div", { class: "nudge", role: "status" }, text, iconButton("close", words.close, end(dismissed)));
  side.append(box);
}
