// The tag of a site: draws the button, keeps the calls of the page, loads the panel when it is wanted. Stores nothing,
// and asks the server only for chat/config. Never throws into the page.
(() => {
  "use strict";
  const VERSION = "__VERSION__";
  const PHONE = "(max-width: 480px)";
  const OPTIONS = "key lang position color theme shape open inline".split(" ");
  const WORDS = {
    en: "Open chat", de: "Chat öffnen", fr: "Ouvrir le chat", es: "Abrir el chat", pt: "Abrir o chat", it: "Apri la chat",
    nl: "Chat openen", pl: "Otwórz czat", uk: "Відкрити чат", tr: "Sohbeti aç", ar: "فتح الدردشة", he: "פתיחת הצ'אט",
    zh: "打开聊天", ja: "チャットを開く",
  };
  const CSS = `
:host { all: initial !important; display: block !important; position: fixed !important; width: 0 !important;
  height: 0 !important; bottom: 0 !important; right: 0 !important; z-index: var(--vexar-z-index, 2147483647) !important; }
:host([data-hidden]) { display: none !important; }
:host([data-inline]) { position: static !important; width: auto !important; height: auto !important; }
.button { box-sizing: border-box; position: fixed; bottom: var(--vexar-offset-y, 20px); right: var(--vexar-offset-x, 20px);
  width: var(--vexar-button-size, 56px); height: var(--vexar-button-size, 56px); padding: 0; border: 0; cursor: pointer;
  border-radius: var(--vexar-button-radius, 50%); background: var(--vexar-primary, var(--vexar-own-primary));
  color: var(--vexar-on-primary, var(--vexar-own-on-primary)); box-shadow: 0 4px 16px #0004; }
.button:focus-visible { outline: 3px solid currentColor; outline-offset: -6px; }
.left .button { right: auto; left: var(--vexar-offset-x, 20px); }
.square .button { border-radius: var(--vexar-button-radius, 12px); }
.button svg { width: 50%; height: 50%; fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.badge { position: absolute; top: -4px; right: -4px; min-width: 20px; padding: 0 4px; box-sizing: border-box;
  border-radius: 10px; background: #c5221f; color: #fff; font: bold 12px/20px system-ui, sans-serif; }
[hidden] { display: none !important; }
@media print { :host { display: none !important; } }`;

  const script = document.currentScript;
  const early = window.Vexar;
  if (!script || early?.version) return;
  const settings = {};
  for (const name of OPTIONS) if (name in script.dataset) settings[name] = script.dataset[name];
  const base = new URL("../", script.src).href;
  const at = (name) => new URL(`./${VERSION}/${name}`, script.src).href;
  const warn = (problem) => console.warn(`vexar: ${problem?.message ?? problem}`);
  const listeners = new Map();
  const queue = new Set();
  const over = new AbortController();
  let panel = null;
  let module = null;
  let loading = null;
  let config = null;

  const host = document.createElement("vexar-chat");
  const root = host.attachShadow({ mode: "open" });
  const button = document.createElement("button");
  const badge = document.createElement("span");
  const core = {
    base, key: settings.key, settings, host, root, button, signal: over.signal, inline: "inline" in settings,
    lang: () => settings.lang || document.documentElement.lang || navigator.language || "en",
    isPhone: () => !core.inline && matchMedia(PHONE).matches,
    emit,
    setOpen(isOpen) {
      button.setAttribute("aria-expanded", isOpen);
      root.firstChild.classList.toggle("open", isOpen);
      tab("open", isOpen);
    },
    setBadge(count, label) {
      badge.hidden = !count;
      badge.textContent = count > 9 ? "9+" : count;
      button.setAttribute("aria-label", label ? `${name()}, ${label}` : name());
    },
  };
  const name = () => WORDS[core.lang().slice(0, 2).toLowerCase()] ?? WORDS.en;

  function emit(type, detail = {}) {
    for (const listener of listeners.get(type) ?? []) {
      try {
        listener(detail);
      } catch (problem) {
        warn(problem);
      }
    }
  }

  /** What this tab did on the page before; `value` only after the visitor opened the chat. */
  function tab(name, value) {
    try {
      if (value === undefined) return sessionStorage.getItem(`vexar:${name}`) === "true";
      sessionStorage.setItem(`vexar:${name}`, value);
    } catch {
      // Storage is refused: the chat just does not open by itself on the next page.
    }
    return false;
  }

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(`vexar:${settings.key}`)) ?? {};
    } catch {
      return {};
    }
  }

  async function configure() {
    const query = new URLSearchParams({ site_key: settings.key, lang: core.lang() });
    const answer = await fetch(`${base}api/v1/chat/config?${query}`);
    const found = await answer.json();
    if (!found.success) throw new Error(found.error);
    core.config = found;
    paint(found);
  }

  function paint({ primary_color, position, button_style }) {
    const color = /^#[\da-f]{6}$/i.test(settings.color ?? primary_color) ? (settings.color ?? primary_color) : "#2f5bea";
    const part = (from) => (parseInt(color.slice(from, from + 2), 16) / 255) ** 2.2;
    const isDark = 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) < 0.18;
    host.style.setProperty("--vexar-own-primary", color);
    host.style.setProperty("--vexar-own-on-primary", isDark ? "#fff" : "#000");
    root.firstChild.className = `side ${(settings.position ?? position) === "left" ? "left" : "right"} ${
      /square/.test(settings.shape ?? button_style) ? "square" : "rounded"} ${
      /^(light|dark)$/.test(settings.theme) ? settings.theme : "auto"}`;
    button.hidden = core.inline;
  }

  const prepare = () => (module ??= import(at("panel.js")));

  function load() {
    loading ??= Promise.all([prepare(), config])
      .then(([{ start }]) => start(core))
      .then((started) => {
        panel = started;
        for (const [name, values] of queue) panel[name](...values);
        queue.clear();
        return panel;
      })
      .catch((problem) => {
        module = loading = null;
        config = configure();
        config.catch(() => {});
        emit("error", { code: "load", text: String(problem?.message) });
        warn(problem);
      });
    return loading;
  }

  function call(name, values, isWaking = true) {
    if (over.signal.aborted) return;
    if (panel) {
      panel[name](...values);
      return;
    }
    queue.add([name, values]);
    if (isWaking) load();
  }

  function warm() {
    Promise.all([prepare(), config]).then(([module]) => module.prepare(core)).catch(() => (module = null));
  }

  function visit() {
    const path = location.pathname;
    const trim = (text) => text.replace(/(.)\/+$/, "$1");
    for (const pattern of core.config.nudges ?? []) {
      const source = trim(pattern).replace(/[.+?^${}()|[\]\\]/g, "\\$&").replace(/\*/g, ".*");
      if (new RegExp(`^${source}$`, "s").test(trim(path))) {
        call("visit", []);
        return;
      }
    }
  }

  const api = {
    version: VERSION,
    on(type, listener) {
      if (!listeners.has(type)) listeners.set(type, new Set());
      listeners.get(type).add(listener);
      return () => api.off(type, listener);
    },
    off(type, listener) {
      listeners.get(type)?.delete(listener);
    },
    show: () => host.removeAttribute("data-hidden"),
    hide: () => host.setAttribute("data-hidden", ""),
    setLanguage(lang) {
      settings.lang = String(lang);
      core.setBadge(0);
      if (panel) call("setLanguage", [lang]);
    },
    shutdown() {
      panel?.shutdown();
      over.abort();
      host.remove();
    },
    push: (values) => api[values[0]]?.(...[...values].slice(1)),
  };
  for (const name of ["open", "toggle", "send", "nudge", "reset"]) api[name] = (...values) => call(name, values);
  for (const name of ["close", "identify"]) api[name] = (...values) => call(name, values, false);

  function draw() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    const side = document.createElement("div");
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", "M4 5h16v11H10l-5 4v-4H4z");
    svg.append(path);
    button.className = "button";
    button.hidden = true;
    for (const [name, value] of [["type", "button"], ["part", "button"], ["aria-haspopup", "dialog"], ["aria-expanded", "false"]]) {
      button.setAttribute(name, value);
    }
    badge.className = "badge";
    button.append(svg, badge);
    side.append(button);
    root.append(side);
    core.setBadge(0);
    button.addEventListener("click", api.toggle);
    for (const type of ["pointerenter", "focus"]) button.addEventListener(type, warm, { once: true });
    const place = core.inline && settings.inline ? document.querySelector(settings.inline) : null;
    if (core.inline) host.setAttribute("data-inline", "");
    (place ?? document.documentElement).append(host);
  }

  async function begin() {
    if (!settings.key) throw new Error("the tag needs data-key");
    draw();
    window.Vexar = api;
    config = configure();
    for (const values of Array.isArray(early) ? early : []) api.push(values);
    await config;
    emit("ready");
    const { session, mode } = kept();
    if (core.inline || "open" in settings || (session && tab("open") && !core.isPhone())) call("open", []);
    else if (session && mode === "operator") call("resume", []);
    visit();
    window.navigation?.addEventListener("navigatesuccess", visit, { signal: over.signal });
  }

  begin().catch(warn);
})();
