// Whether the site has a nudge for this page, and for the next one of a page that changes without loading. Fetched
// only for sites that have rules.

/** Call `visit(hasRule)` of the panel for every page with a rule, and for every other one once the panel is there. */
export function watch({ config, signal }, panel, call) {
  let path = null;
  const look = () => {
    if (path === location.pathname) return;
    path = location.pathname;
    let hasRule = false;
    for (const rule of config.nudges) hasRule ||= fits(rule, path);
    if (hasRule || panel()) call("visit", hasRule);
  };
  look();
  // Every change of address by the page's own scripts; where a browser lacks it, only Back and Forward are noticed.
  (window.navigation ?? window).addEventListener(window.navigation ? "currententrychange" : "popstate", look, { signal });
}

/** `*` stands for any run of characters; a trailing slash makes no difference. As in vexar/nudges/nudges.py. */
export function fits(rule, path) {
  const source = rule.replace(/\/$/, "").replace(/[^\w*]/g, "\\$&").replace(/\*/g, ".*");
  return new RegExp(`^${source}/?$`).test(path);
}
