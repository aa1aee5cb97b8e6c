import { type Delta, type Op, compose, movePlace, transform } from './delta';
import { describe, expect, it } from 'vitest';
import { random } from '../binding/fuzz';

/** A text as characters with marks. */
type Text = { character: string; marks: Record<string, unknown> }[];

const set = (marks: Record<string, unknown>, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({ ...marks, ...more })
      .filter(([, value]) => value !== null)
      .toSorted(),
  );

function applied(text: Text, delta: Delta): Text {
  const out: Text = [];
  let at = 0;
  for (const op of delta) {
    if ('insert' in op) out.push(...[...op.insert].map((character) => ({ character, marks: set({}, op.attributes) })));
    else if ('delete' in op) at += op.delete;
    else {
      for (const { character, marks } of text.slice(at, at + op.retain))
        out.push({ character, marks: set(marks, op.attributes) });
      at += op.retain;
    }
  }
  if (at > text.length) throw new RangeError('beyond the end');
  return [...out, ...text.slice(at)];
}

const plain = (text: string): Text => [...text].map((character) => ({ character, marks: {} }));

/** A random change of a text of this length. */
function change(length: number, next: (bound: number) => number): Delta {
  const ops: Op[] = [];
  let left = length;
  for (let i = next(5); i >= 0; i--) {
    const kind = next(4);
    const size = Math.min(left, 1 + next(4));
    const attributes = next(2) > 0 ? { [next(2) > 0 ? 'bold' : 'link']: next(3) > 0 ? next(2) : null } : undefined;
    if (kind === 0) ops.push({ insert: 'abcdef'.slice(0, 1 + next(4)), ...(attributes && { attributes }) });
    else if (size > 0) {
      left -= size;
      ops.push(kind === 1 ? { delete: size } : { retain: size, ...(attributes && { attributes }) });
    }
  }
  return ops;
}

const seeds = Array.from({ length: 400 }, (_, index) => index + 1);

describe('changes of a text', () => {
  it('are the same composed as one after the other', () => {
    for (const seed of seeds) {
      const next = random(seed);
      const text = plain('0123456789'.slice(0, next(11)));
      const first = change(text.length, next);
      const between = applied(text, first);
      const second = change(between.length, next);
      expect(applied(text, compose(first, second)), `seed ${seed}`).toEqual(applied(between, second));
    }
  });

  it('meet, whichever comes first', () => {
    for (const seed of seeds) {
      const next = random(seed);
      const text = plain('0123456789'.slice(0, next(11)));
      const mine = change(text.length, next);
      const theirs = change(text.length, next);
      const mineAfter = transform(theirs, mine, 'second', 'first');
      const theirsAfter = transform(mine, theirs, 'first', 'second');
      const one = applied(applied(text, theirs), mineAfter);
      const other = applied(applied(text, mine), theirsAfter);
      expect(one, `seed ${seed}`).toEqual(other);
    }
  });

  it('keep what is inserted at one place in the order that is asked for', () => {
    const [mine, theirs]: Delta[] = [[{ insert: 'M' }], [{ insert: 'T' }]];
    const text = (delta: Delta): string =>
      applied(applied(plain('x'), theirs ?? []), delta)
        .map(({ character }) => character)
        .join('');
    expect(text(transform(theirs ?? [], mine ?? [], 'second', 'first'))).toBe('MTx');
    expect(text(transform(theirs ?? [], mine ?? [], 'first', 'first'))).toBe('TMx');
  });

  it('move places', () => {
    const delta = [{ retain: 2 }, { delete: 2 }, { retain: 1 }, { insert: 'abc' }];
    expect([0, 2, 3, 4, 5, 6].map((place) => movePlace(delta, place))).toEqual([0, 2, 2, 2, 3, 7]);
    expect(movePlace([], 3)).toBe(3);
    expect(movePlace([{ insert: 'ab' }], 0)).toBe(0);
  });
});
