/** What a desktop app does beside its page: windows, settings, restarts, the way out. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Device, eventually, openApp } from './app.mjs';
import { environment } from './driver.mjs';
import { bodyText, newPage, openPage, saved, tree, waitForBody, waitForPage } from './workspace.mjs';

/** Calls a command as the page does; a refusal is given as its error object. */
function invoke(app, command, args) {
  return app.executeAsync(
    'const [command, args, done] = arguments; window.__TAURI_INTERNALS__.invoke(command, args).then(done, (error) => done({ error }));',
    command,
    args,
  );
}

test('after a restart everything is as it was: the page, its text, the settings', async (t) => {
  const device = await Device.create();
  t.after(() => device.remove());
  const before = await device.open();
  await newPage(before, 'First');
  await newPage(before, 'Second');
  await before.type('Written before the restart.');
  await saved(before);
  await newPage(before, 'Third');
  await openPage(before, 'Second');
  await before.press('Control+=');
  await eventually('the zoom to be kept', async () => {
    const settings = JSON.parse(await readFile(join(device.config, 'settings.json'), 'utf8').catch(() => '{}'));
    return settings.zoom === 110 || undefined;
  });
  const zoomed = await before.execute('return innerWidth');
  await before.kill();

  const after = await device.open();
  t.after(() => after.close());
  await waitForBody(after, 'Written before the restart.');
  assert.deepEqual(await tree(after), ['1 First', '1 Second', '1 Third']);
  assert.equal(await after.execute('return document.querySelector("h1 textarea").value'), 'Second');
  await eventually('the zoom of before', async () => (await after.execute('return innerWidth')) === zoomed || undefined);
});

test('two windows of one app follow each other, and are opened again', async (t) => {
  const device = await Device.create();
  t.after(() => device.remove());
  let app = await device.open();
  await newPage(app, 'Shared');
  await app.type('one');
  await app.press('Control+Shift+o');
  const [main, other] = await bothWindows(app);

  await app.lookAt(other);
  await waitForBody(app, 'one');
  await app.click('[data-editor] .editor');
  await app.press('Control+End');
  await app.type(' two');
  await app.lookAt(main);
  await waitForBody(app, 'one two');
  await app.press('Control+End');
  await app.type(' three');
  await app.lookAt(other);
  await waitForBody(app, 'one two three');
  await saved(app);
  await app.kill();

  app = await device.open();
  t.after(() => app.close());
  for (const window of await bothWindows(app)) {
    await app.lookAt(window);
    await waitForBody(app, 'one two three');
  }
});

/** The main window, then the other one. */
async function bothWindows(app) {
  const handles = await eventually('two windows', async () => {
    const all = await app.windows();
    return all.length === 2 ? all : undefined;
  });
  await app.lookAt(handles[0]);
  return (await app.execute('return location.search')) === '' ? handles : handles.toReversed();
}

test('nothing loads another page into the window; addresses open outside', async (t) => {
  const device = await Device.create();
  t.after(() => device.remove());
  const browser = await device.pretend('xdg-open');
  const app = await device.open();
  t.after(() => app.close());
  await newPage(app, 'Stays');
  await app.type('still here');
  await saved(app);

  const address = await app.execute('window.stayed = true; return location.href');
  for (const leave of [
    'location.href = "https://example.org/"',
    'location.assign("http://127.0.0.1:9/")',
    'window.open("https://example.org/", "_blank")',
    'const link = document.createElement("a"); link.href = "https://example.org/"; document.body.append(link); link.click(); link.remove()',
    'const form = document.createElement("form"); form.action = "https://example.org/"; document.body.append(form); form.submit(); form.remove()',
    'const frame = document.createElement("iframe"); frame.src = "https://example.org/"; document.body.append(frame); frame.remove()',
    'location.href = "data:text/html,gone"',
  ]) {
    await app.execute(leave);
    assert.deepEqual(await app.execute('return [location.href, window.stayed]'), [address, true], leave);
  }
  assert.equal(await bodyText(app), 'still here');
  assert.equal((await app.windows()).length, 1);
  assert.equal(await browser.heard(), '');

  assert.equal(await invoke(app, 'open_external', { url: 'https://example.org/a' }), null);
  await eventually('the browser to be asked', async () => (await browser.heard()) === 'https://example.org/a\n' || undefined);
  const refused = await invoke(app, 'open_external', { url: 'file:///etc/passwd' });
  assert.equal(refused.error.code, 'INVALID_DATA');
});

test('a second start of one data folder ends and leaves the first one alone', async (t) => {
  const app = await openApp();
  t.after(() => app.close());
  await app.waitForText('main h2', 'Nothing here yet');
  const second = spawn(process.env.TOMBOLO_APP, ['--data', join(app.data, '..', 'data')], {
    env: await environment(app.device.home, 'light'),
    stdio: 'ignore',
  });
  const [code] = await once(second, 'exit');
  assert.equal(code, 0);
  await newPage(app, 'Still mine');
  await waitForPage(app, 'Still mine');
});
