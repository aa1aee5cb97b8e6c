import { NodeSelection } from 'prosemirror-state';
import { DecorationSet, type EditorView } from 'prosemirror-view';
import { afterEach, expect, test, vi } from 'vitest';
import { BlockSelection, editing, type EditingOptions, insertBlock, insertEmbed } from './index';
import type { Json } from '../schema';
import { listNumbers } from './decorations';
import { close, open, page, press, shown, write } from './testing';

afterEach(close);

function edit(before: readonly string[], more: Partial<EditingOptions> = {}): EditorView {
  const given = { undo: () => false, redo: () => false, openLink: () => undefined, onError: () => undefined, ...more };
  return open(before, editing(given));
}

const block = (view: EditorView, index: number): HTMLElement => {
  const found = view.dom.children[index];
  if (!(found instanceof HTMLElement)) throw new Error(`no block ${index}`);
  return found;
};

test('a task has a check box', () => {
  const view = edit(['[ ] a', 'p |']);
  const tick = view.dom.querySelector<HTMLElement>('[role=checkbox]');
  expect(tick?.getAttribute('aria-checked')).toBe('false');
  expect(tick?.getAttribute('aria-label')).toBe('Done');
  tick?.click();
  expect(shown(view.state)).toEqual(['[x] a', 'p |']);
  expect(view.dom.querySelector('[role=checkbox]')).toBe(tick);
  expect(tick?.getAttribute('aria-checked')).toBe('true');
  expect(block(view, 0).dataset.checked).toBe('true');
  tick?.click();
  expect(view.state.doc.child(0).attrs.checked).toBeNull();
});

test('a list item that becomes a task gets the box', () => {
  const view = edit(['- a|']);
  press(view, 'Mod-Shift-9');
  expect(view.dom.querySelectorAll('[role=checkbox]')).toHaveLength(1);
  press(view, 'Mod-Enter');
  expect(shown(view.state)).toEqual(['[x] a|']);
});

test.each([
  [['1. a', '1. b', '1. c'], [1, 2, 3]],
  [['1. a', '  1. b', '  1. c', '1. d', '  1. e'], [1, 1, 2, 2, 1]],
  [['1. a', '  p b', '1. c'], [1, undefined, 2]],
  [['1. a', 'p b', '1. c'], [1, undefined, 1]],
  [['1. a', '- b', '1. c'], [1, undefined, 1]],
])('%s are numbered', (lines, wanted) => {
  const numbers = listNumbers(page(lines).doc);
  expect(lines.map((_, index) => numbers.get(index))).toEqual(wanted);
});

test('numbers start where the first item says, and follow moves and changes of depth', () => {
  const view = edit(['1. a', '1. b|', '1. c']);
  const numbers = (): (string | undefined)[] => [0, 1, 2].map((index) => block(view, index).dataset.number);
  expect(numbers()).toEqual(['1.', '2.', '3.']);
  press(view, 'Tab');
  expect(numbers()).toEqual(['1.', '1.', '2.']);
  write(view, 'text');
  expect(numbers()).toEqual(['1.', '1.', '2.']);
  view.dispatch(view.state.tr.setNodeAttribute(0, 'start', 5));
  expect(numbers()).toEqual(['5.', '1.', '6.']);
});

test('the numbers of a page are not gone through for each of its blocks', () => {
  const view = edit(['1. a', '1. b|', '1. c']);
  const search = vi.spyOn(DecorationSet.prototype, 'forChild');
  write(view, 'text');
  view.dispatch(view.state.tr.setNodeAttribute(0, 'start', 5));
  write(view, 'more');
  expect(block(view, 1).dataset.number).toBe('6.');
  expect(search.mock.contexts.filter((set) => set !== DecorationSet.empty)).toEqual([]);
  search.mockRestore();
});

