/** The store's edge in the real web view: what no imitation of it can show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openApp } from './app.mjs';

/** Runs `body` in the page, with `call(operation, args, bytes)` and `open(operation, args)`; gives what it returns. */
function inPage(app, body, ...args) {
  const script = `
    const done = arguments[arguments.length - 1];
    const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
    window.told ??= {};
    const call = (operation, args, bytes) => {
      const headers = { 'tombolo-args': encodeURIComponent(JSON.stringify(args)) };
      return bytes ? invoke('plugin:tombolo|' + operation, bytes, { headers }) : invoke('plugin:tombolo|' + operation, args);
    };
    const open = async (operation, args) => {
      const told = [];
      const channel = transformCallback(({ message }) => {
        if (message !== undefined) told.push(message instanceof ArrayBuffer ? [...new Uint8Array(message)] : message);
      });
      const name = await call(operation, { ...args, channel: '__CHANNEL__:' + channel });
      window.told[name] = told;
      return name;
    };
    (async (...args) => { ${body} })(...arguments).then(
      (value) => done({ value: value ?? null }),
      (error) => done({ error: typeof error === 'object' && !(error instanceof Error) ? error : String(error) }),
    );`;
  return app.executeAsync(script, ...args).then(({ value, error }) => {
    if (error) throw Object.assign(new Error(error.message ?? error), error);
    return value;
  });
}

const told = (app, name, count) =>
  eventually(`${count} messages`, async () => {
    const messages = await app.execute('return window.told[arguments[0]] ?? []', name);
    return messages.length >= count ? messages : undefined;
  });

test('documents cross as raw bytes, and a channel tells of them', async (t) => {
  const app = await openApp();
  t.after(() => app.close());

  const { id } = await inPage(app, `return call('insert', { entity: 'Page', data: { title: 'one' } });`);
  const name = await inPage(app, `return open('follow', { entity: 'Page', id: args[0] });`, id);
  const [snapshot] = await told(app, name, 1);
  assert.equal(snapshot[0], 0, 'all of the document');
  assert.equal(String.fromCharCode(...snapshot.slice(9, 13)), 'loro');

  // More than a channel carries by itself: the page fetches it.
  const title = 'long '.repeat(100);
  await inPage(app, `return call('update', { entity: 'Page', id: args[0], patch: { title: args[1] } });`, id, title);
  await inPage(app, `return call('acknowledge', { subscription: args[0] });`, name);
  const [, update] = await told(app, name, 2);
  assert.equal(update[0], 1, 'what was added');
  assert.ok(update.length > 16);

  const apply = `return call('crdt_apply_update', { entity: 'Page', id: args[0] }, new Uint8Array(args[1]));`;
  await assert.rejects(inPage(app, apply, id, [1, 2, 3]), { code: 'CRDT_DECODE_FAILED' });
  await assert.rejects(inPage(app, apply, id, Array.from({ length: 2 ** 20 + 1 }, () => 0)), { code: 'TOO_LARGE' });
});

test('the subscriptions of a page end when it is loaded again', async (t) => {
  const app = await openApp();
  t.after(() => app.close());

  const open = `return open('subscribe', { op: 'list', args: { entity: 'Page' } });`;
  const before = await inPage(app, open);
  await told(app, before, 1);
  await app.execute('window.isOld = true; location.reload()');
  await eventually('the page to be another', async () => (await app.execute('return window.isOld !== true')) || undefined);
  await app.text('.frame > footer button');

  const end = `return call('unsubscribe', { subscription: args[0] });`;
  assert.deepEqual(await inPage(app, end, before), { unsubscribed: false });
  const after = await inPage(app, open);
  assert.ok(after > before);
  assert.deepEqual(await inPage(app, end, after), { unsubscribed: true });
});
