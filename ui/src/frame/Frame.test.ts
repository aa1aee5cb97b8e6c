import { LoroDoc } from 'loro-crdt';
import { afterEach, expect, test } from 'vitest';
import { closeWindow, openWindow } from '../testing/window';

afterEach(closeWindow);

const pages = [{ title: 'One' }, { title: 'Two' }];
const where = () => document.activeElement?.closest('nav[aria-label=Workspace], main, footer')?.tagName;
const ask = (element: Element) => element.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }));
const status = () => document.querySelector('footer button[aria-haspopup=dialog]')?.textContent?.trim();

test('the sidebar is widened by keyboard within its bounds, and that is kept', async () => {
  const window = await openWindow({ pages });
  const handle = window.get('separator', 'Sidebar width');
  handle.focus();
  await window.press('ArrowRight');
  expect(window.shell.kept.sidebar_width).toBe(264);
  await window.press('End');
  await window.press('ArrowRight');
  expect(window.shell.kept.sidebar_width).toBe(400);
  await window.press('Home');
  await window.press('ArrowLeft');
  expect(window.shell.kept.sidebar_width).toBe(200);
  expect(handle.getAttribute('aria-valuenow')).toBe('200');
  expect(window.get('navigation', 'Workspace').style.width).toBe('200px');
});

test('the sidebar follows the pointer and is kept when it is let go', async () => {
  const window = await openWindow({ pages });
  const handle = window.get('separator', 'Sidebar width');
  handle.setPointerCapture = () => undefined;
  const pointer = (type: string, clientX: number) => handle.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, clientX }));
  pointer('pointerdown', 248);
  pointer('pointermove', 300);
  await window.settled();
  expect(window.get('navigation', 'Workspace').style.width).toBe('300px');
  expect(window.shell.kept.sidebar_width).toBe(248);
  pointer('pointerup', 300);
  await window.settled();
  expect(window.shell.kept.sidebar_width).toBe(300);
});

test('the sidebar goes and comes by its shortcut, and stays gone', async () => {
  const window = await openWindow({ pages });
  await window.press('Control+\\');
  expect(window.all('navigation', 'Workspace')).toEqual([]);
  expect(window.shell.kept.sidebar_collapsed).toBe(true);
  await window.click(window.get('button', 'Show sidebar'));
  expect(window.all('navigation', 'Workspace')).toHaveLength(1);
});

test('in a narrow window the sidebar lies over the page and steps back', async () => {
  const window = await openWindow({ pages, narrow: true });
  expect(window.all('navigation', 'Workspace')).toEqual([]);
  await window.press('Control+\\');
  expect(window.all('navigation', 'Workspace')).toHaveLength(1);
  expect(window.shell.kept.sidebar_collapsed).toBe(false);
  window.get('treeitem', 'Two').focus();
  await window.press('Escape');
  expect(window.all('navigation', 'Workspace')).toEqual([]);

  await window.press('Control+\\');
  await window.click(window.get('treeitem', 'Two'));
  expect(window.all('navigation', 'Workspace')).toEqual([]);
});

test('the status bar tells the truth in the agreed words', async () => {
  const window = await openWindow({ pages });
  expect(status()).toBe('On this device only');
  window.store.fake.setSyncStatus({ state: 'sending', waiting: 3 });
  await window.settled();
  expect(status()).toBe('Sending 3 changes');
  window.store.fake.setSyncStatus({ state: 'saved', waiting: 0 });
  await window.settled();
  expect(status()).toBe('Saved on the server');
  window.store.fake.setSyncStatus({ state: 'not_saved', code: 'STORAGE_FULL' });
  await window.settled();
  expect(status()).toBe('Not saved · disk full');
});

test('words are counted at the right', async () => {
  const id = '01900000-0000-7000-8000-000000000001';
  const window = await openWindow({ pages: [{ id, title: 'One' }] });
  for (let n = 0; n < 200 && !window.text().includes('0 words'); n += 1) await window.settled();
  const remote = new LoroDoc();
  remote.configTextStyle({ b: { expand: 'none' } });
  remote.getText('text').insert(0, '\nlow water at noon');
  window.store.fake.remoteUpdate({ entity: 'Page', id, field: 'body' }, remote.export({ mode: 'update' }));
  for (let n = 0; n < 50 && !window.text().includes('4 words'); n += 1) await window.settled();
  expect(window.text()).toContain('4 words');
});

test('F6 goes from part to part', async () => {
  const window = await openWindow({ pages });
  const { activeElement: before } = document;
  expect(before).toBe(document.body);
  const seen: (string | undefined)[] = [];
  for (let n = 0; n < 4; n += 1) {
    await window.press('F6');
    seen.push(where());
  }
  expect(seen).toEqual(['NAV', 'MAIN', 'FOOTER', 'NAV']);
  await window.press('Shift+F6');
  expect(where()).toBe('FOOTER');
});

test('the web view’s own menu is only offered on text', async () => {
  const window = await openWindow({ pages });
  expect(ask(window.get('main'))).toBe(false);
  expect(ask(window.get('textbox', 'Title'))).toBe(true);
});

test('a window of one page has no tree beside it and does not become the last page', async () => {
  const main = await openWindow({ pages });
  const two = main.get('treeitem', 'Two').dataset.id ?? '';
  await closeWindow();
  const window = await openWindow({ pages, onlyPage: two });
  expect(window.all('navigation', 'Workspace')).toEqual([]);
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Two');
  expect(window.shell.kept.last_page).toBeNull();
  await window.press('Control+\\');
  expect(window.all('treeitem')).toHaveLength(2);
  await window.click(window.get('treeitem', 'One'));
  expect(window.all('navigation', 'Workspace')).toEqual([]);
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'One');
});

test('settings that cannot be kept hold until the window closes, and say so', async () => {
  const window = await openWindow({ pages });
  window.shell.setSettings = () => Promise.reject(new Error('read-only'));
  await window.press('Control+\\');
  expect(window.all('navigation', 'Workspace')).toEqual([]);
  expect(window.text()).toContain('The settings could not be kept.');
});
