/** Input methods, with real keys, while somebody else writes in the same page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, openApp } from './app.mjs';
import { Replica } from './replica.mjs';
import { startServer } from './server.mjs';
import { connect, newPage, saved, waitForPage, waitForStatus } from './workspace.mjs';
import { xKeyboard } from './x-keys.mjs';

const SAVED = /^Saved on the server$/;

/** What the blocks of the page show. */
const blocks = (app) => app.execute('return [...document.querySelectorAll("[data-editor] .editor > *")].map((block) => block.textContent)');

function waitForBlocks(app, expected) {
  let last;
  return eventually(
    () => `the blocks ${JSON.stringify(expected)}, not ${JSON.stringify(last)}`,
    async () => JSON.stringify((last = await blocks(app))) === JSON.stringify(expected) || undefined,
  );
}

/** Puts the caret behind the one place where `text` stands. */
const caretAfter = (app, text) =>
  app.execute(
    `const walker = document.createTreeWalker(document.querySelector('[data-editor] .editor'), NodeFilter.SHOW_TEXT);
     for (let node = walker.nextNode(); node; node = walker.nextNode()) {
       const at = node.data.indexOf(arguments[0]);
       if (at >= 0) getSelection().collapse(node, at + arguments[0].length);
     }`,
    text,
  );

async function writeEverywhere(ben, rounds) {
  for (let round = 0; round < rounds; round += 1) {
    await ben.insert('x six', `${round % 10}`);
    await ben.insert('ten', '.');
    await ben.insert('FBon', '-', { after: true });
  }
}

test('what is composed with real keys arrives once, whatever somebody else writes meanwhile', async (t) => {
  const server = await startServer();
  t.after(() => server.remove());
  const app = await openApp();
  t.after(() => app.close());
  await app.waitForText('main h2', 'Nothing here yet');
  await connect(app, server.url, await server.token('ann'));
  await waitForStatus(app, SAVED);
  await newPage(app, 'Composed');
  await app.type('one');
  await app.press('Enter');
  await app.type('two six');
  await app.press('Enter');
  await app.type('ten');
  await saved(app);

  const ben = await Replica.start(server, await server.token('ben'));
  t.after(() => ben.stop());
  await ben.open('Composed');
  await ben.waitForText('\none\ntwo six\nten');
  const { keys } = await xKeyboard(app);
  await app.execute(`
    window.composing = false;
    const editor = document.querySelector('[data-editor] .editor');
    editor.addEventListener('compositionstart', () => (window.composing = true));
    editor.addEventListener('compositionend', () => (window.composing = false));
  `);
  const composing = () => app.execute('return window.composing');

  let marks = 0;
  /** Lets everything that Ben wrote come to this window: a page that he adds afterwards is in the tree. */
  async function arrived() {
    marks += 1;
    await ben.call('insert', { entity: 'Page', data: { title: `After ${marks}` } });
    await waitForPage(app, `After ${marks}`);
  }

  await t.test('a dead key, and edits around it', async () => {
    await caretAfter(app, 'two');
    await keys('dead_acute');
    await waitForBlocks(app, ['one', 'two´ six', 'ten']);
    await ben.insert('one', 'B');
    await ben.insert('two', 'C');
    await ben.insert(' six', 'D', { after: true });
    await ben.insert('ten', 'E', { after: true });
    await arrived();
    assert.ok(await composing(), 'the composition goes on');
    await keys('e');
    await waitForBlocks(app, ['Bone', 'Ctwoé sixD', 'tenE']);
    await ben.waitForText('\nBone\nCtwoé sixD\ntenE');
    await keys('x');
    await waitForBlocks(app, ['Bone', 'Ctwoéx sixD', 'tenE']);
  });

  await t.test('a character by its number, and an edit between each two keys', async () => {
    await caretAfter(app, 'ten');
    await keys('ctrl+shift+u');
    for (const digit of ['4', 'f', '6', '0']) {
      await keys(digit);
      await ben.insert('E', digit, { after: true });
      await arrived();
      assert.ok(await composing(), 'the composition goes on');
    }
    await keys('space');
    await waitForBlocks(app, ['Bone', 'Ctwoéx sixD', 'ten你E06f4']);
    await ben.waitForText('\nBone\nCtwoéx sixD\nten你E06f4');
  });

  await t.test('a composition that is given up leaves nothing', async () => {
    await caretAfter(app, 'Bon');
    await keys('dead_acute');
    await waitForBlocks(app, ['Bon´e', 'Ctwoéx sixD', 'ten你E06f4']);
    await ben.insert('Bon', 'F');
    await arrived();
    await keys('BackSpace');
    await waitForBlocks(app, ['FBone', 'Ctwoéx sixD', 'ten你E06f4']);
    await ben.waitForText('\nFBone\nCtwoéx sixD\nten你E06f4');
  });

  await t.test('the block that is composed in is split, then deleted', async () => {
    await caretAfter(app, 'Ctwo');
    await keys('dead_diaeresis');
    await waitForBlocks(app, ['FBone', 'Ctwo¨éx sixD', 'ten你E06f4']);
    await ben.insert('x six', '\n');
    await arrived();
    assert.ok(await composing(), 'the composition goes on');
    await keys('u');
    await waitForBlocks(app, ['FBone', 'Ctwoüé', 'x sixD', 'ten你E06f4']);

    await caretAfter(app, 'Ctwo');
    await keys('dead_grave');
    await waitForBlocks(app, ['FBone', 'Ctwo`üé', 'x sixD', 'ten你E06f4']);
    await ben.waitForText('\nFBone\nCtwo`üé\nx sixD\nten你E06f4');
    await ben.write((text) => text.delete(text.toString().indexOf('\nCtwo'), '\nCtwo`üé'.length));
    await arrived();
    await keys('a');
    await waitForBlocks(app, ['FBoneà', 'x sixD', 'ten你E06f4']);
    await ben.waitForText('\nFBoneà\nx sixD\nten你E06f4');
  });

  await t.test('words composed while somebody else types everywhere', async () => {
    await caretAfter(app, 'sixD');
    const others = writeEverywhere(ben, 200);
    for (const letter of 'aeiou'.repeat(6)) await keys('dead_acute', letter, 'n');
    await others;
    const expected = [
      `FBon${'-'.repeat(200)}eà`,
      `${'0123456789'.repeat(20)}x sixD${'ánénínónún'.repeat(6)}`,
      `${'.'.repeat(200)}ten你E06f4`,
    ];
    await waitForBlocks(app, expected);
    await ben.waitForText(`\n${expected.join('\n')}`);
  });
});
