import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { openApp } from './app.mjs';
import { STATUS } from './workspace.mjs';

for (const theme of ['light', 'dark']) {
  test(`a first start in the ${theme} theme shows an empty workspace, kept on this device`, async (t) => {
    const app = await openApp({ theme });
    t.after(() => app.close());

    await app.waitForText('[data-testid=workspace-name]', 'Workspace');
    assert.equal(await app.text('main h2'), 'Nothing here yet');
    assert.equal(await app.text(STATUS), 'On this device only');
    assert.ok(existsSync(app.data), 'the data folder was made where --data says');

    const dark = await app.execute('return matchMedia("(prefers-color-scheme: dark)").matches');
    assert.equal(dark, theme === 'dark');
    await app.screenshot(`first-start-${theme}`);
  });
}

test('a narrow window keeps everything in sight', async (t) => {
  const app = await openApp();
  t.after(() => app.close());

  await app.waitForText('[data-testid=workspace-name]', 'Workspace');
  await app.resize(480, 640);
  const overflow = await app.execute('const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth - clientWidth');
  assert.equal(overflow, 0);
  await app.screenshot('first-start-narrow');
});
