import { DataStoreError } from '@tombolo/client';
import { LoroDoc } from 'loro-crdt';
import { afterEach, expect, test } from 'vitest';
import { closeWindow, openWindow, testStore, type TestWindow } from '../testing/window';

afterEach(closeWindow);

const id = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const pages = [
  { id: id(1), title: 'Field notes' },
  { id: id(2), title: 'Tides', parent: id(1) },
];

const title = (window: TestWindow) => window.get('textbox', 'Title') as HTMLTextAreaElement;
const stored = async (window: TestWindow, n = 1) => (await window.store.getById('Page', id(n)))?.title;

/** Waits for the editor, which comes after the first paint. */
async function editorOf(window: TestWindow): Promise<HTMLElement> {
  for (let n = 0; n < 200; n += 1) {
    const editor = document.querySelector<HTMLElement>('[data-editor=saved] .editor');
    if (editor) return editor;
    await window.settled();
  }
  throw new Error('the editor did not open');
}

test('a page has its title, its place, its time and its text; nothing stands in anybody’s way', async () => {
  const window = await openWindow({ pages, settings: { last_page: id(2) } });
  await editorOf(window);
  expect(title(window).value).toBe('Tides');
  expect(window.get('navigation', 'Where this page is').textContent).toMatch(/Field notes.*Tides/);
  expect(window.text()).toContain('Edited ');
  expect(window.get('textbox', 'Page text').getAttribute('contenteditable')).toBe('true');
  expect(await window.barriers()).toEqual([]);

  await window.click(window.get('button', 'Field notes'));
  expect(title(window).value).toBe('Field notes');
  await window.press('Control+[');
  expect(title(window).value).toBe('Tides');
});

test('of a long path the middle is left out', async () => {
  const deep = Array.from({ length: 7 }, (_, n) => ({ id: id(n + 1), title: `Level ${n + 1}`, parent: n === 0 ? null : id(n) }));
  const window = await openWindow({ pages: deep, settings: { last_page: id(7) } });
  const path = window.get('navigation', 'Where this page is');
  expect([...path.querySelectorAll('li')].map((crumb) => crumb.textContent?.trim())).toEqual(['Level 1', '…', 'Level 5', 'Level 6', 'Level 7']);
  expect(path.querySelector('[role=note]')?.getAttribute('title')).toBe('Level 2 / Level 3 / Level 4');
});

test('a title is written as it is typed, in one line', async () => {
  const window = await openWindow({ pages });
  await window.type(title(window), 'Field\nnotes, 2026');
  expect(await stored(window)).toBe('Field notes, 2026');
  expect(title(window).value).toBe('Field notes, 2026');
  expect(window.get('treeitem', 'Field notes, 2026')).toBeDefined();
});

test('a title that changes elsewhere changes here, around the caret', async () => {
  const window = await openWindow({ pages });
  title(window).focus();
  title(window).setSelectionRange(5, 5);
  await window.store.update('Page', id(1), { title: 'My Field notes' });
  await window.settled();
  expect(title(window).value).toBe('My Field notes');
  expect(title(window).selectionStart).toBe(8);
});

test('while a word is composed, its field is left alone', async () => {
  const window = await openWindow({ pages });
  const field = title(window);
  field.focus();
  field.dispatchEvent(new CompositionEvent('compositionstart'));
  await window.type(field, 'Field notesん');
  await window.store.update('Page', id(1), { title: 'My Field notes' });
  await window.settled();
  expect(field.value).toBe('Field notesん');
  field.dispatchEvent(new CompositionEvent('compositionend'));
  await window.settled();
  expect(field.value).toBe('My Field notesん');
  expect(await stored(window)).toBe('My Field notesん');
});

test('a title that is too long stays in the field and says why it is not kept', async () => {
  const window = await openWindow({ pages });
  window.store.fake.failNext('crdt_apply_update', 'INVALID_DATA', 'title is longer than 500');
  await window.type(title(window), 'x'.repeat(501));
  expect(window.get('alert').textContent).toContain('at most 500 characters');
  expect(title(window).value).toHaveLength(501);
  expect(title(window).getAttribute('aria-invalid')).toBe('true');
  expect(await stored(window)).toBe('Field notes');
  await window.type(title(window), 'Notes');
  expect(window.all('alert')).toEqual([]);
});

