import type { DataStore } from '@tombolo/client';
import { fakeStore } from '@tombolo/client/fake';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import App from './App.svelte';

const manifest = { manifest_version: 1, name: 'field notes', version: 1, entities: [] };

let app: Record<string, unknown> | undefined;

afterEach(async () => {
  if (app) await unmount(app);
  app = undefined;
});

/** Shows the app over a store, once everything it asked for has come. */
async function show(store: DataStore): Promise<string> {
  app = mount(App, { target: document.body, props: { store } });
  await settled();
  return document.body.textContent ?? '';
}

async function settled() {
  await new Promise((resolve) => setTimeout(resolve));
  flushSync();
}

test('the window shows the name of the workspace and what belongs into an empty one', async () => {
  const text = await show(fakeStore(manifest));

  expect(document.querySelector('[data-testid=workspace-name]')?.textContent).toBe('field notes');
  expect(text).toContain('Nothing here yet');
  expect(text).toContain('On this device only');
});

test('a store that does not open says so, shows the code and can be tried again', async () => {
  const store = fakeStore(manifest);
  store.fake.failNext('manifest', 'STORAGE_FAILED', 'disk I/O error');
  const text = await show(store);
  expect(text).toContain('could not be opened');
  expect(text).toContain('STORAGE_FAILED: disk I/O error');

  document.querySelector('button')?.click();
  await settled();
  expect(document.body.textContent).not.toContain('could not be opened');
  expect(document.body.textContent).toContain('field notes');
});
