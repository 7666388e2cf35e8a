// How many messages wait to be read, on the button and in the page's title; fetched with the first one.

import { h } from "./dom.js";

const badge = h("span", { class: "badge" });
let own = null;

/** Show a count, 0 for none. `words` as in lang/. */
export function show({ button }, { open, unread }, count) {
  badge.textContent = count > 9 ? "9+" : count;
  button.ariaLabel = count ? `${open}, ${unread.replace("{n}", count)}` : open;
  if (count) button.append(badge);
  else badge.remove();
  // The page may have changed its title meanwhile: then that one counts.
  const before = own && document.title === own.shown ? own.title : document.title;
  own = count ? { title: before, shown: `(${count}) ${before}` } : null;
  document.title = own ? own.shown : before;
}
