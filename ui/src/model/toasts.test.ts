import { expect, test } from 'vitest';
import { Toasts, type After } from './toasts.svelte';

/** Time that passes only when told. */
function fakeTime() {
  const waiting = new Set<() => void>();
  const after: After = (_, run) => {
    waiting.add(run);
    return () => waiting.delete(run);
  };
  const pass = () => {
    const due = [...waiting];
    waiting.clear();
    due.forEach((run) => run());
  };
  return { after, pass };
}

const texts = (toasts: Toasts) => toasts.list.map(({ text }) => text);

test('a notice goes by itself, unless somebody looks at it', () => {
  const { after, pass } = fakeTime();
  const toasts = new Toasts(after);
  toasts.show({ text: 'one' });
  toasts.hold();
  pass();
  expect(texts(toasts)).toEqual(['one']);
  toasts.release();
  pass();
  expect(texts(toasts)).toEqual([]);
});

test('undo takes back the latest of what can be, once', () => {
  const undone: string[] = [];
  const toasts = new Toasts(fakeTime().after);
  toasts.show({ text: 'one', undo: () => undone.push('one') });
  toasts.show({ text: 'two', undo: () => undone.push('two') });
  toasts.show({ text: 'three' });
  toasts.undoLatest();
  expect(undone).toEqual(['two']);
  expect(texts(toasts)).toEqual(['one', 'three']);
  toasts.undoLatest();
  expect(toasts.canUndo).toBe(false);
  toasts.undoLatest();
  expect(undone).toEqual(['two', 'one']);
});

test('at most three stand there', () => {
  const toasts = new Toasts(fakeTime().after);
  for (const text of ['one', 'two', 'three', 'four']) toasts.show({ text });
  expect(texts(toasts)).toEqual(['two', 'three', 'four']);
});
