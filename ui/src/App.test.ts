import { afterEach, expect, test } from 'vitest';
import { closeWindow, openWindow, testStore } from './testing/window';

afterEach(closeWindow);

test('an empty workspace says what belongs here and offers the first step', async () => {
  const window = await openWindow();
  expect(document.querySelector('[data-testid=workspace-name]')?.textContent).toBe('workspace');
  expect(document.querySelector('main h2')?.textContent).toBe('Nothing here yet');
  expect(document.querySelector('footer:has(button[aria-haspopup=dialog])')?.textContent?.trim()).toBe('On this device only');
  expect(await window.barriers()).toEqual([]);

  await window.click(window.get('button', 'Write the first page'));
  expect(window.all('treeitem')).toHaveLength(1);
  expect(document.activeElement).toBe(window.get('textbox', 'Title'));
});

test('the window opens with the page that was open last, else with the first', async () => {
  const pages = [{ title: 'One' }, { title: 'Two' }];
  let window = await openWindow({ pages });
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'One');
  const two = window.get('treeitem', 'Two').dataset.id ?? '';
  await closeWindow();

  window = await openWindow({ pages, settings: { last_page: two } });
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Two');
});

test('a store that does not open says what is safe, shows the code and can be tried again', async () => {
  const store = testStore([]);
  store.fake.failNext('manifest', 'STORAGE_FAILED', 'disk I/O error');
  const window = await openWindow({ store });
  expect(window.get('alert').textContent).toContain('could not be opened');
  expect(window.get('alert').textContent).toContain('STORAGE_FAILED: disk I/O error');
  expect(await window.barriers()).toEqual([]);

  await window.click(window.get('button', 'Try again'));
  expect(window.all('alert')).toEqual([]);
  expect(document.querySelector('main h2')?.textContent).toBe('Nothing here yet');
});

test('a window that is gone leaves no subscription', async () => {
  const { store } = await openWindow({ pages: [{ title: 'One' }] });
  expect(store.fake.subscriptions).toBeGreaterThan(0);
  await closeWindow();
  expect(store.fake.subscriptions).toBe(0);
});

test('the theme is the system’s unless one is chosen', async () => {
  await openWindow();
  expect(document.documentElement.dataset.theme).toBeUndefined();
  await closeWindow();
  await openWindow({ settings: { theme: 'dark' } });
  expect(document.documentElement.dataset.theme).toBe('dark');
});
