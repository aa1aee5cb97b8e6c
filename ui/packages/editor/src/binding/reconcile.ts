/** Bringing a document to another reading as a whole: when Loro's document was replaced, or following it failed. */
import { type Block, documentOf } from '../format/read';
import type { Node, Schema } from 'prosemirror-model';
import { ReplaceStep, type Transform } from 'prosemirror-transform';
import { Slice } from 'prosemirror-model';
import { remake, replaceBlocks } from './steps';

/** Blocks that change one by one; beyond that they are replaced in one step. */
const MOST_STEPS = 400;

/** A block in both readings. */
interface Pair {
  readonly old: number;
  readonly now: number;
}

/**
 * Makes the document what the blocks say. `ids` are those of the document's blocks in order; a block that has the same
 * id before and after is changed in place, so that a caret in it stays.
 */
export function reconcile(
  tr: Transform,
  ids: readonly (string | null)[],
  schema: Schema,
  blocks: readonly Block[],
): void {
  const before = tr.doc.children;
  const after = documentOf(schema, blocks).children;
  const shown = blocks.filter((block) => block.node !== null);
  const starts = [0];
  for (const node of before) starts.push((starts.at(-1) ?? 0) + node.nodeSize);
  const start = (index: number): number => starts[index] ?? tr.doc.content.size;

  let head = 0;
  while (head < before.length && head < after.length && after[head]?.eq(before[head] as Node) === true) head++;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && after[after.length - 1 - tail]?.eq(before[before.length - 1 - tail] as Node) === true) tail++;
  const oldEnd = before.length - tail;
  const nowEnd = after.length - tail;
  const pairs = chain(
    ids.slice(head, oldEnd),
    shown.slice(head, nowEnd).map((block) => block.id),
  ).map(({ old, now }): Pair => ({ old: old + head, now: now + head }));
  const changed = pairs.filter(({ old, now }) => after[now]?.eq(before[old] as Node) !== true);
  if (changed.length > MOST_STEPS) {
    const content = tr.doc.type.create(null, after.slice(head, nowEnd)).content;
    tr.step(new ReplaceStep(start(head), start(oldEnd), new Slice(content, 0, 0)));
    return;
  }
  // From the end, so that the places before stay right.
  let upper: Pair = { old: oldEnd, now: nowEnd };
  for (const pair of [...pairs].toReversed()) {
    replaceBlocks(tr, start(pair.old + 1), start(upper.old), after.slice(pair.now + 1, upper.now));
    const node = after[pair.now];
    if (node !== undefined) remake(tr, start(pair.old), node);
    upper = pair;
  }
  replaceBlocks(tr, start(head), start(upper.old), after.slice(head, upper.now));
}

/** The longest list of blocks that both have, in the order that both have them in. */
function chain(old: readonly (string | null)[], now: readonly (string | null)[]): Pair[] {
  const places = new Map<string, number>();
  for (const [index, id] of now.entries()) if (id !== null && !places.has(id)) places.set(id, index);
  // The longest increasing run of places: `ends[n]` is the lowest last one of a run of n + 1.
  const ends: Pair[] = [];
  const previous = new Map<Pair, Pair | null>();
  const seen = new Set<string>();
  for (const [index, id] of old.entries()) {
    const place = id === null || seen.has(id) ? undefined : places.get(id);
    if (id === null || place === undefined) continue;
    seen.add(id);
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle]?.now ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    const pair: Pair = { old: index, now: place };
    const before = ends[low - 1] ?? null;
    previous.set(pair, before);
    ends[low] = pair;
  }
  const run: Pair[] = [];
  for (let pair = ends.at(-1) ?? null; pair !== null; pair = previous.get(pair) ?? null) run.push(pair);
  return run.toReversed();
}
