// The demo shop's chat: what a page needs to talk to the public API, without the widget.
// A message keeps its id until its answer is whole, so sending it again after a cut never asks twice.

const API = "/api/v1/chat";
const RETRY_MS = 1000;
const MAX_RETRIES = 8;
const PENDING = "juniper.pending";
const ANSWERS = "Answers at once";
const PEOPLE = ["operator", "proactive"];

const scope = { site_key: "sk_demo", session_id: (localStorage["juniper.session"] ??= `sess_${random()}`) };
const query = new URLSearchParams(scope);
const sent = new Set(); // message_ids whose answer this page streams itself
const own = new Set(); // their numbers, to know their replies by
const $ = (id) => document.getElementById(id);
let words = {};

async function start() {
  $("commands").textContent = ["accept", "say", "return"].map(command).join("\n");
  $("form").onsubmit = submit;
  $("text").onkeydown = (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing && submit(event);
  $("stop").onclick = () => post("/stop", { message_id: $("stop").dataset.messageId });
  if (matchMedia("(min-width: 64rem)").matches) open();
  words = await get(`/config?site_key=${scope.site_key}&lang=${navigator.language}`);
  $("name").textContent = words.name;
  $("text").placeholder = words.strings.placeholder;
  $("send").textContent = words.strings.send;
  $("stop").textContent = words.strings.stop;
  const history = await get(`/history?${query}&limit=200`);
  draw({ role: "assistant", content: words.welcome_message });
  history.messages.forEach(draw);
  $("starters").replaceChildren(...(history.messages.length ? [] : words.starters.map(starter)));
  listen(history.cursor);
  resume(history.messages);
}

// After a reload: the answer that was on its way goes on from where it was cut.
function resume(messages) {
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  const question = messages.find((message) => message.message_id === pending?.message_id);
  const isAnswered = question && messages.some((message) => message.reply_to === question.id);
  if (!pending || isAnswered || sent.has(pending.message_id)) return;
  if (question) own.add(question.id);
  ask(pending, Boolean(question));
}

// Everything that does not come as the answer to this page's own question: people, system lines, other tabs.
function listen(cursor) {
  const events = new EventSource(`${API}/events?${query}&since=${cursor}`);
  events.onmessage = ({ data, lastEventId }) => {
    cursor = lastEventId || cursor;
    handle(JSON.parse(data));
  };
  // The browser reconnects by itself, but not after an answer that says no.
  events.onerror = () => events.readyState === EventSource.CLOSED && setTimeout(listen, 3 * RETRY_MS, cursor);
}

function handle(event) {
  if (event.type === "message") arrive(event.message);
  if (event.type === "mode") $("who").textContent = event.operator ? `You talk to ${event.operator.name}` : ANSWERS;
  if (event.type === "typing") $("typing").hidden = !event.on;
  if (event.type === "blocked") $("send").disabled = $("text").disabled = event.blocked;
  if (event.blocked) note(event.reason || words.strings.blocked);
  if (event.type === "reset") location.reload();
}

function arrive(message) {
  if (message.role === "visitor" && sent.has(message.message_id)) own.add(message.id);
  else if (!own.has(message.reply_to)) draw(message);
  if (PEOPLE.includes(message.role)) open();
}

function submit(event) {
  event.preventDefault();
  const message = $("text").value.trim();
  if (!message || $("send").hidden || $("send").disabled) return;
  $("text").value = "";
  send(message);
}

const open = () => $("chat").togglePopover(true);
const scroll = () => $("log").scrollTo(0, $("log").scrollHeight);
const note = (text) => draw({ role: "system problem", content: text });
const starter = (text) => element("button", { type: "button", textContent: text, onclick: () => send(text) });
const send = (message) => ask({ message, message_id: `m_${random()}`, text: "", last: "" });

// `pending`: the question, and how much of its answer was shown up to which event id; kept over a reload.
async function ask(pending, isDrawn = false) {
  sent.add(pending.message_id);
  $("starters").replaceChildren();
  if (!isDrawn) draw({ role: "visitor", content: pending.message });
  const bubble = draw({ role: "assistant writing", content: pending.text });
  busy(pending.message_id);
  try {
    await answer(pending, bubble);
  } catch (problem) {
    note(problem.message);
  }
  sessionStorage.removeItem(PENDING);
  bubble.classList.remove("writing");
  if (!pending.text) bubble.remove();
  busy(null);
}

// The same POST again and again, each time from where the last one was cut, until `done` with an id has come.
async function answer(pending, bubble) {
  for (let tries = 0; tries < MAX_RETRIES; tries += 1) {
    sessionStorage.setItem(PENDING, JSON.stringify(pending));
    const response = await post("/stream", pending, pending.last).catch(() => null);
    if (response?.status === 204) return;
    if (response && !response.ok && response.status !== 503) throw new Error((await response.json()).error);
    if (response?.ok && (await read(response, pending, bubble).catch(() => false))) return;
    await new Promise((resume) => setTimeout(resume, RETRY_MS));
  }
  throw new Error(words.strings.offline);
}

async function read(response, pending, bubble) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let isWhole = false;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + decoder.decode(part.value, { stream: true })).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.match(/^data: ([^\n]*)/m);
      const id = block.match(/\nid: ([^\n]*)/)?.[1];
      if (data) isWhole = take(JSON.parse(data[1]), id, pending, bubble);
    }
    sessionStorage.setItem(PENDING, JSON.stringify(pending));
  }
  return isWhole;
}

// One event of an answer; true when it was the last. A `done` without an id means: send it again.
function take(event, id, pending, bubble) {
  if (event.type === "reset") pending.text = "";
  if (event.type === "chunk") pending.text += event.content;
  if (id) pending.last = id;
  if (event.type === "error" && event.code !== "restarting") note(event.error);
  if (event.type === "done") addSources(bubble, event.meta.sources);
  bubble.firstChild.textContent = pending.text;
  scroll();
  return event.type === "done" && Boolean(id);
}

function draw({ role, content, sources = [], operator, image_url }) {
  const bubble = element("div", { className: `message ${role}` }, element("p", { textContent: content }));
  if (operator) bubble.prepend(element("small", { textContent: operator.name }));
  if (image_url) bubble.append(element("a", { href: image_url, textContent: "Picture" }));
  addSources(bubble, sources);
  $("log").append(bubble);
  scroll();
  return bubble;
}

function addSources(bubble, sources) {
  const links = sources.filter(({ url }) => /^(\/|https?:)/.test(url ?? ""))
    .map(({ title, url }) => element("li", {}, element("a", { href: url, textContent: title })));
  if (links.length) bubble.append(element("ul", { className: "sources" }, ...links));
}

const post = (path, fields, last) => fetch(API + path, {
  method: "POST",
  headers: { "Content-Type": "application/json", Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) },
  body: JSON.stringify({ ...scope, message: fields.message, message_id: fields.message_id, lang: navigator.language }),
});

async function get(path) {
  const answer = await (await fetch(API + path)).json();
  if (!answer.success) throw new Error(answer.error);
  return answer;
}

function busy(messageId) {
  $("send").hidden = Boolean(messageId);
  $("stop").hidden = !messageId;
  $("stop").dataset.messageId = messageId ?? "";
}

function command(name) {
  const text = name === "say" ? ' "Hello, this is a person."' : "";
  return `.venv/bin/python app.py ${name} --site ${scope.site_key} --session ${scope.session_id}${text}`;
}

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

start().catch((problem) => note(problem.message));
