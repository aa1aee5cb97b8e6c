import type { EditorView } from 'prosemirror-view';
import { afterEach, expect, test, vi } from 'vitest';
import { insertEmbed } from './embeds';
import { type EditingOptions, type MenuItem, type Suggestions, withDefaults } from './options';
import { menuKey, menus } from './menu';
import { close, open, press, shown, write } from './testing';

afterEach(close);

function opened(before: readonly string[], text: string, more: Partial<EditingOptions> = {}): EditorView {
  const options = { undo: () => false, redo: () => false, openLink: () => undefined, onError: () => undefined, ...more };
  const view = open(before, [menus(withDefaults(options))]);
  write(view, text);
  return view;
}

const options = (): string[] =>
  [...document.querySelectorAll('.editor-menu:not([hidden]) [role=option] .editor-menu-title')].map((found) => found.textContent);

test('a slash at the start of a block or behind a space opens the menu', () => {
  expect(menuKey.getState(opened(['p |'], '/').state)?.query).toBe('');
  expect(options()).toContain('Heading 1');
  expect(menuKey.getState(opened(['p and |'], '/').state)).not.toBeNull();
});

test.each([
  ['in a word', ['p and|']],
  ['in source', ['code |']],
])('a slash %s is a slash', (_name, before) => {
  const after = opened(before, '/');
  expect(menuKey.getState(after.state)).toBeNull();
  expect(shown(after.state)).toEqual([before[0]?.replace('|', '/|')]);
});

test('what is typed filters by title, words of it and aliases, best first', () => {
  opened(['p |'], '/head');
  expect(options()).toEqual(['Heading 1', 'Heading 2', 'Heading 3', 'Heading 4']);
  close();
  opened(['p |'], '/list');
  expect(options()).toEqual(['Bulleted list', 'Numbered list', 'Task list']);
  close();
  opened(['p |'], '/todo');
  expect(options()).toEqual(['Task list']);
});

test('keys choose an entry, and the query goes', () => {
  const after = opened(['p a |b'], '/head');
  expect(press(after, 'ArrowDown')).toBe(true);
  expect(press(after, 'ArrowUp')).toBe(true);
  expect(press(after, 'ArrowUp')).toBe(true);
  expect(press(after, 'ArrowUp')).toBe(true);
  expect(press(after, 'Enter')).toBe(true);
  expect(shown(after.state)).toEqual(['h3 a |b']);
  expect(menuKey.getState(after.state)).toBeNull();
  expect(press(after, 'Enter')).toBe(false);
});

test('a divider stands above an empty block and below a text', () => {
  const empty = opened(['p |'], '/div');
  press(empty, 'Enter');
  expect(shown(empty.state)).toEqual(['--- ', 'p |']);
  empty.destroy();
  const text = opened(['- a |'], '/div');
  press(text, 'Enter');
  expect(shown(text.state)).toEqual(['- a ', '--- ', 'p |']);
});

test('Escape, leaving the text and a sentence close the menu for good', () => {
  const after = opened(['p |'], '/h');
  expect(press(after, 'Escape')).toBe(true);
  expect(options()).toEqual([]);
  write(after, 'e');
  expect(menuKey.getState(after.state)).toBeNull();
  expect(shown(after.state)).toEqual(['p /he|']);
  after.destroy();
  expect(menuKey.getState(opened(['p |'], '/and so ').state)).toBeNull();
  close();
  const left = opened(['p |'], '/h');
  left.dom.dispatchEvent(new FocusEvent('blur'));
  expect(menuKey.getState(left.state)).toBeNull();
});

test('without a match the menu says so, and Enter is Enter', () => {
  const after = opened(['p |'], '/zzz');
  expect(document.querySelector('[role=listbox]')).toBeNull();
  expect(document.querySelector('.editor-menu')?.textContent).toBe('No block of that name');
  expect(document.querySelector('[role=status]')?.textContent).toBe('No block of that name');
  expect(press(after, 'Enter')).toBe(false);
  expect(after.dom.hasAttribute('aria-activedescendant')).toBe(false);
});

