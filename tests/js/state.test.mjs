// The state of a conversation: letters become messages, nothing doubles, nothing is lost, order is by id.

import assert from "node:assert/strict";
import test from "node:test";
import { State } from "../../static/widget/state.js";
import { Announcer, backoffMs } from "../../static/widget/outbox.js";

const message = (id, role, more = {}) => ({ id, role, content: `text ${id}`, message_id: null, reply_to: null,
  status: "complete", sources: [], ...more });
const page = (messages, more = {}) => ({ messages, has_more: false, mode: "ai", conversation_id: 1,
  cursor: messages.at(-1)?.id ?? 0, ...more });
const texts = (state) => [...state.rows()].map(({ role, text }) => `${role}: ${text}`);
const done = (more) => ({ type: "done", meta: { finish_reason: "stop", reply_id: 2, mode: "ai", conversation_id: 1, ...more } });

function asked() {
  const state = new State();
  const letter = state.letter("a", { text: "hi", phase: "answering" });
  state.hear(letter, { type: "chunk", content: "he" });
  return { state, letter };
}

test("shows a letter, then its growing answer", () => {
  const { state, letter } = asked();
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: he"]);
  state.hear(letter, { type: "chunk", content: "llo" });
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: hello"]);
});

const STORED = [message(1, "visitor", { message_id: "a", content: "hi" }), message(2, "assistant", { reply_to: 1, content: "hello" })];

test("stored messages take the letter's place under the same keys, in any order of arrival", () => {
  const orders = [["v", "r", "d"], ["v", "d", "r"], ["r", "v", "d"], ["r", "d", "v"], ["d", "v", "r"], ["d", "r", "v"]];
  for (const order of orders) {
    const { state, letter } = asked();
    state.hear(letter, { type: "chunk", content: "llo" });
    const keys = [...state.rows()].map(({ key }) => key);
    for (const step of order) {
      if (step === "d") state.hear(letter, done());
      else state.add(STORED[step === "v" ? 0 : 1]);
    }
    assert.deepEqual(texts(state), ["visitor: hi", "assistant: hello"], order.join());
    if (order.indexOf("v") < order.indexOf("r")) assert.deepEqual([...state.rows()].map(({ key }) => key), keys, order.join());
    assert.equal(state.letters.size, 0, order.join());
  }
});

test("the same message twice is shown once", () => {
  const state = new State();
  state.addPage(page(STORED));
  assert.equal(state.add(STORED[1]), false);
  state.addPage(page(STORED));
  assert.equal(texts(state).length, 2);
});

test("reset forgets what was shown of the answer, and only that", () => {
  const { state, letter } = asked();
  state.hear(letter, { type: "reset" });
  state.hear(letter, { type: "chunk", content: "again" });
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: again"]);
});

test("an answer that broke off is kept once, the letter can be tried again and gets an answer of its own", () => {
  const { state, letter } = asked();
  state.add(STORED[0]);
  state.hear(letter, { type: "error", code: "upstream_broken", error: "broke" });
  state.hear(letter, done({ finish_reason: "error", reply_id: 2 }));
  state.add(message(2, "assistant", { reply_to: 1, content: "he", status: "interrupted" }));
  assert.equal(letter.phase, "failed");
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: he", "assistant: "]);
  state.again(letter);
  letter.phase = "answering";
  state.hear(letter, { type: "chunk", content: "hello" });
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: he", "assistant: hello"]);
  assert.equal(new Set([...state.rows()].map(({ key }) => key)).size, 3);
  state.hear(letter, done({ reply_id: 3 }));
  state.add(message(3, "assistant", { reply_to: 1, content: "hello" }));
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: he", "assistant: hello"]);
  assert.equal(state.letters.size, 0);
});

test("a person who takes over leaves no half answer behind", () => {
  const { state, letter } = asked();
  state.add(STORED[0]);
  state.add(message(2, "assistant", { reply_to: 1, content: "he", status: "interrupted" }));
  state.add(message(3, "system"));
  state.hear(letter, done({ finish_reason: "operator", mode: "operator" }));
  assert.deepEqual(texts(state), ["visitor: hi", "assistant: he", "system: text 3"]);
  assert.equal(state.mode, "operator");
});

test("with a person there is no answer to wait for", () => {
  const state = new State();
  const letter = state.letter("a", { text: "hi", phase: "answering" });
  state.hear(letter, done({ finish_reason: "operator", reply_id: null, mode: "operator" }));
  assert.equal(state.letters.size, 1);
  state.add(STORED[0]);
  assert.equal(state.letters.size, 0);
});

test("older pages come in front, and a page beyond a hole begins anew", () => {
  const state = new State();
  state.addPage(page([message(3, "visitor"), message(4, "assistant")], { has_more: true }));
  assert.ok(state.hasMore);
  state.addPage(page([message(1, "visitor"), message(2, "assistant")]), true);
  assert.deepEqual([...state.rows()].map((row) => row.message.id), [1, 2, 3, 4]);
  assert.ok(!state.hasMore);
  assert.ok(state.isNext(5) && !state.isNext(6));
  state.addPage(page([message(90, "visitor"), message(91, "assistant")], { has_more: true }));
  assert.deepEqual([...state.rows()].map((row) => row.message.id), [90, 91]);
  assert.ok(state.hasMore);
});

test("unread are the messages of others behind what was read", () => {
  const state = new State();
  state.addPage(page([message(1, "visitor"), message(2, "assistant"), message(3, "system"), message(4, "operator")]));
  state.read = 1;
  assert.equal(state.unread, 2);
  state.read = 4;
  assert.equal(state.unread, 0);
});

test("random orders of chunks, stored messages and repeats end in the same rows", () => {
  let seed = 11;
  const next = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
  for (let round = 0; round < 300; round++) {
    const { state, letter } = asked();
    const steps = [() => state.add(STORED[0]), () => state.add(STORED[1]), () => state.hear(letter, done()),
      () => state.addPage(page(STORED)), () => state.add(STORED[0])];
    while (steps.length) steps.splice(next(steps.length), 1)[0]();
    assert.deepEqual(texts(state), ["visitor: hi", "assistant: hello"]);
    assert.equal(state.letters.size, 0);
  }
});

test("a screen reader is told whole sentences, and the rest at the end", () => {
  const announcer = new Announcer();
  const told = [];
  const answer = "It costs **3.50** euros. Delivery is free! Then";
  for (let at = 1; at <= answer.length; at++) told.push(announcer.next(answer.slice(0, at), false));
  assert.deepEqual(told.filter(Boolean), ["It costs 3.50 euros.", "Delivery is free!"]);
  assert.equal(announcer.next(`${answer} more`, true), "Then more");
});

test("waiting grows to fifteen seconds and is never the same for all", () => {
  assert.equal(backoffMs(0, 0), 250);
  assert.equal(backoffMs(0, 1), 500);
  assert.equal(backoffMs(99, 1), 15_000);
});
