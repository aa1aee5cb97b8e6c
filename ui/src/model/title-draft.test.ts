import { expect, test } from 'vitest';
import { TitleDraft } from './title-draft.svelte';

async function settled(): Promise<void> {
  for (let n = 0; n < 4; n += 1) await Promise.resolve();
}

/** A store whose writes end when told. */
function slowStore() {
  const writes: { text: string; done: () => Promise<void>; fail: (error: Error) => Promise<void> }[] = [];
  const write = (text: string) =>
    new Promise<void>((resolve, reject) => {
      writes.push({
        text,
        done: () => (resolve(), settled()),
        fail: (error) => (reject(error), settled()),
      });
    });
  return { write, writes, sent: () => writes.map(({ text }) => text) };
}

test('one write at a time, and the latest text at the end', async () => {
  const { write, writes, sent } = slowStore();
  const draft = new TitleDraft('', write);
  draft.typed('P');
  draft.typed('Pl');
  draft.typed('Pla');
  expect(sent()).toEqual(['P']);
  await writes[0]?.done();
  expect(sent()).toEqual(['P', 'Pla']);
  await writes[1]?.done();
  draft.arrived('P');
  draft.arrived('Pla');
  expect(draft.text).toBe('Pla');
});

test('what is typed elsewhere joins what is typed here', async () => {
  const { write, writes } = slowStore();
  const draft = new TitleDraft('Plan', write);
  draft.typed('Plan B');
  await writes[0]?.done();
  draft.arrived('Plan B');
  draft.arrived('A Plan B');
  expect(draft.text).toBe('A Plan B');
  expect(writes).toHaveLength(1);
});

test('what a write replaced is brought back', async () => {
  const { write, writes, sent } = slowStore();
  const draft = new TitleDraft('Plan', write);
  draft.typed('Plans');
  draft.arrived('A Plan');
  await writes[0]?.done();
  expect(draft.text).toBe('A Plans');
  expect(sent()).toEqual(['Plans', 'A Plans']);
  draft.arrived('Plans');
  await writes[1]?.done();
  expect(draft.text).toBe('A Plans');
});

test('what arrives during a write and comes after it is kept as it is', async () => {
  const { write, writes, sent } = slowStore();
  const draft = new TitleDraft('Plan', write);
  draft.typed('Plans');
  draft.arrived('A Plans');
  await writes[0]?.done();
  expect(draft.text).toBe('A Plans');
  expect(sent()).toEqual(['Plans']);
});

test('the state before a write that arrives after it takes nothing back', async () => {
  const { write, writes } = slowStore();
  const draft = new TitleDraft('Plan', write);
  draft.typed('Plans');
  draft.arrived('Plan');
  await writes[0]?.done();
  expect(draft.text).toBe('Plans');
});

test('nothing moves while a word is composed', async () => {
  const { write, sent } = slowStore();
  const draft = new TitleDraft('計画', write);
  draft.composing = true;
  draft.typed('計画k');
  draft.arrived('A 計画');
  expect(draft.text).toBe('計画k');
  expect(sent()).toEqual([]);
  draft.typed('計画か');
  draft.composing = false;
  expect(draft.text).toBe('A 計画か');
  expect(sent()).toEqual(['A 計画か']);
});

test('a refused text stays in the field, with the reason, until another is kept', async () => {
  const { write, writes } = slowStore();
  const draft = new TitleDraft('', write);
  draft.typed('too long');
  await writes[0]?.fail(new Error('no'));
  expect(draft.text).toBe('too long');
  expect(draft.error).toBeInstanceOf(Error);
  draft.typed('short');
  await writes[1]?.done();
  expect(draft.error).toBeUndefined();
});
