/** The real app in its window, as somebody sits before it. */
import { mkdir, mkdtemp, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startDriver } from './driver.mjs';
import { keyPress, typing } from './keys.mjs';

export { eventually };

/** Where screenshots of this run go; `cargo xtask test` names a folder inside the target folder. */
export const screenshots = process.env.TOMBOLO_SCREENSHOTS ?? join(tmpdir(), 'tombolo-screenshots');

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** Somebody's computer: the folders of an app, which outlive it. */
export class Device {
  static async create() {
    return new Device(await mkdtemp(join(tmpdir(), 'tombolo-e2e-')));
  }

  constructor(home) {
    this.home = home;
    this.data = join(home, 'data');
    /** Where the app keeps its settings. */
    this.config = join(home, 'config', 'tombolo');
    this.log = join(home, 'state', 'tombolo', 'logs', 'tombolo.log');
  }

  /** Starts the app, the one that was built unless told, and waits until it takes what is typed. */
  async open({ theme = 'light', binary = process.env.TOMBOLO_APP, args = ['--data', this.data] } = {}) {
    if (!binary) throw new Error('TOMBOLO_APP names no binary: run these tests with cargo xtask test');
    const driver = await startDriver(this.home, theme);
    try {
      const session = await driver.request('POST', '/session', {
        capabilities: {
          alwaysMatch: { 'webkitgtk:browserOptions': { binary, args } },
        },
      });
      const app = new App(driver, `/session/${session.sessionId}`, this, binary);
      await app.text('.frame > footer button');
      return app;
    } catch (error) {
      await driver.stop();
      throw new Error(`the app did not start: ${error.message}\n${driver.output()}`, { cause: error });
    }
  }

  /** Puts a program on the search path that writes down its arguments instead of doing something. */
  async pretend(program) {
    const heard = join(this.home, `${program}.txt`);
    await mkdir(join(this.home, 'bin'), { recursive: true });
    await writeFile(join(this.home, 'bin', program), `#!/bin/sh\necho "$@" >> "${heard}"\n`, { mode: 0o755 });
    return { heard: () => readFile(heard, 'utf8').catch(() => '') };
  }

  async remove() {
    await rm(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts the app on an empty data folder; closing it removes every file. */
export async function openApp(options) {
  const device = await Device.create();
  try {
    const app = await device.open(options);
    app.ownsDevice = true;
    return app;
  } catch (error) {
    await device.remove();
    throw error;
  }
}

class App {
  #driver;
  #session;
  #binary;
  ownsDevice = false;

  constructor(driver, session, device, binary) {
    this.#driver = driver;
    this.#session = session;
    this.#binary = binary;
    this.device = device;
    this.data = device.data;
  }

  #request(method, path, body) {
    return this.#driver.request(method, this.#session + path, body);
  }

  /** Runs `script` as the body of a function in the page and gives its answer. */
  execute(script, ...args) {
    return this.#request('POST', '/execute/sync', { script, args });
  }

  /** The same for a function that answers by calling its last argument. */
  executeAsync(script, ...args) {
    return this.#request('POST', '/execute/async', { script, args });
  }

  /**
   * Waits until `selector` matches and gives its visible text.
   * The driver's own call for that answers with nothing for some elements that are plainly visible.
   */
  text(selector) {
    return eventually(`an element ${selector}`, async () => {
      const text = await this.execute('return document.querySelector(arguments[0])?.innerText.trim() ?? null', selector);
      return text ?? undefined;
    });
  }

  /** Waits until `selector` shows exactly `expected`, and fails with what it showed last. */
  async waitForText(selector, expected) {
    let last;
    await eventually(
      () => `${selector} to show ${JSON.stringify(expected)}, not ${JSON.stringify(last)}`,
      async () => (last = await this.text(selector)) === expected || undefined,
    );
  }

  #element(selector) {
    return eventually(`an element ${selector}`, async () => {
      const found = await this.#request('POST', '/elements', { using: 'css selector', value: selector });
      return found[0]?.[ELEMENT];
    });
  }

  async click(selector) {
    return this.#request('POST', `/element/${await this.#element(selector)}/click`, {});
  }

  /** Types into a field as the driver does for forms. */
  async fill(selector, text) {
    return this.#request('POST', `/element/${await this.#element(selector)}/value`, { text });
  }

  /** Types wherever the keyboard is, key by key. */
  type(text) {
    return this.#request('POST', '/actions', { actions: [typing(text)] });
  }

  /** Presses keys with their modifiers, one after the other: `Control+Shift+N`, `Enter`, `F6`. */
  async press(...shortcuts) {
    for (const shortcut of shortcuts) await this.#request('POST', '/actions', { actions: [keyPress(shortcut)] });
  }

  resize(width, height) {
    return this.#request('POST', '/window/rect', { width, height });
  }

  windows() {
    return this.#request('GET', '/window/handles');
  }

  /** Everything that follows is done in that window. */
  lookAt(handle) {
    return this.#request('POST', '/window', { handle });
  }

  /** Saves what the window shows as `<screenshots>/<name>.png` and gives the picture's bytes. */
  async screenshot(name) {
    // Fonts load and styles settle before the picture is taken.
    await this.executeAsync(
      'const done = arguments[0]; document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));',
    );
    const png = Buffer.from(await this.#request('GET', '/screenshot'), 'base64');
    await mkdir(screenshots, { recursive: true });
    await writeFile(join(screenshots, `${name}.png`), png);
    return png;
  }

  /** The app's own process, which the driver started. */
  async pid() {
    const binary = await realpath(this.#binary);
    const { pid } = this.#driver;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(/\s+/);
    for (const child of children) {
      if ((await readlink(`/proc/${child}/exe`).catch(() => '')) === binary) return Number(child);
    }
    throw new Error('the app does not run');
  }

  /** Ends the app as a power cut would. */
  async kill() {
    process.kill(await this.pid(), 'SIGKILL');
    await this.#driver.stop();
  }

  /** Ends the app and its driver, and the device's files if they were made for it alone. */
  async close() {
    const pid = await this.pid().catch(() => undefined);
    await this.#request('DELETE', '').catch(() => undefined);
    await this.#driver.stop();
    // A driver that ends may leave its app behind, and whoever waits for the tests' output would wait for that.
    if (pid !== undefined) await endProcess(pid);
    if (this.ownsDevice) await this.device.remove();
  }
}

/** Gives a process a moment to end by itself, then ends it. */
async function endProcess(pid) {
  // One that has ended and that nobody has asked about yet has no program any more.
  const ended = () => readlink(`/proc/${pid}/exe`).then(
    () => undefined,
    () => true,
  );
  const left = await eventually('the app to end', ended, 5_000).catch(() => false);
  if (!left && !(await ended())) process.kill(pid, 'SIGKILL');
}
