// One tab at a time: what several tabs want to do, one does, and the next one when that one ends or dies.

/** Do `work(signal)` when it is this tab's turn; its signal ends it. Rejects when `signal` ends the wait for a turn. */
export async function hold(name, signal, work) {
  try {
    if (navigator.locks) return await navigator.locks.request(name, { signal }, () => work(signal));
  } catch (problem) {
    // A sandboxed page has locks and may not use them; nothing is shared there either.
    if (problem?.name === "SecurityError") return work(signal);
    throw problem;
  }
  const found = await import("./lease.js").catch(() => null);
  return found ? found.lease(name, signal, work) : work(signal);
}
