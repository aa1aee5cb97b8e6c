/**
 * What the window costs, each figure beside its baseline from the same run: `cargo xtask bench window`.
 *
 * A test says whether something works; this says how fast, on a quiet machine.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Device, eventually } from './app.mjs';
import { diskSyncs, keyTimes, openMeasured, quantile, startKeyTimes, startMeter, stopMeter } from './meters.mjs';
import { Replica, manifest } from './replica.mjs';
import { startServer, tombolo } from './server.mjs';
import { bodyText, connect, openPage, waitForPage, waitForStatus } from './workspace.mjs';
import { xKeyboard } from './x-keys.mjs';

/** The longest that the page's thread may be held, in milliseconds. */
const LONGEST_TASK = 50;
/** What a key may take beside the disk, in milliseconds. */
const KEY = 16;
const KEYS = 200;
/** As somebody types who is very fast. */
const BETWEEN_KEYS_MS = 80;

const BLOCKS = 5_000;
/** Edits a second from elsewhere, and for how long. */
const STORM = 1_000;
const STORM_SECONDS = 10;
const SENTENCE = 'The tide takes a little sand away and brings a little more, and nobody on the island counts it. ';

const ms = (value) => `${value.toFixed(1)} ms`;

/** Without a graphics card, pictures put together by the page itself cost less than those put together by a pretended one. */
process.env.WEBKIT_DISABLE_COMPOSITING_MODE = '1';

const say = (words) => process.stdout.write(`${words}\n`);

/** Prints a figure beside its baseline; with a goal, whether the ratio meets it. */
function line(what, figure, baseline, ratio, goal) {
  const verdict = ratio === undefined ? '' : `${ratio.toFixed(2)} (goal ≤ ${goal}) ${ratio <= goal ? 'met' : 'MISSED'}`;
  say(`| ${what} | ${figure} | ${baseline} | ${verdict} |`);
}

/** A page of many blocks, as people write them: about 100 characters each. */
function markdown(blocks) {
  const kinds = [
    (n) => `## Part ${n}\n`,
    (n) => `${n}. ${SENTENCE.slice(0, 40)}**${SENTENCE}**\n`,
    (n) => `- ${n} ${SENTENCE}*${SENTENCE.slice(0, 20)}*\n`,
    (n) => `Paragraph ${n}: ${SENTENCE}[a link](https://example.org/${n})\n`,
    (n) => `${n} ${SENTENCE}\`code\`\n`,
  ];
  return Array.from({ length: blocks }, (_, n) => kinds[n % kinds.length](n)).join('\n');
}

/** Makes the pages that are measured; gives the size of the big one. */
async function makePages(device) {
  const folder = join(device.home, 'pages');
  await mkdir(folder);
  for (const [title, blocks] of [['Small', 20], ['Shared', 200], ['Big', BLOCKS]]) {
    await writeFile(join(folder, `${title}.md`), markdown(blocks));
  }
  await tombolo('import', '--data', device.data, '--manifest', manifest, folder);

  // Then somebody writes on at the end of each block, until it is as big as it shall be.
  const replica = Replica.on(device.data);
  await replica.open('Big');
  const each = Math.ceil((1e6 - replica.text.length) / BLOCKS);
  const ends = [...replica.text.matchAll(/\n/g)].slice(1).map(({ index }) => index).toReversed();
  for (let done = 0; done < ends.length; done += 500) {
    await replica.write((text) => {
      for (const end of ends.slice(done, done + 500)) text.insert(end, SENTENCE.slice(0, each));
    });
  }
  const { length } = replica.text;
  await replica.stop();
  return `${(length / 1e6).toFixed(2)} MB, ${BLOCKS} blocks`;
}

const bodyLength = async (app) => (await bodyText(app)).length;

const longest = (gaps) => Math.max(...gaps);

/** The gaps that a page has while nothing happens in it. */
async function idle(app, milliseconds, turns) {
  await startMeter(app, turns);
  await pause(milliseconds);
  return stopMeter(app);
}

async function measured(app, work, turns) {
  await startMeter(app, turns);
  const result = await work();
  return { ...(await stopMeter(app)), result };
}

/** Types into the open page with real keys; gives what was seen and how long each key took to be durable. */
async function typed(app, type) {
  await startKeyTimes(app);
  const seen = await measured(app, () => type('nothing is lost when the tide comes '.repeat(KEYS).slice(0, KEYS), BETWEEN_KEYS_MS));
  const { took } = await eventually('every key to be durable', async () => {
    const times = await keyTimes(app);
    return times.waiting === 0 ? times : undefined;
  });
  if (took.length !== KEYS) throw new Error(`${took.length} keys of ${KEYS} came`);
  return { ...seen, took };
}

