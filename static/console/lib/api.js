// The server's API for the signed-in operator: JSON in and out, the CSRF token on every write.

const BASE = "/api/v1/";
const TIMEOUT_MS = 20_000;
const UPLOAD_TIMEOUT_MS = 120_000;
// For what the server does to everything a site has.
export const LONG_MS = 300_000;

// What the server refused: `message` for a person, `errors` by field (422), `retryAfter` in seconds.
export class ApiProblem extends Error {
  constructor(status, answer) {
    super(answer.error || "The server did not answer. Check your connection and try again.");
    this.status = status;
    this.code = answer.code || "offline";
    this.errors = answer.errors || {};
    this.retryAfter = answer.retry_after;
  }
}

export const api = {
  get: (path, query) => request("GET", url(path, query)),
  post: (path, body = {}, timeoutMs = TIMEOUT_MS) => request("POST", url(path), body, timeoutMs),
  put: (path, body) => request("PUT", url(path), body),
  del: (path, timeoutMs = TIMEOUT_MS) => request("DELETE", url(path), undefined, timeoutMs),
  // form: FormData
  upload: (path, form) => request("POST", url(path), form),
};

// Every row of a list, page by page.
export async function readAll(path, query = {}) {
  const found = [];
  for (let page = 1, pages = 1; page <= pages; page += 1) {
    const answer = await api.get(path, { ...query, page, per_page: 100 });
    found.push(...answer.data);
    pages = answer.pagination.pages;
  }
  return found;
}

// An address of the API; parameters that are null, undefined or "" are left out.
export function url(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const tail = new URLSearchParams(given).toString();
  return BASE + path + (tail ? `?${tail}` : "");
}

export function csrfToken() {
  return document.querySelector('meta[name="csrf"]')?.content || "";
}

async function request(method, address, body, timeoutMs = TIMEOUT_MS) {
  const options = { method, headers: { Accept: "application/json" }, credentials: "same-origin" };
  if (method !== "GET") options.headers["X-CSRF-Token"] = csrfToken();
  // A line that is dead and does not know it would keep "Sending" on the screen for ever.
  options.signal = AbortSignal.timeout(body instanceof FormData ? UPLOAD_TIMEOUT_MS : timeoutMs);
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new ApiProblem(0, {});
  }
  if (response.status === 204) return {};
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw await refusal(response.status, answer, method !== "GET");
}

// What the server refused, as what to throw; whose session has ended is led to the login.
export async function refusal(status, answer, isWrite) {
  if (status === 401) signInAgain();
  if (status === 403 && isWrite) await reloadWhenExpired();
  return new ApiProblem(status, answer);
}

// Somebody signed in again in another tab: this page's token is not the session's any more. Reloaded, it has the new
// one, and shows what the one who is signed in now may see.
async function reloadWhenExpired() {
  const page = await fetch("/console/", { credentials: "same-origin" }).then((answer) => answer.text(), () => "");
  const fresh = /name="csrf" content="([^"]+)"/.exec(page)?.[1];
  if (fresh && fresh !== csrfToken()) location.reload();
}

let isLeaving = false;

function signInAgain() {
  if (isLeaving) return;
  isLeaving = true;
  const here = location.pathname + location.search;
  location.assign(`/console/login?next=${encodeURIComponent(here)}`);
}
