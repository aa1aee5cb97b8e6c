import { expect, test } from 'vitest';
import { createDataStore } from './data-store';
import { DataStoreError } from './error';

test('an operation goes out under its contract name and its answer comes back as it is', async () => {
  const calls: unknown[] = [];
  const answer = { manifest: { manifest_version: 1, name: 'workspace', version: 1, entities: [] }, hash: 'h' };
  const store = createDataStore(async (...call) => {
    calls.push(call);
    return answer;
  });

  expect(await store.manifest()).toBe(answer);
  expect(calls).toEqual([['manifest', {}]]);
});

test('an error object becomes an error with its code and details', async () => {
  const store = createDataStore(() =>
    Promise.reject({ code: 'POLICY_DENIED', message: 'not yours', details: { field: 'title' } }),
  );

  const error = await store.manifest().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataStoreError);
  expect(error).toMatchObject({ code: 'POLICY_DENIED', message: 'not yours', details: { field: 'title' } });
});

test('anything else that a transport rejects with is INTERNAL and keeps its cause', async () => {
  for (const rejection of ['plugin tombolo not found', new Error('plugin tombolo not found'), { code: 7 }]) {
    const store = createDataStore(() => Promise.reject(rejection));
    const error = await store.manifest().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'DataStoreError', code: 'INTERNAL', cause: rejection });
  }
});
