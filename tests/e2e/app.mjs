/**
 * The real window, driven over WebDriver.
 *
 * One driver process drives one app, on ports and folders of its own; everything ends with `close`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DEADLINE_MS = 30_000;

/** Where screenshots of this run go; `cargo xtask test` names a folder inside the target folder. */
export const screenshots = process.env.TOMBOLO_SCREENSHOTS ?? join(tmpdir(), 'tombolo-screenshots');

/** Starts the app on an empty data folder and waits until its window answers. */
export async function openApp({ theme = 'light' } = {}) {
  const binary = process.env.TOMBOLO_APP;
  if (!binary) throw new Error('TOMBOLO_APP names no binary: run these tests with cargo xtask test');

  const home = await mkdtemp(join(tmpdir(), 'tombolo-e2e-'));
  const data = join(home, 'data');
  const driver = await startDriver(home, theme);
  try {
    const session = await driver.request('POST', '/session', {
      capabilities: {
        alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--data', data] } },
      },
    });
    return new App(driver, `/session/${session.sessionId}`, home, data);
  } catch (error) {
    await driver.stop();
    await rm(home, { recursive: true, force: true });
    throw new Error(`the app did not start: ${error.message}\n${driver.output()}`, { cause: error });
  }
}

class App {
  #driver;
  #session;
  #home;

  constructor(driver, session, home, data) {
    this.#driver = driver;
    this.#session = session;
    this.#home = home;
    this.data = data;
  }

  #request(method, path, body) {
    return this.#driver.request(method, this.#session + path, body);
  }

  /** Runs `script` as the body of a function in the page and gives its answer. */
  execute(script, ...args) {
    return this.#request('POST', '/execute/sync', { script, args });
  }

  /**
   * Waits until `selector` matches and gives its visible text.
   * The driver's own call for that answers with nothing for some elements that are plainly visible.
   */
  text(selector) {
    return eventually(`an element ${selector}`, async () => {
      const text = await this.execute('return document.querySelector(arguments[0])?.innerText ?? null', selector);
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

  resize(width, height) {
    return this.#request('POST', '/window/rect', { width, height });
  }

  /** Saves what the window shows as `<screenshots>/<name>.png` and gives the picture's bytes. */
  async screenshot(name) {
    // Fonts load and styles settle before the picture is taken.
    await this.#request('POST', '/execute/async', {
      script: 'const done = arguments[0]; document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));',
      args: [],
    });
    const png = Buffer.from(await this.#request('GET', '/screenshot'), 'base64');
    await mkdir(screenshots, { recursive: true });
    await writeFile(join(screenshots, `${name}.png`), png);
    return png;
  }

  /** Ends the app and its driver and removes every file of the run. */
  async close() {
    await this.#request('DELETE', '').catch(() => undefined);
    await this.#driver.stop();
    await rm(this.#home, { recursive: true, force: true });
  }
}

async function startDriver(home, theme) {
  const [port, inspector] = [await freePort(), await freePort()];
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    env: await environment(home, theme, inspector),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk) => (output = (output + chunk).slice(-8_000));
  driver.stdout.on('data', collect);
  driver.stderr.on('data', collect);
  const ended = once(driver, 'exit');
  ended.catch(() => undefined);

  async function request(method, path, body) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  }

  async function stop() {
    if (driver.exitCode === null) driver.kill();
    await ended;
  }

  await eventually('the WebDriver to answer', () => request('GET', '/status').catch(() => undefined));
  return { request, stop, output: () => output };
}

/** An environment in which the app finds no file of the person who runs the tests. */
async function environment(home, theme, inspector) {
  const folders = { XDG_CONFIG_HOME: 'config', XDG_DATA_HOME: 'share', XDG_CACHE_HOME: 'cache', XDG_STATE_HOME: 'state', XDG_RUNTIME_DIR: 'run' };
  const env = { ...process.env, HOME: home };
  for (const [variable, folder] of Object.entries(folders)) {
    env[variable] = join(home, folder);
    await mkdir(env[variable], { mode: 0o700 });
  }
  delete env.TOMBOLO_DATA;
  return {
    ...env,
    TAURI_AUTOMATION: 'true',
    TAURI_WEBVIEW_AUTOMATION: 'true',
    WEBKIT_INSPECTOR_SERVER: `127.0.0.1:${inspector}`,
    LIBGL_ALWAYS_SOFTWARE: '1',
    NO_AT_BRIDGE: '1',
    GDK_BACKEND: 'x11',
    GTK_THEME: theme === 'dark' ? 'Adwaita:dark' : 'Adwaita',
  };
}

/** Asks again and again until there is an answer; the deadline bounds it. */
async function eventually(what, ask) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms for ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
