import { expect, test } from 'vitest';
import { Navigation } from './navigation.svelte';

const page = (id: string) => ({ kind: 'page', id }) as const;

test('back and forward go through what was open, and a new view ends the way forward', () => {
  const navigation = new Navigation();
  expect([navigation.canGoBack, navigation.canGoForward]).toEqual([false, false]);
  navigation.open(page('a'));
  navigation.open({ kind: 'trash' });
  navigation.open(page('b'));
  navigation.back();
  expect(navigation.view).toEqual({ kind: 'trash' });
  navigation.back();
  expect(navigation.page).toBe('a');
  navigation.back();
  expect(navigation.page).toBe('a');
  navigation.forward();
  navigation.forward();
  navigation.forward();
  expect(navigation.page).toBe('b');
  navigation.back();
  navigation.open(page('c'));
  expect(navigation.canGoForward).toBe(false);
});

test('the same page again is no step', () => {
  const navigation = new Navigation();
  navigation.open(page('a'));
  navigation.open(page('a'));
  expect(navigation.canGoBack).toBe(false);
});

test('what was visited is known, the latest first, within a bound', () => {
  const navigation = new Navigation();
  for (const id of ['a', 'b', 'a', 'c']) navigation.open(page(id));
  expect([...navigation.visited]).toEqual([['c', 0], ['a', 1], ['b', 2]]);
  for (let n = 0; n < 500; n += 1) navigation.open(page(String(n)));
  expect(navigation.visited.size).toBe(101);
});