test('boxes know their edges', () => {
  const view = edit(['p a', 'p b', 'p c', 'p d']);
  const { tr } = view.state;
  for (const [pos, boxes] of [[0, ['x']], [3, ['x', 'y']], [6, ['z']]] as const) tr.setNodeAttribute(pos, 'in', boxes);
  view.dispatch(tr);
  const edges = (index: number): unknown => [
    block(view, index).dataset.boxes,
    block(view, index).classList.contains('box-start'),
    block(view, index).classList.contains('box-end'),
  ];
  expect([0, 1, 2, 3].map(edges)).toEqual([
    ['1', true, false],
    ['2', false, true],
    ['1', true, true],
    [undefined, false, false],
  ]);
});

test('only an empty page has the placeholder', () => {
  const view = edit(['p |']);
  expect(block(view, 0).dataset.placeholder).toBe('Write, or type / for blocks');
  write(view, 'a');
  expect(view.dom.querySelector('[data-placeholder]')).toBeNull();
});

test('the language of code is changed in place', () => {
  const view = edit(['code a']);
  const input = view.dom.querySelector<HTMLInputElement>('input');
  if (!input) throw new Error('no field');
  expect(input.getAttribute('aria-label')).toBe('Language');
  input.value = ' rust ';
  input.dispatchEvent(new Event('change'));
  expect(view.state.doc.child(0).attrs.lang).toBe('rust');
  expect(block(view, 0).dataset.lang).toBe('rust');
  input.value = '';
  input.dispatchEvent(new Event('change'));
  expect(view.state.doc.child(0).attrs.lang).toBeNull();
});

function image(src: string | null, more: Partial<EditingOptions> = {}): EditorView {
  const view = edit(['img cap'], more);
  view.dispatch(view.state.tr.setNodeAttribute(0, 'src', src));
  return view;
}

test('an image of the device is shown with its caption as its text', () => {
  const img = image('asset://files/1').dom.querySelector('img');
  expect([img?.getAttribute('src'), img?.getAttribute('alt')]).toEqual(['asset://files/1', 'cap']);
});

test.each([
  ['https://example.org/a.png', 'Image on example.org, not loaded'],
  ['javascript:alert(1)', 'This image cannot be shown'],
  ['data:image/svg+xml;base64,AAAA', 'This image cannot be shown'],
  [null, 'This image cannot be shown'],
])('an image at %s is words', (src, words) => {
  const view = image(src);
  expect(view.dom.querySelector('img')).toBeNull();
  expect(view.dom.querySelector('[role=img]')?.textContent).toBe(words);
});

test('the app knows where attachments are; a picture that does not load becomes words', () => {
  const imageUrl = vi.fn<(src: string) => string | null>((src) => `blob:${src}`);
  const view = image('blob-1', { imageUrl });
  const img = view.dom.querySelector('img');
  expect(img?.getAttribute('src')).toBe('blob:blob-1');
  img?.dispatchEvent(new Event('error'));
  expect(view.dom.querySelector('[role=img]')?.textContent).toBe('This image cannot be shown');
});

test('a block of another version is shown, and cannot be typed in', () => {
  const view = edit(['? a ch|art', 'p b']);
  write(view, 'x');
  expect(shown(view.state)).toEqual(['*? a chart', 'p b']);
  expect(block(view, 0).getAttribute('contenteditable')).toBe('false');
  expect(block(view, 0).textContent).toBe('A block of another version (chart)a chart');
});

test('a caret that comes upon a divider selects it and goes on behind it', () => {
  const view = edit(['p a|', '--- ', 'p b']);
  press(view, 'Delete');
  expect(view.state.selection).toBeInstanceOf(BlockSelection);
  expect(block(view, 1).classList.contains('selected')).toBe(true);
  press(view, 'ArrowDown');
  expect(shown(view.state)).toEqual(['p a', '--- ', 'p |b']);
});

test('typing does not replace selected blocks', () => {
  const view = edit(['p a|', 'p b']);
  press(view, 'Escape');
  write(view, 'x');
  expect(shown(view.state)).toEqual(['*p a', 'p b']);
  press(view, 'Enter');
  expect(shown(view.state)).toEqual(['p a|', 'p b']);
});

