// The tag of a site: draws the button, keeps the calls of the page, loads the panel when it is wanted. Stores nothing,
// and asks the server only for chat/config. Never throws into the page.
(() => {
  "use strict";
  const VERSION = "__VERSION__";
  const CSS = `
:host{all:initial!important;position:fixed!important;z-index:var(--vexar-z-index,2147483647)!important}
:host([data-inline]){display:block!important;position:static!important}
:host([data-hidden]),[hidden]{display:none!important}
.button{position:fixed;bottom:var(--vexar-offset-y,20px);right:var(--vexar-offset-x,20px);padding:0;border:0;
width:var(--vexar-button-size,56px);aspect-ratio:1;border-radius:var(--vexar-button-radius,50%);
--p:var(--vexar-primary,var(--vexar-own-primary));background:var(--p);--w:clamp(0,(.179 - y)*9e9,1);
color:color(from var(--p) xyz calc(.95*var(--w)) var(--w) calc(1.089*var(--w)));box-shadow:0 4px 16px #0004;cursor:pointer}
.button:focus-visible{outline:3px solid;outline-offset:-6px}
.left .button{right:auto;left:var(--vexar-offset-x,20px)}
.square .button{border-radius:12px}
[aria-busy]::before{opacity:.4}
.button::before{content:"";display:block;width:28px;height:28px;margin:auto;background:currentColor;
clip-path:path("M3 4h22v16H13l-6 5v-5H3z")}
.open .button::before{clip-path:path("M4 9h4l6 6 6-6h4L14 19z")}
@media (forced-colors:active){.button{border:2px solid}.button::before{background:ButtonText}}
@media print{:host{display:none!important}}`;

  const script = document.currentScript;
  const early = window.Vexar;
  if (!script || early?.version) return console.warn("vexar: needs one classic script tag");
  const settings = {};
  for (const name of "key lang position color theme shape open inline".split(" ")) settings[name] = script.dataset[name];
  const base = new URL("../", script.src).href;
  const warn = (problem) => console.warn(`vexar: ${problem}`);
  const listeners = {};
  const calls = new Set();
  const over = new AbortController();
  const root = document.createElement("vexar-chat").attachShadow({ mode: "open" });
  const { host } = root;
  const button = document.createElement("button");
  const side = document.createElement("div");
  const inline = settings.inline != null;
  let panel, module, loading, config, told;

  const core = {
    base, settings, host, root, side, button, inline, emit, key: settings.key, signal: over.signal,
    lang: () => settings.lang || document.documentElement.lang || navigator.language || "en",
  };

  function emit(type, detail = {}) {
    for (const listener of listeners[type] ?? []) guard(listener, detail);
  }

  /** Nothing is thrown into the page. */
  async function guard(act, ...values) {
    try {
      await act(...values);
    } catch (problem) {
      warn(problem);
    }
  }

  /** What an earlier page stored: only the panel writes it, once the visitor has opened the chat. */
  const kept = (storage) => JSON.parse(window[storage].getItem(`vexar:${settings.key}`)) ?? {};

  async function configure() {
    const found = await (await fetch(`${base}api/v1/chat/config?site_key=${settings.key}&lang=${core.lang()}`)).json();
    if (!found.success) throw Error(found.error);
    core.config = found;
    paint(found);
  }

  function paint({ primary_color, header_color, position, button_style, strings }) {
    host.style.setProperty("--vexar-own-primary", settings.color ?? primary_color);
    host.style.setProperty("--vexar-own-header", settings.color ?? header_color);
    side.className = `${settings.position ?? position} ${settings.shape ?? button_style} ${settings.theme}`;
    button.ariaLabel = strings.open;
    button.hidden = inline;
  }

  function draw() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    button.className = "button";
    button.hidden = true;
    button.ariaHasPopup = "dialog";
    button.ariaExpanded = "false";
    button.onclick = api.toggle;
    button.onpointerenter = button.onfocus = warm;
    side.append(button);
    root.append(side);
    host.toggleAttribute("data-inline", inline);
    ((settings.inline && document.querySelector(settings.inline)) || document.documentElement).append(host);
    if (inline) return;
    // The top layer: no z-index, transform or filter of the page reaches there.
    host.popover = "manual";
    host.showPopover?.();
  }

  // A failed import is remembered by some browsers: the next try has other addresses, which the server knows as well.
  let tries = "";
  const fetched = (name) => import(`${base}widget/${VERSION}${tries}/${name}.js`);
  // All at once: on a slow line every round of files that waits for another one is half a second.
  const words = () => fetched("words").then(({ prepare }) => prepare(core));
  const prepare = () => Promise.all([(module ??= fetched("panel")), (config ??= configure()), words()]);
  const warm = () => prepare().catch(fail);

  async function load() {
    button.ariaBusy = true;
    try {
      const [{ start }] = await prepare();
      panel = await start(core);
      for (const [name, values] of calls) call(name, ...values);
    } catch (problem) {
      fail(problem);
    }
    button.ariaBusy = null;
    calls.clear();
  }

  /** Say once why there is no chat; the next call tries again. */
  function fail(problem) {
    told ??= fetched("trouble").then(({ tell }) => tell(core, problem), warn);
    tries = `.${Date.now()}`;
    module = config = loading = null;
    emit("error", { code: "load", text: `${problem}` });
  }

  function call(name, ...values) {
    if (over.signal.aborted) return;
    if (panel) return guard(() => panel[name](...values));
    calls.add([name, values]);
    if (!/close|ident/.test(name)) loading ??= load();
  }

  const api = {
    version: VERSION,
    on(type, listener) {
      (listeners[type] ??= new Set()).add(listener);
      return () => api.off(type, listener);
    },
    off: (type, listener) => listeners[type]?.delete(listener),
    show: () => host.toggleAttribute("data-hidden", false),
    hide: () => host.toggleAttribute("data-hidden", true),
    setLanguage(lang) {
      settings.lang = `${lang}`;
      panel && call("setLanguage");
    },
    shutdown() {
      panel?.shutdown();
      over.abort();
      host.remove();
      // The tag may come again, on another page of the same document.
      api.version = 0;
    },
    push: ([name, ...values]) => api[name]?.(...values),
  };
  for (const name of "open close toggle send identify nudge reset".split(" ")) {
    api[name] = (...values) => call(name, ...values);
  }

  /** Go on with what an earlier page left; a storage that refuses has nothing. */
  function resume() {
    try {
      (kept("localStorage").live || kept("sessionStorage").open) && call("resume");
    } catch {}
  }

  async function begin() {
    draw();
    window.Vexar = api;
    for (const values of early?.length ? early : []) api.push(values);
    await (config ??= configure());
    emit("ready");
    if (inline || settings.open != null) call("open");
    else resume();
    if (core.config.nudges[0]) (await fetched("rules")).watch(core, () => panel, call);
  }

  begin().catch(fail);
})();