test('the editor points to the active entry of the list', () => {
  const after = opened(['p |'], '/');
  press(after, 'ArrowDown');
  const active = document.getElementById(after.dom.getAttribute('aria-activedescendant') ?? '');
  expect(active?.getAttribute('aria-selected')).toBe('true');
  expect(active?.textContent).toContain('Heading 1');
  expect(after.dom.getAttribute('aria-controls')).toBe(active?.parentElement?.id);
  expect(document.querySelectorAll('[aria-selected=true]')).toHaveLength(1);
  press(after, 'Escape');
  expect(after.dom.hasAttribute('aria-controls')).toBe(false);
});

test('a pointer chooses, and the app adds entries', () => {
  const run = vi.fn<() => void>();
  const after = opened(['p |'], '/sum', { menuItems: () => [{ id: 'x', title: 'Summary of the page', run }] });
  const [option] = document.querySelectorAll('[role=option]');
  option?.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
  option?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
  expect(run).toHaveBeenCalledOnce();
  expect(shown(after.state)).toEqual(['p |']);
});

test('the words are the app’s', () => {
  opened(['p |'], '/', { texts: { quote: 'Zitat' } });
  expect(options()).toContain('Zitat');
});

test('what others write above moves the menu, and a view that goes takes it along', () => {
  const after = opened(['p a', 'p |'], '/q');
  after.dispatch(after.state.tr.insertText('more ', 1));
  expect(menuKey.getState(after.state)).toMatchObject({ from: 9, query: 'q' });
  after.destroy();
  expect(document.querySelector('.editor-menu')).toBeNull();
});

const pages = (query: string): MenuItem[] =>
  ['Harbour', 'Harvest', 'Island']
    .filter((title) => title.toLowerCase().startsWith(query.toLowerCase()))
    .map((title) => ({ id: title, title, run: (view) => insertEmbed(view, { page: title.toLowerCase(), text: title }) }));

const suggestions: Suggestions = { trigger: '[[', label: 'Pages', empty: 'No page', find: pages };

test('the app suggests behind a sign of its own', () => {
  const after = opened(['p see|'], '[[har', { suggestions: [suggestions] });
  expect(options()).toEqual(['Harbour', 'Harvest']);
  expect(document.querySelector('[role=listbox]')?.getAttribute('aria-label')).toBe('Pages');
  press(after, 'ArrowDown');
  press(after, 'Enter');
  expect(after.state.doc.child(0).lastChild?.attrs.data).toEqual({ page: 'harvest', text: 'Harvest' });
  expect(shown(after.state)).toEqual(['p see\uFFFC|']);
});

test('a sign that is closed, or one of a word, is text', () => {
  expect(menuKey.getState(opened(['p |'], '[[a]]', { suggestions: [suggestions] }).state)).toBeNull();
  close();
  expect(menuKey.getState(opened(['p ann|'], '@', { suggestions: [{ ...suggestions, trigger: '@' }] }).state)).toBeNull();
  close();
  expect(menuKey.getState(opened(['p ann |'], '@', { suggestions: [{ ...suggestions, trigger: '@' }] }).state)).not.toBeNull();
});

test('entries that come late are shown if they are still asked for', async () => {
  const answers = new Map<string, (items: readonly MenuItem[]) => void>();
  const find = (query: string): Promise<readonly MenuItem[]> =>
    new Promise((resolve) => {
      answers.set(query, resolve);
    });
  const after = opened(['p |'], '[[h', { suggestions: [{ ...suggestions, find }] });
  expect(document.querySelector('.editor-menu')?.textContent).toBe('');
  write(after, 'a');
  answers.get('ha')?.(pages('ha'));
  await Promise.resolve();
  expect(options()).toEqual(['Harbour', 'Harvest']);
  answers.get('h')?.([]);
  await Promise.resolve();
  expect(options()).toEqual(['Harbour', 'Harvest']);
  write(after, 'x');
  answers.get('hax')?.([]);
  await Promise.resolve();
  expect(document.querySelector('.editor-menu')?.textContent).toBe('No page');
});

const failing = (): Promise<readonly MenuItem[]> => Promise.reject(new Error('closed'));

test('a search that fails finds nothing', async () => {
  opened(['p |'], '[[', { suggestions: [{ ...suggestions, find: failing }] });
  await Promise.resolve();
  await Promise.resolve();
  expect(document.querySelector('.editor-menu')?.textContent).toBe('No page');
});
