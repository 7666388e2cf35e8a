// A reading of the website: begun, watched while it runs, and put into words.

import { api } from "../lib/api.js";
import { toast } from "../lib/dialog.js";

const LOOK_MS = 1_500;
const AFTER_PROBLEM_MS = 5_000;

// What became of pages that are no entry; in the order in which an owner wants to know.
const REASONS = {
  failed: "could not be read now; the next reading tries again",
  too_large: "are too large",
  robots: "are closed by the site's robots.txt",
  noindex: "ask not to be indexed",
  gone: "do not exist",
  empty: "have no text",
  duplicate: "say the same as another page",
  canonical: "are another address of a page",
  redirect: "lead to another page",
  elsewhere: "lead to another website",
  not_html: "are pictures or documents",
};
// What an owner can do something about.
const ERRORS = ["failed", "too_large"];

// Begins to read the site; whether one runs now. `button` waits meanwhile.
export async function startCrawl(page, button) {
  if (button.getAttribute("aria-disabled") === "true") return false;
  button.setAttribute("aria-disabled", "true");
  try {
    await api.post(`${page.path}/crawl`);
    return true;
  } catch (problem) {
    // Somebody was faster: it is watched as well as one's own.
    if (problem.status === 409) return true;
    toast(problem.message, "bad");
    return false;
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

// Ends a reading of the site after the page it is at; `button` waits meanwhile.
export async function stopCrawl(page, button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  await api.del(`${page.path}/crawl`).catch((problem) => toast(problem.message, "bad"));
  button.removeAttribute("aria-disabled");
}

// Looks at the state of a site's crawl, again and again while one runs and the page is in sight.
export class CrawlWatch {
  #path;
  #onState;
  #timer = 0;
  #turn = 0;
  #isOpen = false;
  #ended = new AbortController();

  // onState(crawl | null, problem | null)
  constructor(path, onState) {
    this.#path = `${path}/crawl-status`;
    this.#onState = onState;
    document.addEventListener("visibilitychange", () => this.#isOpen && isVisible() && this.look(),
      { signal: this.#ended.signal });
  }

  async look() {
    const turn = ++this.#turn;
    this.#isOpen = true;
    clearTimeout(this.#timer);
    const answer = await api.get(this.#path).catch((problem) => ({ problem }));
    if (turn !== this.#turn) return;
    this.#onState(answer.crawl, answer.problem || null);
    const isOn = answer.problem || answer.crawl?.state === "running";
    if (isOn && isVisible()) {
      this.#timer = setTimeout(() => this.look(), answer.problem ? AFTER_PROBLEM_MS : LOOK_MS);
    }
  }

  // Looks no more until it is asked again.
  pause() {
    this.#turn += 1;
    this.#isOpen = false;
    clearTimeout(this.#timer);
  }

  close() {
    this.pause();
    this.#ended.abort();
  }
}

// [[words, count]] of the pages that are no entry.
export function reasons(crawl) {
  const counts = crawl.outcomes;
  const known = Object.keys(REASONS).filter((one) => counts[one]).map((one) => [REASONS[one], counts[one]]);
  const other = Object.keys(counts).filter((one) => one !== "kept" && !REASONS[one]);
  return [...known, ...other.map((one) => [one, counts[one]])];
}

// {kept, skipped, errors}: how many pages became what.
export function sums(crawl) {
  const errors = ERRORS.reduce((all, one) => all + (crawl.outcomes[one] || 0), 0);
  return { kept: crawl.entries, skipped: crawl.pages_done - crawl.entries - errors, errors };
}

function isVisible() {
  return document.visibilityState === "visible";
}
