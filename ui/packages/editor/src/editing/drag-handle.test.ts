import type { EditorView } from 'prosemirror-view';
import { afterEach, expect, test } from 'vitest';
import { blockAtHeight, dropAt } from './drag-handle';
import { editing } from './index';
import { close, open, shown } from './testing';

afterEach(close);

const rect = (top: number, height: number): DOMRect => new DOMRect(100, top, 200, height);

/** Blocks that are 20 pixels high each, in a page of 200 pixels that starts 100 from the left. */
function laidOut(before: readonly string[]): EditorView {
  const view = open(before, editing({ undo: () => false, redo: () => false, openLink: () => undefined, onError: () => undefined }));
  view.dom.getBoundingClientRect = () => rect(0, view.dom.children.length * 20);
  for (const child of view.dom.children) {
    // The order counts at the time of asking: a drop changes it.
    child.getBoundingClientRect = () => rect([...view.dom.children].indexOf(child) * 20, 20);
  }
  return view;
}

function pointer(target: EventTarget | null, type: string, x: number, y: number): void {
  target?.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, bubbles: true, cancelable: true }));
}

const handle = (): HTMLElement => {
  const found = document.querySelector<HTMLElement>('.editor-handle');
  if (!found) throw new Error('no handle');
  return found;
};

function drag(from: readonly [x: number, y: number], to: readonly [x: number, y: number]): void {
  pointer(document, 'pointermove', ...from);
  pointer(handle(), 'pointerdown', ...from);
  pointer(handle(), 'pointermove', ...to);
  pointer(handle(), 'pointerup', ...to);
}

test('the block at a height', () => {
  const view = laidOut(['p a', 'p b', 'p c']);
  expect([0, 19, 20, 59, 500, -5].map((y) => blockAtHeight(view, y))).toEqual([0, 0, 1, 2, 2, 0]);
});

test('the handle comes beside the text, and goes when the pointer does or a key is pressed', () => {
  const view = laidOut(['p a', 'p b']);
  expect(handle().hidden).toBe(true);
  pointer(document, 'pointermove', 80, 30);
  expect(handle().hidden).toBe(false);
  expect(handle().style.top).toBe('20px');
  pointer(document, 'pointermove', 400, 30);
  expect(handle().hidden).toBe(true);
  pointer(document, 'pointermove', 80, 30);
  view.dom.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }));
  expect(handle().hidden).toBe(true);
});

test('a press selects the block', () => {
  const view = laidOut(['p a', 'p b']);
  pointer(document, 'pointermove', 90, 30);
  pointer(handle(), 'pointerdown', 90, 30);
  pointer(handle(), 'pointerup', 90, 30);
  expect(shown(view.state)).toEqual(['p a', '*p b']);
});

test.each([
  ['below the last', ['- a', '  - b', 'p c'], [90, 5], [100, 59], ['p c', '*- a', '  - b']],
  ['under another one', ['p a', 'p b', 'p c'], [90, 45], [130, 18], ['p a', '  *p c', 'p b']],
  ['up', ['p a', 'p b', 'p c'], [90, 45], [100, 2], ['*p c', 'p a', 'p b']],
  ['only deeper', ['p a', 'p b'], [90, 25], [130, 35], ['p a', '  *p b']],
  ['not deeper by a slip', ['p a', 'p b', 'p c'], [90, 45], [115, 18], ['p a', '*p c', 'p b']],
  ['not under a heading', ['h1 a', 'p b'], [90, 25], [290, 35], ['h1 a', '*p b']],
  ['no deeper than the block above allows', ['p a', 'p b'], [90, 25], [290, 35], ['p a', '  *p b']],
  ['not into itself', ['- a', '  - b', 'p c'], [90, 5], [100, 25], ['*- a', '  - b', 'p c']],
] as const)('a drag moves a block with its children: %s', (_name, before, from, to, wanted) => {
  const view = laidOut(before);
  drag(from, to);
  expect(shown(view.state)).toEqual(wanted);
});

test('several selected blocks are dragged together', () => {
  const view = laidOut(['p ^a', 'p b|', 'p c']);
  view.someProp('handleKeyDown', (take) => take(view, new KeyboardEvent('keydown', { key: 'Escape' })));
  drag([90, 25], [100, 59]);
  expect(shown(view.state)).toEqual(['p c', '*p a', '*p b']);
});

test('Escape leaves everything in its place', () => {
  const view = laidOut(['p a', 'p b']);
  pointer(document, 'pointermove', 90, 5);
  pointer(handle(), 'pointerdown', 90, 5);
  pointer(handle(), 'pointermove', 100, 39);
  expect(document.querySelector<HTMLElement>('.editor-drop-line')?.hidden).toBe(false);
  document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
  expect(document.querySelector<HTMLElement>('.editor-drop-line')?.hidden).toBe(true);
  pointer(handle(), 'pointerup', 100, 39);
  expect(shown(view.state)).toEqual(['*p a', 'p b']);
});

test('a place between a parent and its child is as deep as the child', () => {
  const view = laidOut(['p x', '- a', '  - b']);
  expect(dropAt(view, { start: 0, end: 1 }, 38, 0)).toMatchObject({ index: 2, indent: 1 });
});
