/** WebKit's own driver, over plain HTTP: one process drives one app. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Waiting longer than this is a failure. */
const DEADLINE_MS = Number(process.env.TOMBOLO_DEADLINE_MS ?? 30_000);

/** Starts a driver whose app finds no file of the person who runs the tests, only those in `home`. */
export async function startDriver(home, theme) {
  const [port, inspector] = [await freePort(), await freePort()];
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    env: { ...(await environment(home, theme)), WEBKIT_INSPECTOR_SERVER: `127.0.0.1:${inspector}` },
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
    if (driver.exitCode === null && driver.signalCode === null) driver.kill();
    await ended;
  }

  await eventually('the WebDriver to answer', () => request('GET', '/status').catch(() => undefined));
  return { request, stop, pid: driver.pid, output: () => output };
}

/** An environment in which an app finds no file of the person who runs the tests, only those in `home`. */
export async function environment(home, theme) {
  const folders = { XDG_CONFIG_HOME: 'config', XDG_DATA_HOME: 'share', XDG_CACHE_HOME: 'cache', XDG_STATE_HOME: 'state', XDG_RUNTIME_DIR: 'run' };
  const env = { ...process.env, HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}` };
  for (const [variable, folder] of Object.entries(folders)) {
    env[variable] = join(home, folder);
    await mkdir(env[variable], { mode: 0o700, recursive: true });
  }
  delete env.TOMBOLO_DATA;
  delete env.TOMBOLO_CONFIG;
  return {
    ...env,
    TAURI_AUTOMATION: 'true',
    TAURI_WEBVIEW_AUTOMATION: 'true',
    LIBGL_ALWAYS_SOFTWARE: '1',
    NO_AT_BRIDGE: '1',
    GDK_BACKEND: 'x11',
    GTK_THEME: theme === 'dark' ? 'Adwaita:dark' : 'Adwaita',
  };
}

/**
 * Asks again and again until there is an answer; the deadline bounds it.
 *
 * @param what what is waited for, or a function that says it once it did not come
 * @param ask gives `undefined` as long as there is no answer
 */
export async function eventually(what, ask, deadlineMs = DEADLINE_MS) {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
