import { LoroDoc } from 'loro-crdt';
import { expect, test } from 'vitest';
import { fakeStore } from '.';
import type { Manifest } from '../manifest';
import type { Result } from '../live';
import type { HasId, Row } from '../rows';

const manifest: Manifest = {
  manifest_version: 1,
  name: 'test',
  version: 1,
  entities: [
    {
      name: 'Page',
      fields: [
        { name: 'title', type: 'string', max_length: 10 },
        { name: 'slug', type: 'string', optional: true, unique: true },
        { name: 'stars', type: 'int', default: 0 },
        { name: 'state', type: 'enum', values: ['todo', 'done'], default: 'todo' },
        { name: 'parent', type: 'id(Page)', optional: true },
        { name: 'body', type: 'richtext', optional: true },
      ],
      relations: [{ name: 'parent', target: 'Page', field: 'parent', tree: true }],
    },
  ],
};

const store = () => fakeStore(manifest, { Page: [{ title: 'b' }, { title: 'a', stars: 2 }] });
const titles = (rows: readonly Row[]) => rows.map(({ title }) => title);
const insert = (title: string, parent: null | { $ref: number }) =>
  ({ op: 'insert', entity: 'Page', data: { title, parent } }) as const;
const code = (promise: Promise<unknown>) => promise.then(() => 'none', (error: { code: string }) => error.code);

test('rows are found, filtered, ordered, changed and put into the trash', async () => {
  const s = store();
  expect(titles(await s.list('Page'))).toEqual(['b', 'a']);
  expect(titles(await s.queryFiltered('Page', { $order: { title: 'asc' } }))).toEqual(['a', 'b']);
  expect(titles(await s.queryFiltered('Page', { stars: 2 }))).toEqual(['a']);
  expect(titles(await s.queryFiltered('Page', { stars: { $not: 2 }, slug: null, parent: { $null: true } }))).toEqual(['b']);

  const { id, receipt } = await s.insert('Page', { title: 'c', body: { markdown: '**x**' } });
  expect(receipt).toMatchObject({ seq: 1, state: 'local' });
  expect(await s.update('Page', id, { title: 'd' })).toMatchObject({ updated: true });
  expect(await s.update('Page', 'nobody', { title: 'd' })).toMatchObject({ updated: false });
  expect(await s.getById('Page', id)).toMatchObject({ title: 'd', body: '**x**', stars: 0, parent: null });

  expect(await s.delete('Page', id)).toMatchObject({ deleted: true });
  expect(await s.list('Page')).toHaveLength(2);
  expect(titles(await s.queryFiltered('Page', { deleted_at: { $null: false } }))).toEqual(['d']);
  expect(await s.restore('Page', id)).toMatchObject({ restored: true });
  const page = await s.listAfter('Page', { limit: 2 });
  expect([titles(page.rows), page.has_more]).toEqual([['b', 'a'], true]);
  expect(titles((await s.listAfter('Page', { after: page.next, limit: 2 })).rows)).toEqual(['d']);
});

test('what the store would refuse is refused under the same code', async () => {
  const s = fakeStore(manifest, { Page: [{ title: 'a', slug: 'taken' }] });
  const [row] = await s.list('Page');
  expect(await code(s.list('Nothing'))).toBe('ENTITY_NOT_FOUND');
  expect(await code(s.insert('Page', { title: 'a', nope: 1 }))).toBe('FIELD_NOT_FOUND');
  expect(await code(s.insert('Page', {}))).toBe('INVALID_DATA');
  expect(await code(s.insert('Page', { title: 'much too long' }))).toBe('INVALID_DATA');
  expect(await code(s.insert('Page', { title: 'a', stars: 1.5 }))).toBe('INVALID_DATA');
  expect(await code(s.insert('Page', { title: 'a', state: 'never' }))).toBe('INVALID_DATA');
  expect(await code(s.insert('Page', { title: 'a', id: row?.id ?? '' }))).toBe('CONFLICT');
  expect(await code(s.insert('Page', { title: 'a', slug: 'taken' }))).toBe('UNIQUE_VIOLATION');
  expect(await code(s.queryFiltered('Page', { nope: 1 }))).toBe('INVALID_QUERY');
  expect(await code(s.connect({ url: 'ftp://x', token: 't' }))).toBe('INVALID_QUERY');
  s.fake.failNext('list', 'STORAGE_FAILED');
  expect(await code(s.list('Page'))).toBe('STORAGE_FAILED');
  expect(await code(s.list('Page'))).toBe('none');
});

test('rows are arranged in a tree, and what lies below the trash is in it', async () => {
  const s = fakeStore(manifest);
  const add = async (title: string, parent: string | null = null) => (await s.insert('Page', { title, parent })).id;
  const [a, b, c] = [await add('a'), await add('b'), await add('c')];
  const order = async () => titles(await s.queryFiltered('Page', { $order: { parent_order: 'asc' } }));
  await s.update('Page', c, { parent: { parent: null, after: null } });
  await s.update('Page', a, { parent: { parent: null, after: b } });
  expect(await order()).toEqual(['c', 'b', 'a']);
  await s.update('Page', b, { parent: { parent: null, before: c } });
  expect(await order()).toEqual(['b', 'c', 'a']);
  const below = await add('below', c);
  expect(await code(s.update('Page', c, { parent: below }))).toBe('INVALID_DATA');
  await s.delete('Page', c);
  expect(titles(await s.list('Page'))).toEqual(['a', 'b']);
  expect((await s.getById('Page', below))?.deleted_at).toBeNull();
});

