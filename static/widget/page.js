// The page around the panel: its network, its tabs, its visibility, the keyboard of a phone.

import { isPhone } from "./view.js";

const FOLLOW_MS = 200;

/** Keep a panel in step with the page, until it is shut down. */
export function watchPage(panel) {
  const { core, keep } = panel;
  const on = (target, type, listener) => target?.addEventListener(type, listener, { signal: core.signal });
  let isPaused = false;
  on(window, "online", () => panel.session?.wake());
  on(window, "offline", () => panel.render());
  // A page that is left, perhaps for good, holds no connection and nobody's turn.
  on(window, "pagehide", () => {
    isPaused = Boolean(panel.session);
    if (isPaused) panel.keepPage();
    panel.leave();
  });
  on(window, "pageshow", ({ persisted }) => persisted && isPaused && panel.begin());
  on(window, "storage", ({ key }) => (key ?? keep.name) === keep.name && follow(panel));
  on(document, "visibilitychange", () => {
    panel.listen();
    panel.session?.seen();
  });
  const fit = () => isPhone(core) && cover(panel.view);
  on(window.visualViewport, "resize", fit);
  on(window.visualViewport, "scroll", fit);
}

/** Another tab may have forgotten the visitor. What it began anew may still be on its way here: wait for it. */
function follow(panel) {
  const isSame = () => !panel.session || panel.keep.get("session") === panel.api.scope.session_id;
  if (!isSame()) setTimeout(() => isSame() || panel.follow(), FOLLOW_MS);
}

/** The keyboard of a phone covers the page: keep to what can be seen. */
function cover(view) {
  view.panel.style.setProperty("--height", `${visualViewport.height}px`);
  view.panel.style.setProperty("--top", `${visualViewport.offsetTop}px`);
  view.toEnd();
}
