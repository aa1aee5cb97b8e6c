import { expect, test } from 'vitest';
import { mergeCaret, mergeText } from './text-merge';

test.each([
  ['', 'mine', '', 'mine'],
  ['Plan', 'Plan', 'Plans', 'Plans'],
  ['Plan', 'A Plan', 'Plan B', 'A Plan B'],
  ['Plan', 'Plan B', 'A Plan', 'A Plan B'],
  ['one two three', 'two three', 'one two', 'two'],
  ['one two three', 'one three', 'one two three four', 'one three four'],
  ['abc', 'aXc', 'aYc', 'aXYc'],
  ['', 'mine', 'theirs', 'minetheirs'],
  ['abcdef', '', 'abcXdef', 'X'],
  ['abcdef', 'abcXdef', '', 'X'],
  ['abc', 'abcd', 'abcd', 'abcd'],
  ['😀', '😁', '😀!', '😁!'],
])('%j, %j here and %j elsewhere make %j', (base, mine, theirs, merged) => {
  expect(mergeText(base, mine, theirs)).toBe(merged);
});

test('whatever the changes, nobody’s insertion is lost and no pair is torn', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const edit = (text: string, mark: string): string => {
    const letters = [...text];
    letters.splice(random(letters.length + 1), random(3), mark);
    return letters.join('');
  };
  for (let n = 0; n < 2_000; n += 1) {
    const base = Array.from({ length: random(8) }, () => ['a', 'b', '😀', '😁'][random(4)]).join('');
    const merged = mergeText(base, edit(base, 'M'), edit(base, 'T'));
    expect(merged).toContain('M');
    expect(merged).toContain('T');
    // Throws for half a pair.
    expect(() => encodeURIComponent(merged)).not.toThrow();
  }
});

test('the caret stays beside its character', () => {
  expect(mergeCaret(4, 'Plan', 'A Plan')).toBe(6);
  expect(mergeCaret(2, 'Plan', 'Plan B')).toBe(2);
  expect(mergeCaret(3, 'Plan', '')).toBe(0);
});
