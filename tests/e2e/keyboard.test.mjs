/** Everything without a pointer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openApp } from './app.mjs';
import { bodyText, newPage, saved, tree, waitForBody } from './workspace.mjs';

function waitForTree(app, expected) {
  let last;
  return eventually(
    () => `the tree ${JSON.stringify(expected)}, not ${JSON.stringify(last)}`,
    async () => JSON.stringify((last = await tree(app))) === JSON.stringify(expected) || undefined,
  );
}

test('a page is written, found, named, moved and thrown away by keyboard', async (t) => {
  const app = await openApp();
  t.after(() => app.close());
  await app.waitForText('main h2', 'Nothing here yet');

  await newPage(app, 'Garden');
  await app.type('## Beds');
  await app.press('Enter');
  await app.type('Beans and peas');
  await saved(app);
  assert.equal(await app.execute('return document.querySelector("[data-editor] .editor h2, [data-editor] .editor h3")?.textContent ?? null'), 'Beds');

  await newPage(app, 'Kitchen');
  await app.type('Soup');
  await waitForTree(app, ['1 Garden', '1 Kitchen']);

  // The palette knows every page.
  await app.press('Control+k');
  await app.type('gard');
  await app.press('Enter');
  await eventually('the page of beds', async () => (await bodyText(app))?.includes('Beans') || undefined);

  // The list of pages: move Kitchen into Garden, name it, throw it away, take that back.
  await toTree(app);
  await app.press('End', 'Alt+ArrowRight');
  await waitForTree(app, ['1 Garden', '2 Kitchen']);
  await app.press('F2');
  await app.type('Cellar');
  await app.press('Enter');
  await waitForTree(app, ['1 Garden', '2 Cellar']);
  await app.press('Enter');
  await waitForBody(app, 'Soup');
  await toTree(app);
  await app.press('End', 'Delete');
  await waitForTree(app, ['1 Garden']);
  await app.press('Control+k');
  await app.type('undo');
  await app.press('Enter');
  await waitForTree(app, ['1 Garden', '2 Cellar']);
});

/** Goes from one part of the window to the next until the keyboard is in the tree. */
async function toTree(app) {
  for (let parts = 0; parts < 6; parts += 1) {
    if (await app.execute('return document.activeElement.closest("[role=tree]") !== null')) return;
    await app.press('F6');
  }
  for (let stops = 0; stops < 8; stops += 1) {
    if (await app.execute('return document.activeElement.closest("[role=tree]") !== null')) return;
    await app.press('Tab');
  }
  assert.fail('the keyboard does not come to the tree');
}
