import { afterEach, expect, test } from 'vitest';
import { closeWindow, openWindow, type TestWindow } from '../testing/window';

afterEach(closeWindow);

const id = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const pages = [
  { id: id(1), title: 'Field notes' },
  { id: id(2), title: 'Tides', parent: id(1) },
];

/** Escape, as the browser tells an open dialog of it. */
async function stepBack(window: TestWindow): Promise<void> {
  const top = window.all('dialog').at(-1);
  top?.dispatchEvent(new Event('cancel', { cancelable: true }));
  await window.settled();
}

const options = (window: TestWindow) => window.all('option').map((option) => option.querySelector('span')?.textContent);

test('the palette finds pages and actions, and Enter does what is chosen', async () => {
  const window = await openWindow({ pages });
  await window.press('Control+K');
  const field = window.get('combobox', 'Search pages and actions') as HTMLInputElement;
  expect(document.activeElement).toBe(field);
  expect(options(window)).toEqual(expect.arrayContaining(['Field notes', 'Tides', 'New page', 'Settings', 'Dark theme']));
  expect(await window.barriers()).toEqual([]);

  await window.type(field, 'tid');
  expect(options(window)[0]).toBe('Tides');
  expect(field.getAttribute('aria-activedescendant')).toBe(`page-${id(2)}`);
  await window.press('Enter');
  expect(window.all('dialog')).toEqual([]);
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Tides');
  for (let n = 0; n < 200 && document.activeElement?.ariaLabel !== 'Page text'; n += 1) await window.settled();
  expect(document.activeElement).toBe(window.get('textbox', 'Page text'));

  await window.press('Control+K');
  await window.type(window.get('combobox'), 'dark');
  await window.press('Enter');
  expect(document.documentElement.dataset.theme).toBe('dark');
  expect(window.shell.kept.theme).toBe('dark');
});

test('the palette’s arrows go round, and what is not there can be written', async () => {
  const window = await openWindow({ pages });
  await window.press('Control+K');
  await window.type(window.get('combobox'), 'Birds of the sandbar');
  expect(options(window)).toEqual(['New page “Birds of the sandbar”']);
  await window.press('ArrowDown');
  await window.press('ArrowUp');
  await window.press('Enter');
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Birds of the sandbar');
  expect(document.activeElement).toBe(window.get('textbox', 'Title'));
});

test('a dialog gives the keyboard back to where it was', async () => {
  const window = await openWindow({ pages });
  window.get('treeitem', 'Field notes').focus();
  await window.press('Control+,');
  expect(document.activeElement?.closest('dialog')).not.toBeNull();
  await stepBack(window);
  expect(document.activeElement).toBe(window.get('treeitem', 'Field notes'));
});

test('settings choose theme and zoom within bounds', async () => {
  const window = await openWindow({ pages });
  await window.press('Control+,');
  expect(await window.barriers()).toEqual([]);
  await window.click(window.get('radio', 'Light'));
  expect(window.shell.kept.theme).toBe('light');
  await window.click(window.get('button', 'Larger'));
  expect(window.shell.kept.zoom).toBe(110);
  for (let n = 0; n < 12; n += 1) await window.press('Control+-');
  expect(window.shell.kept.zoom).toBe(50);
  expect(window.get('button', 'Smaller')).toHaveProperty('disabled', true);
  await window.press('Control+0');
  expect(window.shell.kept.zoom).toBe(100);
});

test('the list of shortcuts knows every one', async () => {
  const window = await openWindow({ pages });
  await window.press('Control+/');
  for (let n = 0; n < 200 && !window.text().includes('Bold'); n += 1) await window.settled();
  const text = window.get('dialog', 'Keyboard shortcuts').textContent;
  for (const keys of ['Ctrl+N', 'Ctrl+Shift+N', 'Ctrl+K', 'Ctrl+\\', 'Ctrl+=', 'Ctrl+-', 'Ctrl+0', 'Ctrl+[', 'Ctrl+]', 'F2', 'Alt+↑ ↓', 'Ctrl+B']) expect(text).toContain(keys);
  expect(await window.barriers()).toEqual([]);
});

