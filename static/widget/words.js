// The words of one language, with the styles that are fetched beside them, and the lines made of them.

const LANGUAGES = /^(en|de|fr|es|pt|it|nl|pl|uk|tr|ar|he|zh|ja)$/;

let sheet = null;
const known = new Map();

/** {lang, words, sheet}, fetched once; what failed is fetched again with the next call. */
export async function prepare({ lang: wanted }) {
  const lang = languageOf(wanted());
  if (!known.has(lang)) known.set(lang, import(`./lang/${lang}.js`));
  sheet ??= fetchSheet();
  try {
    const [module, styles] = await Promise.all([known.get(lang), sheet]);
    return { lang, words: module.default, sheet: styles };
  } catch (problem) {
    known.delete(lang);
    sheet = null;
    throw problem;
  }
}

/** The language of the widget for a tag like pt-BR. */
export function languageOf(tag) {
  const base = tag.toLowerCase().split(/[-_]/)[0];
  return LANGUAGES.test(base) ? base : "en";
}

async function fetchSheet() {
  const answer = await fetch(new URL("./widget.css", import.meta.url));
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const sheet = new CSSStyleSheet();
  return sheet.replace(await answer.text());
}

/** The line above the text field, "" for none. */
export function noteText({ state, words, session, hinted }) {
  if (state.blocked) return blockText(words, state.blocked);
  if (navigator.onLine === false) return words.offline;
  for (const { phase, note } of state.letters.values()) {
    if (phase !== "failed" && note && /^(rate_|too_)/.test(note.code)) return words.tooMany;
  }
  return session?.isFailing ? words.offline : hinted;
}

/** Why a message failed. */
export function reasonOf(words, note) {
  if (note?.code === "budget_exhausted") return note.text;
  return note?.code === "blocked" ? words.blocked : words.failed;
}

function blockText(words, { reason, until }) {
  const end = until ? words.until.replace("{time}", new Date(until).toLocaleString()) : "";
  return `${words.blocked} ${reason ?? ""} ${end}`.trim();
}
