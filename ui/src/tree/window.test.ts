import { expect, test } from 'vitest';
import { drawn, scrolledTo } from './window';

test('of ten thousand lines, those in sight are drawn, and the one with the keyboard', () => {
  expect(drawn(10_000, 28, 2_800, 280, -1)).toEqual(Array.from({ length: 27 }, (_, n) => 92 + n));
  expect(drawn(10_000, 28, 2_800, 280, 4).slice(0, 2)).toEqual([4, 92]);
  expect(drawn(10_000, 28, 2_800, 280, 9_000).at(-1)).toBe(9_000);
  expect(drawn(3, 28, 0, 280, 1)).toEqual([0, 1, 2]);
  expect(drawn(0, 28, 0, 280, -1)).toEqual([]);
});

test('a line that is out of sight is scrolled to, one in sight is left where it is', () => {
  expect(scrolledTo(5, 28, 0, 280)).toBe(0);
  expect(scrolledTo(10, 28, 0, 280)).toBe(28);
  expect(scrolledTo(2, 28, 100, 280)).toBe(56);
});
