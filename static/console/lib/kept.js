// What survives a reload of this tab: drafts and messages that did not arrive yet. Of one operator only: whoever
// signs in next in the same tab must not send them.

const KEY = "vexar-console-kept";

let values = {};

// Called once, before anything is read.
export function openKept(userId) {
  try {
    values = JSON.parse(sessionStorage.getItem(KEY)) || {};
  } catch {
    values = {};
  }
  if (values.userId !== userId) values = { userId };
}

export function kept(name) {
  return values[name];
}

export function keep(name, value) {
  values[name] = value;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(values));
  } catch {
    // No room or no permission: it lives as long as the page.
  }
}

// Signed out: nothing of it stays on this machine.
export function forgetKept() {
  values = {};
  sessionStorage.removeItem(KEY);
}
