import { expect, test } from 'vitest';
import { Typeahead } from './typeahead';

const titles = ['Apple', 'Pear', 'Élan', 'Peach', 'pine'];

test('letters in a row go to the title that begins with them', () => {
  const typeahead = new Typeahead();
  expect(typeahead.find('p', 0, titles, 0)).toBe(1);
  expect(typeahead.find('e', 100, titles, 1)).toBe(1);
  expect(typeahead.find('a', 200, titles, 1)).toBe(1);
  expect(typeahead.find('c', 300, titles, 1)).toBe(3);
});

test('after a pause a letter begins anew, and repeats go round', () => {
  const typeahead = new Typeahead();
  expect(typeahead.find('p', 0, titles, 1)).toBe(3);
  expect(typeahead.find('p', 1_000, titles, 3)).toBe(4);
  expect(typeahead.find('p', 2_000, titles, 4)).toBe(1);
  expect(typeahead.find('e', 3_000, titles, 0)).toBe(2);
  expect(typeahead.find('x', 4_000, titles, 0)).toBe(-1);
});
