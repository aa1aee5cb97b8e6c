import type { SyncStatus } from '@tombolo/client';
import { expect, test } from 'vitest';
import { syncWords } from './sync-words';

const quiet: SyncStatus = { state: 'local', waiting: 0, drafts: 0, retry_in_ms: null, code: null, message: null };

test.each([
  [{ state: 'local' }, 'On this device only'],
  [{ state: 'synced' }, 'Synced'],
  [{ state: 'saved' }, 'Saved on the server'],
  [{ state: 'sending', waiting: 3 }, 'Sending 3 changes'],
  [{ state: 'sending', waiting: 1 }, 'Sending 1 change'],
  [{ state: 'sending' }, 'Receiving changes'],
  [{ state: 'offline', waiting: 12 }, 'Offline · 12 changes waiting'],
  [{ state: 'offline', waiting: 12, retry_in_ms: 3_400 }, 'Reconnecting in 4 s · 12 waiting'],
  [{ state: 'offline', waiting: 12_000, retry_in_ms: 900 }, 'Reconnecting in 1 s · 12,000 waiting'],
  [{ state: 'connecting', waiting: 2 }, 'Connecting · 2 waiting'],
  [{ state: 'refused', drafts: 1 }, '1 change needs you'],
  [{ state: 'refused', drafts: 2 }, '2 changes need you'],
  [{ state: 'refused', waiting: 5, code: 'UNAUTHENTICATED' }, 'Sign-in refused · 5 changes waiting'],
] satisfies [Partial<SyncStatus>, string][])('%o reads "%s"', (status, line) => {
  expect(syncWords({ ...quiet, ...status })).toMatchObject({ line, alarm: null });
});

test('what is not even on this device is an alarm, with the reason', () => {
  expect(syncWords({ ...quiet, state: 'not_saved', code: 'STORAGE_FULL' })).toMatchObject({ alarm: 'Not saved', line: 'disk full' });
  expect(syncWords({ ...quiet, state: 'not_saved', code: 'STORAGE_FAILED' }).line).not.toContain('full');
});

test('nothing but the proven state is called synced', () => {
  const states = ['local', 'offline', 'connecting', 'sending', 'saved', 'refused', 'not_saved'] as const;
  for (const state of states) expect(syncWords({ ...quiet, state }).line).not.toMatch(/synced/i);
});