test('Enter leaves the title for the text', async () => {
  const window = await openWindow({ pages });
  const editor = await editorOf(window);
  title(window).focus();
  await window.press('Enter');
  expect(document.activeElement).toBe(editor);
});

test('what somebody else writes into the page appears, and the host tells what is durable', async () => {
  const window = await openWindow({ pages });
  const editor = await editorOf(window);
  const remote = new LoroDoc();
  remote.configTextStyle({ b: { expand: 'none' } });
  remote.getText('text').insert(0, '\nlow water at noon');
  window.store.fake.remoteUpdate({ entity: 'Page', id: id(1), field: 'body' }, remote.export({ mode: 'update' }));
  for (let n = 0; n < 50 && !editor.textContent?.includes('noon'); n += 1) await window.settled();
  expect(editor.textContent).toContain('low water at noon');
  expect(document.querySelector<HTMLElement>('[data-editor]')?.dataset.acknowledged).toBe('0');
});

test('a page that holds writes which the server lacks says so quietly', async () => {
  const window = await openWindow({ pages });
  await window.type(title(window), 'Notes');
  expect(window.text()).not.toContain('Not on the server yet');
  window.store.fake.setSyncStatus({ state: 'offline', waiting: 1 });
  await window.settled();
  expect(window.text()).toContain('Not on the server yet');
  await window.click(window.get('treeitem', 'Notes'));
  window.store.fake.setSyncStatus({ state: 'saved', waiting: 0 });
  await window.settled();
  expect(window.text()).not.toContain('Not on the server yet');
});

test('the trash lists what was deleted, shows it and gives it back with all inside', async () => {
  const window = await openWindow({ pages });
  await window.click(window.get('button', 'Trash'));
  expect(window.text()).toContain('The trash is empty');
  expect(await window.barriers()).toEqual([]);

  await window.store.delete('Page', id(1));
  await window.settled();
  expect(window.all('treeitem')).toEqual([]);
  expect(window.all('button', /^Restore/)).toHaveLength(1);
  expect(await window.barriers()).toEqual([]);

  await window.click(window.get('button', 'Field notes'));
  expect(window.text()).toContain('This page is in the trash.');
  expect(title(window).readOnly).toBe(true);
  expect((await editorOf(window)).getAttribute('contenteditable')).toBe('false');
  await window.click(window.get('button', 'Restore'));
  expect(window.text()).not.toContain('This page is in the trash.');
  expect(title(window).readOnly).toBe(false);
  expect(window.get('treeitem', 'Field notes').getAttribute('aria-expanded')).toBe('false');
});

test('a page that goes into the trash elsewhere stays in sight, to be read and restored', async () => {
  const window = await openWindow({ pages });
  const editor = await editorOf(window);
  await window.store.delete('Page', id(1));
  await window.settled();
  expect(window.text()).toContain('This page is in the trash.');
  expect(document.contains(editor)).toBe(true);
  expect(editor.getAttribute('contenteditable')).toBe('false');
  await window.click(window.get('button', 'Restore'));
  expect(editor.getAttribute('contenteditable')).toBe('true');
});

test('a page that is not here is said to be missing', async () => {
  const window = await openWindow({ pages, onlyPage: id(9) });
  expect(window.text()).toContain('This page is not here');
  expect(window.all('tree')).toEqual([]);
});

test('a text that cannot be followed says what is safe and shows the code', async () => {
  const store = testStore(pages);
  const { follow } = store;
  store.follow = (address, listener) => {
    if (address.field !== 'body') return follow(address, listener);
    const error = new DataStoreError({ code: 'CRDT_DECODE_FAILED', message: 'the document cannot be read', details: null });
    queueMicrotask(() => listener.ended(error));
    return () => undefined;
  };
  const window = await openWindow({ store });
  for (let n = 0; n < 200 && window.all('alert').length === 0; n += 1) await window.settled();
  expect(window.get('alert').textContent).toContain('CRDT_DECODE_FAILED');
  expect(window.get('alert').textContent).toContain('Nothing was changed');
  expect(title(window).value).toBe('Field notes');
  expect(await window.barriers()).toEqual([]);
});
