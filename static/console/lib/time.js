// Times as people read them, in their own language and time zone.

const MINUTE = 60_000;
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
});
const dayOnly = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

// "now", "5 min ago", "yesterday" or a date; `time` as the API gives it.
export function ago(time, now = Date.now()) {
  const passed = now - Date.parse(time);
  if (passed < MINUTE) return "now";
  if (passed < 60 * MINUTE) return relative.format(-Math.floor(passed / MINUTE), "minute");
  if (passed < 24 * 60 * MINUTE) return relative.format(-Math.floor(passed / (60 * MINUTE)), "hour");
  if (passed < 7 * 24 * 60 * MINUTE) return relative.format(-Math.floor(passed / (24 * 60 * MINUTE)), "day");
  return day(time);
}

// A length of time, in milliseconds: "45 s", "3 min", "2 h 5 min".
export function lasting(ms) {
  if (ms == null) return "–";
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// The time of day today, with the date on other days.
export function moment(time) {
  const date = new Date(time);
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : dayAndClock.format(date);
}

export function day(time) {
  return dayOnly.format(new Date(time));
}

// "Today", "Yesterday" or the date.
export function dayWords(time) {
  const key = dayKey(time);
  if (key === dayKey(Date.now())) return "Today";
  return key === dayKey(Date.now() - 24 * 60 * MINUTE) ? "Yesterday" : day(time);
}

// The day of a time in the reader's own zone, as 2026-11-22: what lines between days are drawn by.
export function dayKey(time) {
  const date = new Date(time);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}
