/** Every screen in every state, as pictures: to be looked at before anything is called done. */
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { Device, eventually } from '../e2e/app.mjs';
import { startServer, tombolo } from '../e2e/server.mjs';
import { connect, newPage, openPage, saved, waitForPage, waitForStatus } from '../e2e/workspace.mjs';

const PAGES = fileURLToPath(new URL('pages', import.meta.url));
const MANIFEST = fileURLToPath(new URL('../../ui/manifest.json', import.meta.url));
const LONG = 'Notes on a very long name that somebody pasted from the subject of a letter and never shortened, because it says exactly what the page is about';
const SIZES = [[800, 600], [1200, 800], [1920, 1080]];

/** An app on a device of its own, with the built-in pages if wanted. */
async function open(t, { theme, filled = true }) {
  const device = await Device.create();
  t.after(() => device.remove());
  if (filled) await tombolo('import', '--data', device.data, '--manifest', MANIFEST, PAGES);
  const app = await device.open({ theme });
  t.after(() => app.close());
  await app.resize(1200, 800);
  await app.text('.frame');
  return app;
}

for (const theme of ['light', 'dark']) {
  test(`the first start, ${theme}`, async (t) => {
    const app = await open(t, { theme, filled: false });
    await app.waitForText('main h2', 'Nothing here yet');
    await app.screenshot(`first-start-${theme}`);
    await newPage(app, 'The first page');
    await app.type('It is kept on this device');
    await saved(app);
    await app.press('Enter');
    await app.type('/');
    await eventually('the menu', async () => (await app.execute('return document.querySelector("[role=listbox], [role=menu]") !== null')) || undefined);
    await app.screenshot(`insert-menu-${theme}`);
  });

  test(`a workspace, ${theme}`, async (t) => {
    const app = await open(t, { theme });
    await waitForPage(app, 'Garden');
    await openPage(app, 'Welcome');
    for (const [width, height] of SIZES) {
      await app.resize(width, height);
      await eventually('that size', async () => (await app.execute('return innerWidth')) === width || undefined);
      await app.execute('document.querySelector("main .scroll")?.scrollTo(0, 0)');
      await app.screenshot(`workspace-${width}-${theme}`);
    }
    await app.resize(1200, 800);
    await app.execute('document.querySelector("main .scroll")?.scrollTo(0, 10_000)');
    await app.screenshot(`workspace-end-${theme}`);
    await openPage(app, LONG);
    await app.screenshot(`long-name-${theme}`);
    await openPage(app, 'دفتر الرحلات');
    await app.screenshot(`right-to-left-${theme}`);
  });

  test(`dialogs, ${theme}`, async (t) => {
    const app = await open(t, { theme });
    await waitForPage(app, 'Garden');
    for (const [name, shortcut] of [['palette', 'Control+k'], ['settings', 'Control+,'], ['shortcuts', 'Control+/'], ['sync', 'Control+Shift+s']]) {
      await app.press(shortcut);
      await eventually(name, async () => (await app.execute('return document.querySelector("dialog[open]") !== null')) || undefined);
      if (name === 'palette') await app.type('ga');
      await app.screenshot(`${name}-${theme}`);
      await app.press('Escape');
      await eventually(`${name} to close`, async () => (await app.execute('return document.querySelector("dialog[open]") === null')) || undefined);
    }
  });

  test(`a server that is there, refuses and goes, ${theme}`, async (t) => {
    const server = await startServer();
    t.after(() => server.remove());
    const app = await open(t, { theme });
    await waitForPage(app, 'Garden');
    await connect(app, server.url, await server.token('ann'));
    await waitForStatus(app, /^Saved on the server$/);
    await openPage(app, 'Garden');
    await app.screenshot(`online-${theme}`);
    await server.stop();
    await waitForStatus(app, /^(Offline|Reconnecting)/);
    await app.type(' Written without the server.');
    await saved(app);
    await waitForStatus(app, /waiting$/);
    await app.screenshot(`offline-${theme}`);
    await app.press('Control+Shift+s');
    await eventually('the panel', async () => (await app.execute('return document.querySelector("dialog[open]") !== null')) || undefined);
    await app.screenshot(`offline-panel-${theme}`);
    await app.press('Escape');
    await server.start();
    await waitForStatus(app, /^Saved on the server$/, 90_000);
    await app.press('Control+k');
    await app.type('connect to');
    await app.press('Enter');
    await eventually('the dialog', async () => (await app.execute('return document.activeElement.matches("input[name=url]")')) || undefined);
    await app.press('Tab');
    await app.type('not a token of this server');
    await app.press('Enter');
    await eventually('an answer', async () => (await app.execute('return document.querySelector("dialog [role=alert], dialog .wrong") !== null || document.querySelector("dialog[open]") === null')) || undefined);
    await app.screenshot(`refused-${theme}`);
  });
}
