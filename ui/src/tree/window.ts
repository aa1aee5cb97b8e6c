/** Lines that are drawn beyond each edge of what is seen, so that scrolling shows none missing. */
const BEYOND = 8;
/** Seen where nothing is laid out, as in a test. */
const UNKNOWN_HEIGHT = 600;

/** Which lines of a long list are drawn: those that are seen, a few around them, and `always`. */
export function drawn(count: number, lineHeight: number, scrolled: number, height: number, always: number): number[] {
  const first = Math.max(0, Math.floor(scrolled / lineHeight) - BEYOND);
  const last = Math.min(count - 1, Math.ceil((scrolled + (height || UNKNOWN_HEIGHT)) / lineHeight) + BEYOND);
  const lines = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
  if (always < 0 || always >= count) return lines;
  if (always < first) return [always, ...lines];
  return always > last ? [...lines, always] : lines;
}

/** How far to scroll so that a line is seen whole; as far as now if it is. */
export function scrolledTo(line: number, lineHeight: number, scrolled: number, height: number): number {
  const top = line * lineHeight;
  if (top < scrolled) return top;
  return top + lineHeight > scrolled + height ? top + lineHeight - height : scrolled;
}
