const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** A time as people say it: relative up to a week, then a date in the user's locale. Times ahead of the clock are now. */
export function when(iso: string, now: number): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return '';
  const passed = Math.max(0, now - time);
  if (passed < MINUTE) return 'just now';
  if (passed < HOUR) return relative.format(-Math.floor(passed / MINUTE), 'minute');
  if (passed < DAY) return relative.format(-Math.floor(passed / HOUR), 'hour');
  if (passed < WEEK) return relative.format(-Math.floor(passed / DAY), 'day');
  return new Date(time).toLocaleDateString(undefined, { dateStyle: 'medium' });
}

/** The exact time, for a tooltip. */
export function exactly(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? '' : time.toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'medium' });
}
