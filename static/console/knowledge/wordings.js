// A question and other ways to put it: kept in one text, each a sentence of its own, as the answerer reads them.

const SENTENCES = /[^?？؟\n]*[?？؟]+|[^?？؟\n]+/g;
const ENDS = /[?？؟!！.。]$/;
// Writings without spaces have a mark of their own.
const DENSE = /[\u3040-\u30ff\u3400-\u9fff]$/;

// [the question, ...the other wordings]
export function wordingsOf(text) {
  return (text.match(SENTENCES) || []).map((one) => one.trim()).filter(Boolean);
}

// One text of a question and its other wordings.
export function joined(question, others) {
  const all = [question, ...others].map((one) => one.trim()).filter(Boolean);
  return all.length > 1 ? all.map(asSentence).join(" ") : all.join("");
}

function asSentence(wording) {
  if (ENDS.test(wording)) return wording;
  return wording + (DENSE.test(wording) ? "？" : "?");
}
