import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDataStore } from './create';
import type { Piece } from './document';
import type { Result } from './live';

type Callback = (message: unknown) => void;

/** The other side of Tauri's bridge: what the page calls, and what it is told through its channels. */
interface Bridge {
  calls: { command: string; args: unknown; headers: Record<string, string> | undefined }[];
  callbacks: Map<number, Callback>;
  answer: (command: string) => unknown;
}

let bridge: Bridge;

beforeEach(() => {
  bridge = { calls: [], callbacks: new Map(), answer: () => null };
  Object.assign(globalThis, {
    __TAURI_INTERNALS__: {
      transformCallback(callback: Callback) {
        bridge.callbacks.set(bridge.callbacks.size + 1, callback);
        return bridge.callbacks.size;
      },
      unregisterCallback: (id: number) => bridge.callbacks.delete(id),
      async invoke(command: string, args: unknown, options?: { headers: Record<string, string> }) {
        // What is no bytes crosses as JSON.
        const sent: unknown = ArrayBuffer.isView(args) ? args : JSON.parse(JSON.stringify(args));
        bridge.calls.push({ command, args: sent, headers: options?.headers });
        return bridge.answer(command);
      },
    },
  });
});

afterEach(() => {
  Reflect.deleteProperty(globalThis, '__TAURI_INTERNALS__');
});

const settled = () => new Promise((resolve) => setTimeout(resolve));

test('an operation is the command of its name in the plugin', async () => {
  bridge.answer = () => ({ id: 'a', receipt: {} });
  expect(await createDataStore().insert('Page', { title: 'Grüße' })).toEqual({ id: 'a', receipt: {} });
  const args = { entity: 'Page', data: { title: 'Grüße' } };
  expect(bridge.calls).toEqual([{ command: 'plugin:tombolo|insert', args, headers: undefined }]);
});

test('an update is the body as it is, and its arguments are in a header that any server of HTTP takes', async () => {
  const document = { entity: 'Page', id: 'a', field: 'body' };
  const options = { origin: 'Grüße, “you”\n' };
  await createDataStore().crdtApplyUpdate(document, Uint8Array.of(1, 2), options);
  const [call] = bridge.calls;
  expect(call?.args).toEqual(Uint8Array.of(1, 2));
  const header = call?.headers?.['tombolo-args'] ?? '';
  expect(header).toMatch(/^[!-~]+$/);
  expect(JSON.parse(decodeURIComponent(header))).toEqual({ ...document, options });
});

test('a snapshot comes as bytes or null', async () => {
  const store = createDataStore();
  const document = { entity: 'Page', id: 'a' };
  expect(await store.crdtSnapshot(document)).toBeNull();
  bridge.answer = () => Uint8Array.of(3).buffer;
  expect(await store.crdtSnapshot(document)).toEqual(Uint8Array.of(3));
});

test('a command rejects with the error object, or with the text of Tauri itself', async () => {
  const refused = { code: 'ROW_NOT_FOUND', message: 'no', details: { id: 'a' } };
  bridge.answer = () => Promise.reject(refused);
  await expect(createDataStore().draftDiscard('a')).rejects.toMatchObject(refused);
  bridge.answer = () => Promise.reject('tombolo.connect not allowed');
  const refusal = createDataStore().connect({ url: 'http://a', token: 't' });
  await expect(refusal).rejects.toMatchObject({ code: 'INTERNAL', message: 'tombolo.connect not allowed' });
});

test('a live read comes through a channel, in order, and is acknowledged under its name', async () => {
  bridge.answer = (command) => (command === 'plugin:tombolo|subscribe' ? 7 : null);
  const results: Result[] = [];
  const read = { op: 'list', args: { entity: 'Page' } } as const;
  const stop = createDataStore().subscribe(read, (result) => results.push(result));
  await settled();
  const send = bridge.callbacks.get(1);
  const difference = { revision: 2, added: [], changed: [], removed: [{ id: 'a' }], moved: [], coverage: 'complete' };
  send?.({ index: 1, message: difference });
  send?.({ index: 0, message: { revision: 1, rows: [{ id: 'a' }], coverage: 'complete' } });
  await settled();
  stop();
  await settled();

  expect(results.map(({ rows }) => rows.length)).toEqual([1, 0]);
  const acknowledged = { command: 'plugin:tombolo|acknowledge', args: { subscription: 7 } };
  expect(bridge.calls).toMatchObject([
    { command: 'plugin:tombolo|subscribe', args: { ...read, channel: '__CHANNEL__:1' } },
    acknowledged,
    acknowledged,
    { command: 'plugin:tombolo|unsubscribe', args: { subscription: 7 } },
  ]);
});

test('a followed document comes as bytes and ends with its error', async () => {
  const told: (Piece | string)[] = [];
  createDataStore().follow(
    { entity: 'Page', id: 'a', field: 'body' },
    { piece: (piece) => told.push(piece), ended: ({ code }) => told.push(code) },
  );
  await settled();
  const send = bridge.callbacks.get(1);
  send?.({ index: 0, message: Uint8Array.of(0, 5, 0, 0, 0, 0, 0, 0, 0, 9).buffer });
  send?.({ index: 1, message: { error: { code: 'ROW_NOT_FOUND', message: 'gone', details: {} } } });
  await settled();
  expect(told).toEqual([{ kind: 'snapshot', peer: 5n, bytes: Uint8Array.of(9) }, 'ROW_NOT_FOUND']);
  expect(bridge.calls[0]?.args).toEqual({ entity: 'Page', id: 'a', field: 'body', channel: '__CHANNEL__:1' });
});

test('the status is undefined until it is told, and again when it can be told no longer', async () => {
  const states: unknown[] = [];
  createDataStore().syncStatus.subscribe((status) => states.push(status?.state));
  await settled();
  const send = bridge.callbacks.get(1);
  send?.({ index: 0, message: { state: 'saved', waiting: 0 } });
  send?.({ index: 1, message: { error: { code: 'INTERNAL', message: 'gone', details: {} } } });
  expect(states).toEqual([undefined, 'saved', undefined]);
});
