import { expect, test } from 'vitest';
import { exactly, when } from './dates';

const now = Date.parse('2026-11-24T12:00:00Z');

test.each([
  ['2026-11-24T11:59:30Z', 'just now'],
  ['2026-11-24T12:05:00Z', 'just now'],
  ['2026-11-24T11:57:59Z', '2 minutes ago'],
  ['2026-11-24T09:00:00Z', '3 hours ago'],
  ['2026-11-23T11:00:00Z', 'yesterday'],
  ['2026-11-20T11:00:00Z', '4 days ago'],
  ['no time', ''],
])('%s reads "%s"', (iso, words) => {
  expect(when(iso, now)).toBe(words);
});

test('after a week it is a date', () => {
  expect(when('2026-11-10T12:00:00Z', now)).toContain('2026');
  expect(exactly('2026-11-10T12:00:00Z')).toContain('2026');
});
