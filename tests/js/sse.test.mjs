// The reader of server-sent events: whatever the pieces, the same events.

import assert from "node:assert/strict";
import test from "node:test";
import { EventParser, readEvents } from "../../static/widget/sse.js";

const bytes = (text) => new TextEncoder().encode(text);

function read(...pieces) {
  const parser = new EventParser();
  const events = [];
  for (const piece of pieces) events.push(...parser.feed(piece));
  return events;
}

const STREAM = 'data: {"type":"chunk","content":"größer 日本 😀 "}\nid: r1-9\n\n: silence\n\ndata: {"type":"done"}\nid: r1-end\n\n';
const EVENTS = [
  { data: '{"type":"chunk","content":"größer 日本 😀 "}', id: "r1-9" },
  { data: '{"type":"done"}', id: "r1-end" },
];

for (const [name, ending] of [["LF", "\n"], ["CRLF", "\r\n"], ["CR", "\r"]]) {
  const whole = bytes(STREAM.replaceAll("\n", ending));

  test(`lines that end in ${name} come whole`, () => {
    // A last CR might be half a CRLF, so that it counts once more follows.
    assert.deepEqual(read(whole, bytes(":\n")), EVENTS);
  });

  test(`cut in two at every byte, lines ending in ${name}`, () => {
    for (let at = 0; at <= whole.length; at++) {
      assert.deepEqual(read(whole.subarray(0, at), whole.subarray(at), bytes(":\n")), EVENTS, `cut at ${at}`);
    }
  });

  test(`cut in three at every two bytes, lines ending in ${name}`, () => {
    for (let one = 0; one <= whole.length; one += 3) {
      for (let two = one; two <= whole.length; two++) {
        const pieces = [whole.subarray(0, one), whole.subarray(one, two), whole.subarray(two), bytes(":\n")];
        assert.deepEqual(read(...pieces), EVENTS, `cut at ${one} and ${two}`);
      }
    }
  });

  test(`byte by byte, lines ending in ${name}`, () => {
    const pieces = Array.from(whole, (byte) => Uint8Array.of(byte));
    assert.deepEqual(read(...pieces, bytes(":\n")), EVENTS);
  });
}

test("a byte order mark, a missing space, several data lines and unknown fields", () => {
  assert.deepEqual(read(bytes("\ufeffdata:one\ndata: two\nevent: x\nretry: 5\nid\n\n")), [{ data: "one\ntwo", id: "" }]);
});

test("an event that never ended is not handed out", () => {
  assert.deepEqual(read(bytes("data: half\nid: r1-4\n")), []);
});

test("an id without data belongs to no event", () => {
  assert.deepEqual(read(bytes("id: r1-4\n\ndata: x\n\n")), [{ data: "x", id: null }]);
});

function body(pieces, problem) {
  return new ReadableStream({
    pull(controller) {
      if (pieces.length) controller.enqueue(pieces.shift());
      else if (problem) controller.error(problem);
      else controller.close();
    },
  });
}

test("a body gives its events, skipping what is no JSON, and tells of every piece", async () => {
  let heard = 0;
  const pieces = [bytes(':\n\ndata: nonsense\n\ndata: 7\n\ndata: {"type":"chu'), bytes('nk"}\nid: r1-1\n\n')];
  const found = [];
  for await (const item of readEvents(body(pieces), () => heard++)) found.push(item);
  assert.deepEqual(found, [{ event: { type: "chunk" }, id: "r1-1" }]);
  assert.equal(heard, 2);
});

test("a broken connection throws, after the events that came", async () => {
  const found = [];
  const reading = async () => {
    for await (const { id } of readEvents(body([bytes('data: {"a":1}\nid: x\n\n')], new TypeError("cut")))) found.push(id);
  };
  await assert.rejects(reading, /cut/);
  assert.deepEqual(found, ["x"]);
});
