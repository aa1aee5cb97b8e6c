/** The main job, end to end: write, go offline, lose power, come back, and find everything on both screens. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Device, eventually } from './app.mjs';
import { startServer } from './server.mjs';
import {
  acknowledgedLength,
  bodyText,
  connect,
  connectByKeyboard,
  newPage,
  openPage,
  saved,
  shown,
  tree,
  waitForBody,
  waitForPage,
  waitForStatus,
  watch,
} from './workspace.mjs';

const SAVED = /^Saved on the server$/;
const AWAY = /^(Offline|Reconnecting in \d+ s)/;
const AWAY_WITH_WORK = /^(Offline · \d+ changes? waiting|Reconnecting in \d+ s · \d+ waiting|Connecting · \d+ waiting)$/;
/** The longest that a device waits between two tries to connect, and a little. */
const RECONNECT_MS = 90_000;
/** From the server's welcome to equal screens. */
const CONVERGED_MS = 2_000;

/** 200 characters that nobody else types. */
const letters = (name) => `${name} `.repeat(200).slice(0, 200);

test('two devices, a server that goes and comes, and a power cut', async (t) => {
  const server = await startServer();
  t.after(() => server.remove());
  const devices = await Promise.all([Device.create(), Device.create()]);
  t.after(() => Promise.all(devices.map((device) => device.remove())));
  let [ann, ben] = await Promise.all(devices.map((device) => device.open()));
  t.after(() => Promise.all([ann.close(), ben.close()]));
  const both = () => [ann, ben];
  const [annsToken, bensToken] = [await server.token('ann'), await server.token('ben')];

  await t.test('each connects to the server', async () => {
    await Promise.all(both().map((app) => waitForStatus(app, /^On this device only$/)));
    await Promise.all(both().map(watch));
    await Promise.all([connect(ann, server.url, annsToken), connectByKeyboard(ben, server.url, bensToken)]);
    await Promise.all(both().map((app) => waitForStatus(app, SAVED)));
  });

  await t.test('what one writes, the other sees', async () => {
    await newPage(ann, 'Plans');
    await ann.type('By Ann.');
    await waitForPage(ben, 'Plans');
    await openPage(ben, 'Plans');
    await waitForBody(ben, 'By Ann.');
    await ben.press('Control+End');
    await ben.type(' By Ben.');
    await waitForBody(ann, 'By Ann. By Ben.');
  });

  await t.test('both write in one page at once', async () => {
    await ann.press('Control+Home');
    await Promise.all([ann.type('aaaaaaaaaa'), ben.type('bbbbbbbbbb')]);
    await Promise.all(both().map((app) => waitForBody(app, 'aaaaaaaaaaBy Ann. By Ben.bbbbbbbbbb')));
    await Promise.all(both().map((app) => waitForStatus(app, SAVED)));
  });

  const offline = letters('ben');
  await t.test('without the server both write on, and are told that it waits', async () => {
    await server.stop();
    await Promise.all(both().map((app) => waitForStatus(app, AWAY)));
    await Promise.all([ann.type(letters('ann')), ben.type(offline)]);
    await Promise.all(both().map(saved));
    await Promise.all(both().map((app) => waitForStatus(app, AWAY_WITH_WORK)));
    await newPage(ben, 'Written by Ben');
    await openPage(ben, 'Plans');
  });

  await t.test('after a power cut while typing, everything that was acknowledged is there', async () => {
    await Promise.all(both().map(shown));
    const before = await bodyText(ann);
    const typed = letters('cut');
    const typing = ann.type(typed).catch(() => undefined);
    const acknowledged = await eventually('some of it to be acknowledged', async () => {
      const length = await acknowledgedLength(ann);
      return length >= before.length + 20 ? length : undefined;
    });
    await ann.kill();
    await typing;

    ann = await devices[0].open();
    await watch(ann);
    const after = await eventually('the page that was open last', async () => (await bodyText(ann)) || undefined);
    assert.ok(after.length >= acknowledged, `${acknowledged} characters were acknowledged, ${after.length} are there`);
    const caret = after.length - before.length;
    assert.ok(after.includes(typed.slice(0, caret)), 'what is there is what was typed, from its beginning');
    assert.equal(after.replace(typed.slice(0, caret), ''), before);
    await waitForStatus(ann, AWAY_WITH_WORK);
    await newPage(ann, 'Written by Ann');
    await openPage(ann, 'Plans');
  });

  await t.test('when the server is back, both are equal without a click', async () => {
    await Promise.all(both().map(watch));
    await server.start();
    await Promise.all(both().map((app) => waitForStatus(app, SAVED, RECONNECT_MS)));
    await eventually('equal trees and texts', async () => {
      const [one, other] = await Promise.all(both().map(async (app) => JSON.stringify([await tree(app), await bodyText(app)])));
      return one === other || undefined;
    });

    const text = await bodyText(ann);
    for (const part of ['By Ann. By Ben.', letters('ann'), offline]) assert.ok(text.includes(part), part);
    assert.deepEqual((await tree(ann)).toSorted(), ['1 Plans', '1 Written by Ann', '1 Written by Ben']);

    const [anns, bens] = await Promise.all(both().map(shown));
    const welcomed = Math.max(anns.welcomed, bens.welcomed);
    for (const { changed, words } of [anns, bens]) {
      assert.ok(changed - welcomed <= CONVERGED_MS, `equal ${changed - welcomed} ms after the welcome`);
      assert.match(words[0], AWAY_WITH_WORK);
      assert.match(words.at(-1), SAVED);
    }
    await ann.screenshot('journey-end');
  });

  await t.test('neither tokens nor texts are in the logs', async () => {
    for (const device of devices) {
      const log = await readFile(device.log, 'utf8');
      for (const secret of [annsToken, bensToken, 'By Ann', 'Plans']) assert.ok(!log.includes(secret), 'the log tells nothing');
    }
  });
});
