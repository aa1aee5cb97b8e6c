import { expect, test } from 'vitest';
import { testStore } from '../testing/window';
import { Session } from './session.svelte';

async function open() {
  const store = testStore([]);
  let now = 1_000;
  const session = new Session(store, () => now);
  session.follow();
  const tell = async (status: Parameters<typeof store.fake.setSyncStatus>[0]) => {
    store.fake.setSyncStatus(status);
    await store.fake.settled();
    await store.fake.settled();
  };
  await tell({});
  return { store, session, tell, pass: (ms: number) => (now += ms) };
}

test('a countdown goes on between two reports and ends at nothing', async () => {
  const { session, tell, pass } = await open();
  expect(session.countsDown).toBe(false);
  await tell({ state: 'offline', waiting: 2, retry_in_ms: 4_000 });
  expect(session.countsDown).toBe(true);
  expect(session.words?.line).toBe('Reconnecting in 4 s · 2 waiting');
  pass(1_500);
  session.tick();
  expect(session.words?.line).toBe('Reconnecting in 3 s · 2 waiting');
  pass(60_000);
  session.tick();
  expect(session.words?.line).toBe('Reconnecting in 0 s · 2 waiting');
});

test('drafts and the server’s address are read when the status says that they have changed', async () => {
  const { store, session, tell } = await open();
  expect(session.hasServer).toBe(false);
  store.fake.setServer({ url: 'https://notes.example.org', account: 'accepted' });
  store.fake.addDraft({ code: 'POLICY_DENIED' });
  await tell({ state: 'refused', drafts: 1 });
  expect(session.server.url).toBe('https://notes.example.org');
  expect(session.drafts.map(({ code }) => code)).toEqual(['POLICY_DENIED']);
  await session.discard(session.drafts[0]?.id ?? '');
  expect(session.drafts).toEqual([]);
});

test('a page is unsent while the server lacks one of its writes, and only where there is a server', async () => {
  const { session, tell } = await open();
  session.unsent.wrote('p', { commit: 'c', seq: 1, state: 'local' });
  expect(session.isUnsent('p')).toBe(false);
  await tell({ state: 'offline', waiting: 1 });
  expect(session.isUnsent('p')).toBe(true);
  expect(session.isUnsent('q')).toBe(false);
});

test('what only tells more may fail', async () => {
  const { store, session, tell } = await open();
  store.fake.failNext('drafts', 'STORAGE_FAILED');
  await tell({ state: 'refused', drafts: 1 });
  expect(session.words?.line).toBe('1 change needs you');
  expect(session.drafts).toEqual([]);
});
