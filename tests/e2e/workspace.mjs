/** The workspace as somebody uses it: pages, their text, the server, and what the status bar says. */
import assert from 'node:assert/strict';
import { eventually } from './app.mjs';

export const STATUS = '.frame > footer button';
const EDITOR = '[data-editor] .editor';

/** What the status bar may ever say here, word for word; nothing else is known to be true. */
const TRUE_WORDS = [
  /^On this device only$/,
  /^Connecting( · \d+ waiting)?$/,
  /^Receiving changes$/,
  /^Sending \d+ changes?$/,
  /^Saved on the server$/,
  /^Offline( · \d+ changes? waiting)?$/,
  /^Reconnecting in \d+ s( · \d+ waiting)?$/,
];

/** Writes a new page at the top level; the keyboard is then in its text. */
export async function newPage(app, title) {
  await app.press('Control+n');
  await eventually('the keyboard to be in the new title', async () =>
    (await app.execute('return document.activeElement.matches("h1 textarea") && document.activeElement.value === ""')) || undefined,
  );
  await app.type(title);
  await app.press('Enter');
  await keyboardInText(app);
}

export function keyboardInText(app) {
  return eventually('the keyboard to be in the text', async () =>
    (await app.execute('return document.activeElement.closest(arguments[0]) !== null', EDITOR)) || undefined,
  );
}

/** Opens a page from the tree, once it is there, with the keyboard at the end of its text. */
export async function openPage(app, title) {
  await app.click(`[role=treeitem][aria-label="${title}"] .title`);
  await eventually(`${title} to be open`, async () =>
    (await app.execute('return document.querySelector("h1 textarea")?.value === arguments[0] && document.querySelector("[data-editor]")?.dataset.editor !== "opening"', title)) ||
      undefined,
  );
  await app.click(EDITOR);
  await keyboardInText(app);
  await app.press('Control+End');
}

/** The text of the open page. */
export function bodyText(app) {
  return app.execute('return document.querySelector(arguments[0])?.textContent ?? null', EDITOR);
}

export function waitForBody(app, expected) {
  let last;
  return eventually(
    () => `the text ${JSON.stringify(expected)}, not ${JSON.stringify(last)}`,
    async () => (last = await bodyText(app)) === expected || undefined,
  );
}

/** Resolves once all that was typed is on this device's disk. */
export function saved(app) {
  return eventually('the text to be saved', async () =>
    (await app.execute('return document.querySelector("[data-editor]")?.dataset.editor')) === 'saved' || undefined,
  );
}

/** How many characters of the open page are known to be on the disk. */
export async function acknowledgedLength(app) {
  return Number((await app.execute('return document.querySelector("[data-editor]")?.dataset.acknowledgedLength ?? 0')) ?? 0);
}

/** The pages of the tree, as `level title`. */
export function tree(app) {
  return app.execute(
    'return [...document.querySelectorAll("[role=treeitem]")].map((item) => `${item.ariaLevel} ${item.ariaLabel}`)',
  );
}

export function waitForPage(app, title) {
  return eventually(`the page ${title}`, async () => (await tree(app)).some((line) => line.endsWith(` ${title}`)) || undefined);
}

/** Waits for a status, and fails at once with one that nobody may see. */
export async function waitForStatus(app, expected, deadlineMs) {
  let last;
  await eventually(
    () => `the status ${expected}, not ${JSON.stringify(last)}`,
    async () => expected.test((last = await app.text(STATUS))) || undefined,
    deadlineMs,
  );
}

/** Connects to a server by the pointer: status bar, panel, dialog. */
export async function connect(app, url, token) {
  await app.click(STATUS);
  await eventually('a button to connect', async () =>
    (await app.execute('const button = [...document.querySelectorAll("dialog button")].find(({ innerText }) => /^Connect/.test(innerText)); button?.click(); return button !== undefined')) ||
      undefined,
  );
  await fillConnectDialog(app, url, token);
}

/** Connects to a server without a pointer: palette, dialog. */
export async function connectByKeyboard(app, url, token) {
  await app.press('Control+k');
  await eventually('the palette', async () => (await app.execute('return document.activeElement.matches("dialog input")')) || undefined);
  await app.type('connect to');
  await app.press('Enter');
  await fillConnectDialog(app, url, token);
}

async function fillConnectDialog(app, url, token) {
  await eventually('the dialog', async () => (await app.execute('return document.activeElement.matches("input[name=url]")')) || undefined);
  await app.type(url);
  await app.press('Tab');
  await app.type(token);
  await app.press('Enter');
  await eventually('the dialog to close', async () =>
    (await app.execute('return document.querySelector("input[name=token]") === null')) || undefined,
  );
  await app.press('Escape');
}

/** Lets the page write down what it shows from here on, with the time of day. */
export function watch(app) {
  return app.execute(`
    const [status, editor] = arguments;
    const shown = window.shown = { statuses: [], changed: 0 };
    let content;
    const look = () => {
      const words = document.querySelector(status)?.innerText.trim();
      if (words !== undefined && words !== shown.statuses.at(-1)?.words) shown.statuses.push({ at: Date.now(), words });
      const titles = [...document.querySelectorAll('[role=treeitem]')].map((item) => item.ariaLabel);
      const now = JSON.stringify([titles, document.querySelector(editor)?.textContent]);
      if (now !== content) shown.changed = Date.now();
      content = now;
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  `, STATUS, EDITOR);
}

/** What was shown since {@link watch}. */
export async function shown(app) {
  const { statuses, changed } = await app.execute('return window.shown');
  const words = statuses.map((status) => status.words);
  for (const each of words) assert.ok(TRUE_WORDS.some((known) => known.test(each)), `the status bar said ${JSON.stringify(each)}`);
  return {
    words,
    /** When the text or the tree changed last. */
    changed,
    /** When the server answered first. */
    welcomed: statuses.find((status) => !/^(Offline|Reconnecting|Connecting|On this)/.test(status.words))?.at,
    /** When the last words came. */
    settled: statuses.at(-1)?.at,
  };
}
