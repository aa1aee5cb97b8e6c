import { readFileSync } from 'node:fs';
import { LoroDoc } from 'loro-crdt';
import { expect, test } from 'vitest';
import { DataStoreError, type DataStore, type Manifest, type Row } from '.';
import { fakeStore } from './fake';

const manifest: Manifest = {
  manifest_version: 1,
  name: 'guide',
  version: 1,
  entities: [{ name: 'Note', fields: [{ name: 'title', type: 'string' }, { name: 'body', type: 'richtext', optional: true }] }],
};

/** The guide's own examples, word for word: the last test holds them against it. */
const examples = {
  async rows(store: DataStore, show: (notes: readonly Note[]) => void) {
    const { id, receipt } = await store.insert('Note', { title: 'Milk' });
    await store.update('Note', id, { title: 'Oat milk' });

    const notes = store.live<Note>({
      op: 'query_filtered',
      args: { entity: 'Note', filter: { $order: { title: 'asc' } } },
    });
    const stop = notes.subscribe(({ rows, coverage }) => {
      if (coverage !== 'missing') show(rows);
    });
    return { receipt, stop };
  },

  failures(store: DataStore, show: (message: string) => void) {
    return store.update('Note', 'nobody', { title: null }).catch((error: unknown) => {
      if (error instanceof DataStoreError && error.code === 'INVALID_DATA') show(error.message);
      else throw error;
    });
  },

  document(store: DataStore, id: string) {
    const body = { entity: 'Note', id, field: 'body' };
    let doc = new LoroDoc();
    let stopListening: (() => void) | undefined;

    const stop = store.follow(body, {
      piece(piece) {
        if (piece.kind === 'snapshot') {
          // All that was made from earlier pieces is void: a write was refused, and others build on what is left.
          stopListening?.();
          doc = new LoroDoc();
          doc.setPeerId(piece.peer);
          stopListening = doc.subscribeLocalUpdates((bytes) => void store.crdtApplyUpdate(body, bytes));
        }
        doc.import(piece.bytes);
      },
      ended: () => stopListening?.(),
    });
    return { doc: () => doc, stop };
  },

  sync(store: DataStore, show: (words: string) => void) {
    const stop = store.syncStatus.subscribe((status) => {
      if (status?.state === 'offline') show(`Offline · ${status.waiting} changes waiting`);
      if (status?.code === 'UNAUTHENTICATED') show('Sign in again');
    });
    return stop;
  },
};

/** Without what only makes it deeper. */
const flat = (text: string) => text.replaceAll(/^ +/gm, '').trim();

interface Note extends Row {
  title: string;
}

test('rows are written and shown as they change', async () => {
  const store = fakeStore(manifest);
  let shown: string[] = [];
  const { receipt, stop } = await examples.rows(store, (notes) => (shown = notes.map(({ title }) => title)));
  await store.fake.settled();
  expect([receipt.state, shown]).toEqual(['local', ['Oat milk']]);
  stop();
});

test('a refusal is told by its code', async () => {
  const store = fakeStore(manifest);
  store.fake.failNext('update', 'INVALID_DATA', 'title needs a value');
  let shown = '';
  await examples.failures(store, (message) => (shown = message));
  expect(shown).toBe('title needs a value');
});

test('a document is edited together with others, and begun anew when it must be', async () => {
  const store = fakeStore(manifest, { Note: [{ title: 'a' }] }, { newDocument: () => new LoroDoc() });
  const [note] = await store.list('Note');
  const body = { entity: 'Note', id: note?.id ?? '', field: 'body' };
  const { doc, stop } = examples.document(store, body.id);
  await store.fake.settled();
  doc().getText('text').insert(0, 'mine');
  doc().commit();
  await store.fake.settled();
  const theirs = LoroDoc.fromSnapshot(store.fake.document(body) ?? new Uint8Array());
  theirs.getText('text').insert(4, ' and theirs');
  theirs.commit();
  store.fake.remoteUpdate(body, theirs.export({ mode: 'update' }));
  await store.fake.settled();
  expect(doc().getText('text').toString()).toBe('mine and theirs');
  store.fake.rebuildDocument(body, new LoroDoc().export({ mode: 'snapshot' }));
  await store.fake.settled();
  expect(doc().getText('text').toString()).toBe('');
  stop();
});

test('the session is told in words', async () => {
  const store = fakeStore(manifest);
  const shown: string[] = [];
  const stop = examples.sync(store, (words) => shown.push(words));
  store.fake.setSyncStatus({ state: 'offline', waiting: 3 });
  await store.fake.settled();
  store.fake.setSyncStatus({ state: 'refused', code: 'UNAUTHENTICATED' });
  await store.fake.settled();
  expect(shown).toEqual(['Offline · 3 changes waiting', 'Sign in again']);
  stop();
});

test('the guide shows these examples', () => {
  const here = flat(readFileSync('packages/client/src/guide.test.ts', 'utf8'));
  const guide = readFileSync('../docs/client.md', 'utf8');
  const blocks = [...guide.matchAll(/```ts\n([^]*?)```/g)].map(([, block]) => flat(block ?? ''));
  expect(blocks).toHaveLength(4);
  for (const block of blocks) expect(here).toContain(block);
});
