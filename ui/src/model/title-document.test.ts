import type { DocumentPiece } from '@tombolo/editor';
import { LoroDoc } from 'loro-crdt';
import { expect, test } from 'vitest';
import { TitleDocument } from './title-document.svelte';

const TITLE = 'field:title';

/** A title's document on a disk: it takes updates, tells others of them, and can be written to by somebody else. */
class Disk {
  readonly doc = new LoroDoc();
  readonly pushed: Uint8Array[] = [];
  refuse: Error | undefined;
  #followers: ((piece: DocumentPiece) => void)[] = [];
  #peers = 100n;

  constructor(title: string) {
    this.doc.setPeerId(1n);
    this.edit(0, 0, title);
  }

  get title(): string {
    return this.doc.getText(TITLE).toString();
  }

  /** Somebody else types. */
  edit(at: number, deleted: number, text: string): void {
    const before = this.doc.version();
    this.doc.getText(TITLE).splice(at, deleted, text);
    this.doc.commit();
    this.#tell({ kind: 'update', bytes: this.doc.export({ mode: 'update', from: before }) });
  }

  /** Another document takes the place of this one, as after a refusal. */
  replace(): void {
    this.#tell(this.#snapshot());
  }

  source() {
    return {
      follow: async (listener: (piece: DocumentPiece) => void) => {
        this.#followers.push(listener);
        listener(this.#snapshot());
        return () => (this.#followers = this.#followers.filter((each) => each !== listener));
      },
      push: async (update: Uint8Array) => {
        await Promise.resolve();
        if (this.refuse) throw this.refuse;
        this.pushed.push(update);
        this.doc.import(update);
        return { commit: 'c', seq: this.pushed.length };
      },
    };
  }

  #snapshot(): DocumentPiece {
    this.#peers += 1n;
    return { kind: 'snapshot', peer: this.#peers, bytes: this.doc.export({ mode: 'snapshot' }) };
  }

  #tell(piece: DocumentPiece): void {
    for (const follower of this.#followers) follower(piece);
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

async function open(text: string) {
  const disk = new Disk(text);
  const title = new TitleDocument(text, disk.source());
  const stop = title.follow();
  await settled();
  await settled();
  return { disk, title, stop };
}

test('what is typed is written as it is typed, one push at a time', async () => {
  const { disk, title } = await open('Plan');
  title.typed('Plan ');
  title.typed('Plan B');
  title.typed('Plan Be');
  await settled();
  expect(disk.title).toBe('Plan Be');
  expect(disk.pushed.length).toBeLessThanOrEqual(2);
});

test('two people in one title lose nothing, whatever the order', async () => {
  const { disk, title } = await open('Plan');
  title.typed('Plan B');
  disk.edit(0, 0, 'A ');
  title.typed(`${title.text}!`);
  disk.edit(0, 0, '> ');
  await settled();
  expect(title.text).toBe('> A Plan B!');
  expect(disk.title).toBe('> A Plan B!');
});

test('what somebody else wrote before this window knew of it stays', async () => {
  const disk = new Disk('Plan');
  const silent = { ...disk.source(), follow: disk.source().follow };
  const title = new TitleDocument('Plan', silent);
  title.follow();
  await settled();
  await settled();
  // Written behind the window's back: no piece tells of it before the next push.
  disk.doc.getText(TITLE).insert(0, 'A ');
  disk.doc.commit();
  title.typed('Plan B');
  await settled();
  expect(disk.title).toBe('A Plan B');
});

test('nothing moves while a word is composed', async () => {
  const { disk, title } = await open('計画');
  title.composing = true;
  title.typed('計画k');
  disk.edit(0, 0, 'A ');
  title.typed('計画か');
  await settled();
  expect(title.text).toBe('計画か');
  expect(disk.title).toBe('A 計画');
  title.composing = false;
  await settled();
  expect(title.text).toBe('A 計画か');
  expect(disk.title).toBe('A 計画か');
});

test('what is typed before the document is there is written once it is', async () => {
  const disk = new Disk('Plan');
  disk.edit(0, 0, 'A ');
  const title = new TitleDocument('Plan', disk.source());
  title.follow();
  title.typed('Plan B');
  expect(title.text).toBe('Plan B');
  await settled();
  await settled();
  expect(title.text).toBe('A Plan B');
  expect(disk.title).toBe('A Plan B');
});

test('a refused text stays in the field, with the reason, until another is kept', async () => {
  const { disk, title } = await open('Plan');
  disk.refuse = new Error('too long');
  title.typed('Plan, and much more');
  await settled();
  expect(title.text).toBe('Plan, and much more');
  expect(title.error).toBe(disk.refuse);
  disk.refuse = undefined;
  title.typed('Plan, and more');
  await settled();
  expect(title.error).toBeUndefined();
  expect(disk.title).toBe('Plan, and more');
});

test('a document in the place of the first keeps what was typed and not yet written', async () => {
  const { disk, title } = await open('Plan');
  disk.refuse = new Error('disk full');
  title.typed('Plan B');
  await settled();
  disk.refuse = undefined;
  disk.replace();
  await settled();
  expect(title.text).toBe('Plan B');
  expect(disk.title).toBe('Plan B');
});

test('a title that nobody follows any longer is told of nothing', async () => {
  const { disk, title, stop } = await open('Plan');
  stop();
  disk.edit(0, 0, 'A ');
  await settled();
  expect(title.text).toBe('Plan');
});

test('bytes that are no update are said to be none, and typing goes on', async () => {
  const { disk, title } = await open('Plan');
  let tell: ((piece: DocumentPiece) => void) | undefined;
  const other = new TitleDocument('Plan', {
    ...disk.source(),
    follow: (listener) => {
      tell = listener;
      return disk.source().follow(listener);
    },
  });
  other.follow();
  await settled();
  tell?.({ kind: 'update', bytes: Uint8Array.of(1, 2, 3) });
  await settled();
  expect(other.error).toBeDefined();
  other.typed('Plans');
  await settled();
  expect(disk.title).toBe('Plans');
  expect(title.error).toBeUndefined();
});
