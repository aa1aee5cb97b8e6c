import { expect, test } from 'vitest';
import { WordCounter, countWords } from './words';

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

test('a page is counted again by reading only what is new in it', () => {
  const reads: string[] = [];
  const block = (text: string) => ({
    get textContent() {
      reads.push(text);
      return text;
    },
  });
  const words = new WordCounter();
  const blocks = [block('one two'), block('three')];
  expect(words.count(blocks)).toBe(3);
  expect(words.count([...blocks, block('four')])).toBe(4);
  expect(reads).toEqual(['one two', 'three', 'four']);
});
