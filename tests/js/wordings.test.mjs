// A question and its other wordings survive the way into one text and back.

import assert from "node:assert/strict";
import test from "node:test";

import { joined, wordingsOf } from "../../static/console/knowledge/wordings.js";

test("a question with other wordings comes back as it was", () => {
  for (const all of [
    ["Do you ship to Canada?"],
    ["Do you ship to Canada?", "Can you post it to me?", "canada delivery?"],
    ["شحن إلى مصر؟", "هل ترسلون إلى القاهرة؟"],
    ["加拿大可以送吗？", "送到加拿大吗？"],
  ]) assert.deepEqual(wordingsOf(joined(all[0], all.slice(1))), all);
});

test("a wording without a mark gets one, so that the next is a sentence of its own", () => {
  assert.equal(joined("Do you ship", ["to canada "]), "Do you ship? to canada?");
  assert.equal(joined("可以送吗", ["送货"]), "可以送吗？ 送货？");
});

test("what stands alone stays as it was written", () => {
  assert.equal(joined(" Returns ", ["", " "]), "Returns");
  assert.deepEqual(wordingsOf("Returns"), ["Returns"]);
  assert.deepEqual(wordingsOf(""), []);
});

test("lines are wordings, too", () => {
  assert.deepEqual(wordingsOf("Do you ship\nto Canada"), ["Do you ship", "to Canada"]);
});