function printTyping(where, { ticks, took }, still, syncs) {
  line(`longest task while typing ${KEYS} characters, ${where}`, ms(longest(ticks)), `${ms(longest(still.ticks))} idle`, longest(ticks) / LONGEST_TASK, 1);
  const sync = quantile(syncs, 0.99);
  const p99 = quantile(took, 0.99);
  line(
    `from key to disk, ${where}, p99`,
    `${ms(p99)} (p50 ${ms(quantile(took, 0.5))})`,
    `${ms(KEY + sync)} = ${KEY} + disk sync p99 ${ms(sync)}`,
    p99 / (KEY + sync),
    1,
  );
}

/** One page after the other: how it opens, and what typing in it costs. */
async function pages(app, device, size, type) {
  const still = await idle(app, 3_000);
  const syncs = diskSyncs(device.home, KEYS);
  printTyping('a page of 20 blocks', await typed(app, type), still, syncs);

  await openPage(app, 'Shared');
  const small = await measured(app, () => openMeasured(app, 'Small'));
  const calm = await idle(app, 1_000, 'messages');
  const big = await measured(app, () => openMeasured(app, 'Big'), 'messages');
  line(`time to open a page of ${size}`, ms(big.result), `${ms(small.result)} for 20 blocks`);
  line('longest task while it opens', ms(longest(big.ticks)), `${ms(longest(calm.ticks))} idle`, longest(big.ticks) / LONGEST_TASK, 1);
  await openPage(app, 'Big');
  printTyping(`in it`, await typed(app, type), still, diskSyncs(device.home, KEYS));
}

/** Writes single characters all over the page, `rate` a second, in steps of 20 ms; each is a change of its own. */
async function writeEverywhere(replica, rate, seconds) {
  let random = 1;
  const begin = performance.now();
  const answers = [];
  for (let step = 0; step < seconds * 50; step += 1) {
    await pause(Math.max(0, begin + step * 20 - performance.now()));
    answers.push(
      replica.write((text, doc) => {
        for (let edit = 0; edit < rate / 50; edit += 1) {
          random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
          text.insert(1 + (random % (text.length - 1)), 'x');
          doc.commit();
        }
      }),
    );
  }
  await Promise.all(answers);
}

/** Somebody else writes far faster than people do into the page that is open here. */
async function storm(app, type) {
  const server = await startServer();
  let replica;
  try {
    await connect(app, server.url, await server.token('ann'));
    await waitForStatus(app, /^Saved on the server$/);
    replica = await Replica.start(server, await server.token('ben'));
    await replica.open('Shared');
    await openPage(app, 'Shared');
    const still = await idle(app, STORM_SECONDS * 1_000);
    const before = await bodyLength(app);
    const others = writeEverywhere(replica, STORM, STORM_SECONDS);
    const keys = (STORM_SECONDS * 1_000) / BETWEEN_KEYS_MS;
    const { frames, ticks } = await measured(app, () => type('z'.repeat(keys), BETWEEN_KEYS_MS));
    const arrived = (await bodyLength(app)) - before - keys;
    await others;
    await replica.saved();
    await eventually('both devices to have the same', async () =>
      (await bodyLength(app)) === replica.text.replaceAll('\n', '').length || undefined,
    );
    line(
      `longest gap between pictures while typing, ${Math.round(arrived / STORM_SECONDS)} edits/s arriving in ${STORM_SECONDS} s`,
      `${ms(longest(frames))} (p99 ${ms(quantile(frames, 0.99))})`,
      `${ms(longest(still.frames))} idle`,
      longest(frames) / longest(still.frames),
      1.5,
    );
    line('longest task meanwhile', ms(longest(ticks)), `${ms(longest(still.ticks))} idle`, longest(ticks) / LONGEST_TASK, 1);
  } finally {
    await replica?.stop();
    await server.remove();
  }
}

const main = async () => {
  const device = await Device.create();
  const size = await makePages(device);
  const app = await device.open();
  try {
    await waitForPage(app, 'Big');
    await openPage(app, 'Small');
    const type = await xKeyboard(app);
    say('| what | figure | baseline | ratio |\n|---|---|---|---|');
    await pages(app, device, size, type.text);
    await storm(app, type.text);
  } finally {
    await app.close();
    await device.remove();
  }
};

await main();
