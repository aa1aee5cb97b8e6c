import { expect, test } from 'vitest';
import { best, score } from './search';

const titles = ['Meeting notes', 'Notes', 'Footnotes', 'New offers, travel, events, sports', 'Élan vital', '計画の書'];
const find = (query: string) => best(query, titles, (title) => title, 10);

test('beginnings come before words, words before what stands inside', () => {
  expect(find('notes')).toEqual(['Notes', 'Meeting notes', 'Footnotes', 'New offers, travel, events, sports']);
});

test('accents, case and scripts are no obstacle', () => {
  expect(find('elan')).toEqual(['Élan vital']);
  expect(find('ELAN')).toEqual(['Élan vital']);
  expect(find('書')).toEqual(['計画の書']);
});

test('initials find a title, scattered letters do not', () => {
  expect(find('mn')).toEqual(['Meeting notes']);
  expect(score('gts', 'Meeting notes')).toBe(0);
});

test('nothing typed is everything, in its order, and no more than asked for', () => {
  expect(best('', titles, (title) => title, 2)).toEqual(titles.slice(0, 2));
  expect(find('[.*+?^${}()|\\]')).toEqual([]);
});