test('without a server the panel offers one, and Escape steps back one by one', async () => {
  const window = await openWindow({ pages });
  await window.click(window.get('button', 'On this device only'));
  expect(window.get('dialog', 'Sync').textContent).toContain('Everything you write is on this device.');
  expect(await window.barriers()).toEqual([]);
  await window.click(window.get('button', 'Connect to a server…'));
  expect(window.all('dialog')).toHaveLength(2);
  expect(await window.barriers()).toEqual([]);
  await stepBack(window);
  expect(window.all('dialog')).toEqual([window.get('dialog', 'Sync')]);
  await stepBack(window);
  expect(window.all('dialog')).toEqual([]);
});

test('connecting hands the token over and keeps it nowhere in the page', async () => {
  const window = await openWindow({ pages });
  await window.press('Control+Shift+S');
  await window.click(window.get('button', 'Connect to a server…'));
  const [url, token] = document.querySelectorAll<HTMLInputElement>('dialog form input');
  if (!url || !token) throw new Error('the form has no fields');
  const submit = async () => {
    document.querySelector('dialog form')?.dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
    await window.settled();
  };

  await window.type(url, 'notes');
  await submit();
  expect(url.getAttribute('aria-invalid')).toBe('true');
  expect(document.activeElement).toBe(url);

  await window.type(url, 'https://notes.example.org');
  await submit();
  expect(token.getAttribute('aria-invalid')).toBe('true');
  expect(token.type).toBe('password');

  await window.type(token, 'secret-token');
  window.store.fake.failNext('connect', 'SERVER_UNREACHABLE', 'no route');
  await submit();
  expect(window.get('alert').textContent).toContain('SERVER_UNREACHABLE');
  expect(token.value).toBe('');

  await window.type(token, 'secret-token');
  await submit();
  expect(window.all('dialog', 'Connect to a server')).toEqual([]);
  expect(window.store.fake.calls).toContainEqual(['connect', { url: 'https://notes.example.org', token: 'secret-token' }]);
  expect(document.documentElement.outerHTML).not.toContain('secret-token');
  expect(JSON.stringify({ ...localStorage })).not.toContain('secret-token');
});

test('what the server refused is listed with its reason and can be discarded', async () => {
  const window = await openWindow({ pages });
  window.store.fake.setServer({ url: 'https://notes.example.org', account: 'accepted' });
  window.store.fake.addDraft({ entity: 'Page', row: id(2), code: 'POLICY_DENIED', reason: 'Only editors may change this page.' });
  window.store.fake.setSyncStatus({ state: 'refused', waiting: 2, drafts: 1 });
  await window.settled();
  await window.click(window.get('button', '1 change needs you'));
  const panel = window.get('dialog', 'Sync');
  expect(panel.textContent).toContain('https://notes.example.org');
  expect(panel.textContent).toContain('2 changes');
  expect(panel.textContent).toContain('In Tides');
  expect(panel.textContent).toContain('Only editors may change this page.');
  expect(await window.barriers()).toEqual([]);

  await window.click(window.get('button', 'Discard this change'));
  expect(panel.textContent).not.toContain('In Tides');
  expect(await window.store.drafts()).toEqual([]);
});

test('the panel tries again and disconnects, and shows the last problem', async () => {
  const window = await openWindow({ pages });
  window.store.fake.setSyncStatus({ state: 'offline', waiting: 0, retry_in_ms: 4_000, code: 'SERVER_UNREACHABLE', message: 'no route to host' });
  await window.settled();
  await window.click(window.get('button', 'Reconnecting in 4 s'));
  expect(window.get('dialog', 'Sync').textContent).toContain('SERVER_UNREACHABLE: no route to host');
  await window.click(window.get('button', 'Try now'));
  await window.click(window.get('button', 'Disconnect'));
  expect(window.store.fake.calls.map(([operation]) => operation)).toEqual(expect.arrayContaining(['retry_now', 'disconnect']));
});
