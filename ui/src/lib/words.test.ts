import { expect, test } from 'vitest';
import { countWords } from './words';

test.each([
  ['', 0],
  ['  \n ', 0],
  ['one', 1],
  ['one two\nthree — four!', 4],
  ["don't well-known", 2],
  ['2026 3.14', 3],
  ['我喜欢', 3],
  ['我喜欢 Rust 语言', 6],
  ['Привет, мир', 2],
  ['مرحبا بالعالم', 2],
])('%j has %i', (text, words) => {
  expect(countWords(text)).toBe(words);
});
