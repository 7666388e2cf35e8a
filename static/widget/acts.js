// What the visitor does in the panel, as the view reports it.

import { reasonOf } from "./words.js";

const TYPING_MS = 3_000;
const DRAFT_MS = 300;

/** The acts that a View calls. */
export function acts(panel) {
  let typedAt = -TYPING_MS;
  let draft = 0;
  const typing = () => {
    clearTimeout(draft);
    draft = setTimeout(() => panel.session && panel.keepPage(), DRAFT_MS);
    if (panel.state.mode !== "operator" || performance.now() - typedAt < TYPING_MS) return;
    typedAt = performance.now();
    panel.attempt(() => panel.api.post("chat/typing"));
  };
  return {
    typing,
    send: (text) => panel.send(text),
    stop: () => stop(panel),
    retry: (letter) => panel.session.mail().then((letters) => letters.retry(letter)).catch(() => {}),
    older: async () => (await panel.session.older()) && panel.view.keepPlace(() => panel.render()),
    close: () => panel.close(),
    menu: (close) => import("./extras.js").then(({ menu }) => menu(panel, close)),
    attach: (file) => import("./image.js").then(({ attach }) => attach(panel, file)),
    detach: () => panel.detach(),
    reason: (note) => reasonOf(panel.words, note),
  };
}

function stop(panel) {
  for (const { message_id, phase } of panel.state.letters.values()) {
    if (phase === "answering") panel.attempt(() => panel.api.post("chat/stop", { message_id }));
  }
}
