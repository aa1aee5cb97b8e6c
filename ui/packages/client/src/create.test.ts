import { expect, test } from 'vitest';
import { createDataStore } from './create';
import { DataStoreError } from './error';
import type { Result } from './live';
import type { Args, Transport } from './transport';

/** A transport that answers calls as `answer` does and lets a test send messages to what was opened. */
function recorded(answer: (operation: string) => unknown = () => null) {
  const calls: unknown[][] = [];
  const opened: ((message: unknown) => void)[] = [];
  const transport: Transport = {
    async call(...call: [string, Args, Uint8Array?]) {
      calls.push(call.filter((part) => part !== undefined));
      return answer(call[0]);
    },
    async open(operation, args, receive) {
      calls.push(['open', operation, args]);
      return opened.push(receive);
    },
  };
  const send = (message: unknown) => opened.at(-1)?.(message);
  return { store: createDataStore(transport), calls, send };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));
const row = (id: string) => ({ id }) as never;

test('an operation goes out under its contract name, with what was given, and its answer comes back as it is', async () => {
  const answer = { rows: [], next: null, has_more: false };
  const { store, calls } = recorded(() => answer);

  expect(await store.listAfter('Page', { limit: 2 })).toBe(answer);
  await store.update('Page', 'a', { title: 'x' }, { origin: 'test' });
  await store.drafts();
  expect(calls).toEqual([
    ['list_after', { entity: 'Page', limit: 2 }],
    ['update', { entity: 'Page', id: 'a', patch: { title: 'x' }, options: { origin: 'test' } }],
    ['drafts', {}],
  ]);
});

test('bytes go beside the arguments and come as an array', async () => {
  const { store, calls } = recorded((operation) => (operation === 'crdt_snapshot' ? Uint8Array.of(1, 2).buffer : {}));
  const document = { entity: 'Page', id: 'a', field: 'body' };

  await store.crdtApplyUpdate(document, Uint8Array.of(9));
  expect(calls).toEqual([['crdt_apply_update', document, Uint8Array.of(9)]]);
  expect(await store.crdtSnapshot(document)).toEqual(Uint8Array.of(1, 2));
  expect(await recorded().store.crdtSnapshot(document)).toBeNull();
});

test('updates of one document go out one after the other, those of another meanwhile', async () => {
  const answers: ((value: unknown) => void)[] = [];
  const { store, calls } = recorded(() => new Promise((resolve) => answers.push(resolve)));
  const [a, b] = [{ entity: 'Page', id: 'a' }, { entity: 'Page', id: 'b' }];
  const failing = store.crdtApplyUpdate(a, Uint8Array.of(1)).catch(({ code }: DataStoreError) => code);
  const later = store.crdtApplyUpdate(a, Uint8Array.of(2));
  void store.crdtApplyUpdate(b, Uint8Array.of(3));
  await settled();
  const sent = () => calls.map(([, , bytes]) => (bytes as Uint8Array)[0]);
  expect(sent()).toEqual([1, 3]);
  answers[0]?.(Promise.reject({ code: 'STORAGE_FULL', message: 'full', details: {} }));
  expect(await failing).toBe('STORAGE_FULL');
  await settled();
  expect(sent()).toEqual([1, 3, 2]);
  answers[2]?.('done');
  expect(await later).toBe('done');
});

test('an error object becomes an error with its code and details', async () => {
  const refusal = { code: 'POLICY_DENIED', message: 'not yours', details: { field: 'title' } };
  const { store } = recorded(() => Promise.reject(refusal));

  const error = await store.manifest().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(DataStoreError);
  expect(error).toMatchObject(refusal);
});

test('anything else that a transport rejects with is INTERNAL and keeps its cause', async () => {
  for (const rejection of ['plugin tombolo not found', new Error('plugin tombolo not found'), { code: 7 }]) {
    const { store } = recorded(() => Promise.reject(rejection));
    const error = await store.manifest().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'DataStoreError', code: 'INTERNAL', cause: rejection });
  }
});

test('a live read is missing, then whole, then follows differences, and each message is acknowledged', async () => {
  const { store, calls, send } = recorded();
  const results: Result[] = [];
  const stop = store.live({ op: 'list', args: { entity: 'Page' } }).subscribe((result) => results.push(result));
  await settled();
  send({ revision: 1, rows: [row('a'), row('b')], coverage: 'complete' });
  send({
    revision: 2,
    added: [row('c')],
    changed: [],
    removed: [{ id: 'a', why: 'deleted' }],
    moved: [{ id: 'c', after: null }],
    coverage: 'complete',
  });
  await settled();
  stop();
  stop();
  send({ revision: 3, rows: [], coverage: 'complete' });
  await settled();

  expect(results.map(({ rows, coverage }) => [rows.map(({ id }) => id).join(''), coverage])).toEqual([
    ['', 'missing'],
    ['ab', 'complete'],
    ['cb', 'complete'],
  ]);
  expect(calls).toEqual([
    ['open', 'subscribe', { op: 'list', args: { entity: 'Page' } }],
    ['acknowledge', { subscription: 1 }],
    ['acknowledge', { subscription: 1 }],
    ['unsubscribe', { subscription: 1 }],
  ]);
});

test('a live read that fails keeps its rows and says why it has ended', async () => {
  const { store, calls, send } = recorded();
  const results: Result[] = [];
  store.subscribe({ op: 'drafts' }, (result) => results.push(result));
  await settled();
  send({ revision: 1, rows: [row('a')], coverage: 'complete' });
  await settled();
  send({ error: { code: 'STORAGE_FAILED', message: 'disk I/O error', details: {} } });
  send({ revision: 3, rows: [], coverage: 'complete' });
  await settled();

  expect(results).toHaveLength(2);
  expect(results[1]).toMatchObject({ rows: [{ id: 'a' }], error: { code: 'STORAGE_FAILED' } });
  expect(calls.filter(([operation]) => operation === 'acknowledge')).toHaveLength(1);
});

test('one source feeds all who listen to a live value, and ends with the last of them', async () => {
  const { store, calls } = recorded();
  const live = store.live({ op: 'drafts' });
  const stops = [live.subscribe(() => undefined), live.subscribe(() => undefined)];
  await settled();
  stops[0]?.();
  await settled();
  expect(calls).toHaveLength(1);
  stops[1]?.();
  await settled();
  expect(calls.at(-1)).toEqual(['unsubscribe', { subscription: 1 }]);
});

test('a followed document comes in pieces, and a piece that cannot be read ends it', async () => {
  const { store, calls, send } = recorded();
  const told: unknown[] = [];
  store.follow({ entity: 'Page', id: 'a', field: 'body' }, {
    piece: (piece) => told.push(piece),
    ended: ({ code }) => told.push(code),
  });
  await settled();
  send(Uint8Array.of(0, 2, 1, 0, 0, 0, 0, 0, 0x40, 7, 8).buffer);
  send(Uint8Array.of(1, 9).buffer);
  send('what is this');
  send(Uint8Array.of(1, 9).buffer);
  await settled();

  expect(told).toEqual([
    { kind: 'snapshot', peer: 0x4000_0000_0000_0102n, bytes: Uint8Array.of(7, 8) },
    { kind: 'update', bytes: Uint8Array.of(9) },
    'INTERNAL',
  ]);
  expect(calls.at(0)).toEqual(['open', 'follow', { entity: 'Page', id: 'a', field: 'body' }]);
  expect(calls.at(-1)?.[0]).toBe('unsubscribe');
});
