import { expect, test } from 'vitest';
import { Unsent } from './unsent.svelte';

const receipt = (commit: string | null) => ({ commit, seq: 1, state: 'local' as const });
const accepted = (commit: string) => ({ commit, seq: 1, status: 'server' as const, server_seq: 1 });

test('a page is marked until the server has all its writes', () => {
  const unsent = new Unsent();
  unsent.wrote('p', receipt('a'));
  unsent.wrote('p', receipt('b'));
  unsent.heard(accepted('a'));
  expect(unsent.has('p')).toBe(true);
  unsent.heard(accepted('b'));
  expect(unsent.has('p')).toBe(false);
});

test('a write that was rewritten counts on under its new name', () => {
  const unsent = new Unsent();
  unsent.wrote('p', receipt('a'));
  unsent.heard({ commit: 'a2', seq: 2, status: 'local', replaces: 'a' });
  expect(unsent.has('p')).toBe(true);
  unsent.heard(accepted('a2'));
  expect(unsent.has('p')).toBe(false);
});

test('news may come before the receipt, and a write of nothing leaves no mark', () => {
  const unsent = new Unsent();
  unsent.heard(accepted('a'));
  unsent.wrote('p', receipt('a'));
  unsent.wrote('p', receipt(null));
  expect(unsent.has('p')).toBe(false);
});