test.each([
  [['p a', 'code b'], ['p a', 'code b', 'p |']],
  [['p a|'], ['p a|']],
] as const)('a click below %j', (before, wanted) => {
  const view = edit(before);
  view.dom.dispatchEvent(new MouseEvent('mousedown', { clientY: 500, bubbles: true, cancelable: true }));
  expect(shown(view.state)).toEqual(wanted);
});

test('a block is inserted in place of an empty one, or below a text', () => {
  const empty = edit(['p a', 'p |']);
  insertBlock(empty, { type: 'image', attrs: { src: 'x' } }, 'cap');
  expect(shown(empty.state)).toEqual(['p a', 'img cap', 'p |']);
  const text = edit(['  - a|', 'p b']);
  insertBlock(text, { type: 'divider' });
  expect(shown(text.state)).toEqual(['  - a', '  --- ', '  p |', 'p b']);
});

test('what only reads cannot be changed', () => {
  const view = edit(['[ ] a', 'code b']);
  view.setProps({ editable: () => false });
  view.dom.querySelector<HTMLElement>('[role=checkbox]')?.click();
  const input = view.dom.querySelector('input');
  if (input) input.value = 'rust';
  input?.dispatchEvent(new Event('focus'));
  input?.dispatchEvent(new Event('change'));
  expect(input?.readOnly).toBe(true);
  expect(shown(view.state)).toEqual(['[ ] |a', 'code b']);
  expect(view.state.doc.child(1).attrs.lang).toBeNull();
});

test('an input method gets a caret, not the selected blocks', () => {
  const view = edit(['p a|', 'p b']);
  press(view, 'Escape');
  view.dom.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
  expect(shown(view.state)).toEqual(['p a|', 'p b']);
});

test('an embed is opened by a click and by Enter, and says what the app says', () => {
  const openEmbed = vi.fn<(data: Json) => void>();
  const view = edit(['p a|'], { openEmbed, embedText: () => 'New name' });
  insertEmbed(view, { page: 'x', text: 'Old name' });
  const embed = view.dom.querySelector('.embed');
  expect([embed?.getAttribute('role'), embed?.textContent]).toEqual(['link', 'New name']);
  const click = new MouseEvent('click');
  const { embed: type } = view.state.schema.nodes;
  view.someProp('handleClickOn', (handle) => type && handle(view, 2, type.create({ data: { page: 'x' } }), 2, click, true));
  view.dispatch(view.state.tr.setSelection(NodeSelection.create(view.state.doc, 2)));
  press(view, 'Enter');
  expect(openEmbed.mock.calls).toEqual([[{ page: 'x' }], [{ page: 'x', text: 'Old name' }]]);
  expect(view.state.doc.textBetween(0, 3, undefined, '*')).toBe('a*');
});

test('Enter on an embed that nobody opens goes behind it', () => {
  const view = edit(['p a|']);
  insertEmbed(view, 'text');
  view.dispatch(view.state.tr.setSelection(NodeSelection.create(view.state.doc, 2)));
  press(view, 'Enter');
  expect(shown(view.state)).toEqual(['p a\uFFFC|']);
});

test('undo and redo are the app’s', () => {
  const [undo, redo] = [vi.fn<() => boolean>(() => true), vi.fn<() => boolean>(() => false)];
  const view = edit(['p |'], { undo, redo });
  for (const keys of ['Mod-z', 'Mod-Shift-z', 'Mod-y']) expect(press(view, keys)).toBe(true);
  expect([undo.mock.calls.length, redo.mock.calls.length]).toEqual([1, 2]);
});

test.each([
  ['Mod-Alt-2', 'h2 a|'],
  ['Mod-Alt-0', 'p a|'],
  ['Mod-Shift-7', '1. a|'],
  ['Mod-Shift-8', '- a|'],
  ['Shift-Enter', 'p a\n|'],
  ['Tab', 'p a|'],
])('%s', (keys, wanted) => {
  const view = edit(['p a|']);
  expect(press(view, keys)).toBe(true);
  expect(shown(view.state)).toEqual([wanted]);
});
