import { createDataStore, type Transport } from '@tombolo/client';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import App from './App.svelte';

const opened = { manifest: { manifest_version: 1, name: 'field notes', version: 1, entities: [] }, hash: 'h' };

let app: Record<string, unknown> | undefined;

afterEach(async () => {
  if (app) await unmount(app);
  app = undefined;
});

/** Shows the app over a backend that answers as `transport` does, once everything it asked for has come. */
async function show(transport: Transport): Promise<string> {
  app = mount(App, { target: document.body, props: { store: createDataStore(transport) } });
  await settled();
  return document.body.textContent ?? '';
}

async function settled() {
  await new Promise((resolve) => setTimeout(resolve));
  flushSync();
}

test('the window shows the name of the workspace and what belongs into an empty one', async () => {
  const text = await show(async (operation) => {
    expect(operation).toBe('manifest');
    return opened;
  });

  expect(document.querySelector('[data-testid=workspace-name]')?.textContent).toBe('field notes');
  expect(text).toContain('Nothing here yet');
  expect(text).toContain('On this device only');
});

test('a store that does not open says so, shows the code and can be tried again', async () => {
  let damaged = true;
  const text = await show(async () => {
    if (damaged) throw { code: 'STORAGE_FAILED', message: 'disk I/O error', details: null };
    return opened;
  });
  expect(text).toContain('could not be opened');
  expect(text).toContain('STORAGE_FAILED: disk I/O error');

  damaged = false;
  document.querySelector('button')?.click();
  await settled();
  expect(document.body.textContent).not.toContain('could not be opened');
  expect(document.body.textContent).toContain('field notes');
});