test('a read shows the fields it names, and a live one is told of no others', async () => {
  const s = store();
  const told: Result<HasId>[] = [];
  const stop = s.subscribe({ op: 'list', args: { entity: 'Page', fields: ['title'] } }, (result) => told.push(result));
  await s.fake.settled();
  const [row] = await s.list('Page', { fields: ['title'] });
  expect(row).toEqual({ id: row?.id, title: 'b' });
  expect(told[0]?.rows[0]).toEqual(row);
  await s.update('Page', row?.id ?? '', { stars: 5 });
  await s.fake.settled();
  expect(told).toHaveLength(1);
  await s.update('Page', row?.id ?? '', { title: 'z' });
  await s.fake.settled();
  expect(titles(told[1]?.rows as Row[])).toEqual(['z', 'a']);
  expect(await code(s.list('Page', { fields: ['nope'] }))).toBe('INVALID_QUERY');
  stop();
});

test('a transaction is all or nothing and may name its own rows', async () => {
  const s = fakeStore(manifest);
  const failing = s.transact([insert('a', null), insert('much too long', null)]);
  await expect(failing).rejects.toMatchObject({ code: 'INVALID_DATA', details: { index: 1 } });
  expect(await s.list('Page')).toEqual([]);
  const { results } = await s.transact([insert('a', null), insert('b', { $ref: 0 })]);
  expect((await s.list('Page')).map(({ parent }) => parent)).toEqual([null, results[0]?.['id']]);
});

test('live reads, the status and the news of commits are told', async () => {
  const s = store();
  const told: unknown[] = [];
  let pages: Result | undefined;
  const stops = [
    s.live({ op: 'query_filtered', args: { entity: 'Page', filter: { stars: 2 } } }).subscribe((r) => (pages = r)),
    s.syncStatus.subscribe((status) => told.push(status?.state)),
    s.commits((news) => told.push(news.status)),
  ];
  expect(pages?.coverage).toBe('missing');
  await s.fake.settled();
  expect(titles(pages?.rows ?? [])).toEqual(['a']);
  const { id } = await s.insert('Page', { title: 'new', stars: 2 });
  await s.fake.settled();
  expect(titles(pages?.rows ?? [])).toEqual(['a', 'new']);
  await s.update('Page', id, { stars: 1 });
  s.fake.setSyncStatus({ state: 'offline', waiting: 1 });
  s.fake.tellCommit({ commit: 'c', seq: 1, status: 'server', server_seq: 1 });
  await s.fake.settled();
  expect(titles(pages?.rows ?? [])).toEqual(['a']);
  expect(told).toEqual([undefined, 'local', 'offline', 'server']);
  for (const stop of stops) stop();
  await s.fake.settled();
  expect(s.fake.subscriptions).toBe(0);
});

test('signing in and out changes address and status, and no answer has the token', async () => {
  const s = store();
  await s.connect({ url: 'http://localhost:8787', token: 'secret' });
  const address = await s.serverAddress();
  expect(address).toEqual({ url: 'http://localhost:8787', account: 'unknown', remembered: true });
  await s.disconnect();
  expect(await s.serverAddress()).toMatchObject({ url: null, account: 'none' });
});

test('a document without Loro is handed on byte by byte', async () => {
  const s = store();
  const [row] = await s.list('Page');
  const body = { entity: 'Page', id: row?.id ?? '', field: 'body' };
  expect(await s.crdtSnapshot(body)).toBeNull();
  expect(await code(s.crdtSnapshot({ ...body, id: 'nobody' }))).toBe('ROW_NOT_FOUND');
  const pieces: unknown[] = [];
  const stop = s.follow(body, { piece: (piece) => pieces.push(piece), ended: () => undefined });
  await s.fake.settled();
  await s.crdtApplyUpdate(body, Uint8Array.of(1));
  s.fake.remoteUpdate(body, Uint8Array.of(2));
  await s.fake.settled();
  s.fake.rebuildDocument(body, Uint8Array.of(3));
  await s.fake.settled();
  expect(pieces).toEqual([
    { kind: 'snapshot', peer: 1n, bytes: new Uint8Array() },
    { kind: 'update', bytes: Uint8Array.of(1) },
    { kind: 'update', bytes: Uint8Array.of(2) },
    { kind: 'snapshot', peer: 2n, bytes: Uint8Array.of(3) },
  ]);
  expect(s.fake.document(body)).toEqual(Uint8Array.of(3));
  stop();
});

test('a document with Loro merges, and refuses what is no update', async () => {
  const s = fakeStore(manifest, { Page: [{ title: 'a' }] }, { newDocument: () => new LoroDoc() });
  const [row] = await s.list('Page');
  const body = { entity: 'Page', id: row?.id ?? '', field: 'body' };
  const mine = new LoroDoc();
  const stop = s.follow(body, {
    piece(piece) {
      if (piece.kind === 'snapshot') mine.setPeerId(piece.peer);
      mine.import(piece.bytes);
    },
    ended: () => undefined,
  });
  await s.fake.settled();
  const before = mine.oplogVersion();
  mine.getText('text').insert(0, 'mine ');
  mine.commit();
  const theirs = new LoroDoc();
  theirs.getText('text').insert(0, 'theirs ');
  theirs.commit();
  s.fake.remoteUpdate(body, theirs.export({ mode: 'update' }));
  await s.crdtApplyUpdate(body, mine.export({ mode: 'update', from: before }));
  await s.fake.settled();
  const merged = LoroDoc.fromSnapshot(s.fake.document(body) ?? new Uint8Array());
  expect(mine.getText('text').toString()).toHaveLength('mine theirs '.length);
  expect(merged.getText('text').toString()).toBe(mine.getText('text').toString());
  expect(await code(s.crdtApplyUpdate(body, Uint8Array.of(1, 2)))).toBe('CRDT_DECODE_FAILED');
  stop();
});
