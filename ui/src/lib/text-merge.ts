/** A piece of a text that is replaced by another. Places count UTF-16 units, as the DOM does. */
export interface Splice {
  start: number;
  end: number;
  text: string;
}

/**
 * What somebody typed, moved onto a text that has changed meanwhile: both changes hold, and where both touched one
 * piece, both insertions stay.
 *
 * @param base the text that both started from
 * @param mine what it became here
 * @param theirs what it became elsewhere
 */
export function mergeText(base: string, mine: string, theirs: string): string {
  if (mine === base) return theirs;
  if (theirs === base || mine === theirs) return mine;
  const here = difference(base, mine);
  const there = difference(base, theirs);
  const head = base.slice(0, Math.min(here.start, there.start));
  const tail = base.slice(Math.max(here.end, there.end));
  const [first, second] = here.start <= there.start ? [here, there] : [there, here];
  const between = base.slice(first.end, second.start);
  return head + first.text + between + second.text + tail;
}

/** Where a caret goes when the text around it changes: it stays beside the character that it stood at. */
export function mergeCaret(caret: number, from: string, to: string): number {
  return place(caret, difference(from, to));
}

function place(at: number, { start, end, text }: Splice): number {
  if (at <= start) return at;
  return at >= end ? at + text.length - (end - start) : start + text.length;
}

/** The smallest splice between two texts that tears no surrogate pair. */
export function difference(from: string, to: string): Splice {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && from[start] === to[start]) start += 1;
  if (start > 0 && isLead(from.charCodeAt(start - 1))) start -= 1;
  let same = 0;
  while (same < shorter - start && from.at(-1 - same) === to.at(-1 - same)) same += 1;
  if (same > 0 && isTrail(from.charCodeAt(from.length - same))) same -= 1;
  return { start, end: from.length - same, text: to.slice(start, to.length - same) };
}

function isLead(unit: number): boolean {
  return unit >= 0xd8_00 && unit < 0xdc_00;
}

function isTrail(unit: number): boolean {
  return unit >= 0xdc_00 && unit < 0xe0_00;
}
