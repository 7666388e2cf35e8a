// Turns where the browser has no Web Locks (plain http): a lease in localStorage that its holder renews.
//
// Tabs see each other's writes a moment late. So a lease counts once it stood for that moment, and at worst two tabs
// do the same for one renewal: the server knows both by the same ids.

const LEASE_MS = 6_000;
const RENEW_MS = 1_500;
const STAND_MS = 150;

/** As `hold` of turns.js. The signal that `work` gets ends when another tab took the lease. */
export async function lease(name, signal, work) {
  const me = Math.random().toString(36);
  while (!signal.aborted) {
    await vacancy(name, me, signal);
    if (signal.aborted) return undefined;
    const turn = new Turn(name, me, signal);
    try {
      const done = await work(turn.signal);
      if (signal.aborted || !turn.signal.aborted) return done;
    } finally {
      turn.end();
    }
  }
  return undefined;
}

/** Keeps a lease until it ends, or until another tab has it. */
class Turn {
  #over = new AbortController();

  constructor(name, me, signal) {
    this.signal = this.#over.signal;
    this.end = () => {
      clearInterval(timer);
      signal.removeEventListener("abort", this.end);
      if (holder(name) === me) write(name, null);
      this.#over.abort();
    };
    // A tab that slept finds somebody else at work.
    const timer = setInterval(() => (holder(name) === me ? write(name, me) : this.end()), RENEW_MS);
    signal.addEventListener("abort", this.end);
  }
}

/** Wait until the lease is ours. */
async function vacancy(name, me, signal) {
  while (!signal.aborted) {
    if (!holder(name)) {
      if (!write(name, me)) return;
      await pause(STAND_MS * (0.5 + Math.random()), signal);
      if (holder(name) === me) return;
    }
    await pause(RENEW_MS, signal, name);
  }
  if (holder(name) === me) write(name, null);
}

/** Who has the lease, or null. A time in the future is from before the clock was put back. */
function holder(name) {
  try {
    const [owner, at] = localStorage.getItem(name).split(" ");
    return Math.abs(Date.now() - at) < LEASE_MS ? owner : null;
  } catch {
    return null;
  }
}

/** Whether there is a storage that tabs share. */
function write(name, owner) {
  try {
    if (owner) localStorage.setItem(name, `${owner} ${Date.now()}`);
    else localStorage.removeItem(name);
    return true;
  } catch {
    return false;
  }
}

/** Wait; less long when the lease `name` is given back or the wait ends. */
function pause(ms, signal, name) {
  return new Promise((resolve) => {
    const end = (event) => {
      if (event?.type === "storage" && (event.key !== name || event.newValue)) return;
      clearTimeout(timer);
      removeEventListener("storage", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("storage", end);
    signal.addEventListener("abort", end);
  });
}
