/** A server of one's own: the program `tombolo` on a data folder that goes away with the test. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './driver.mjs';

const run = promisify(execFile);

function program() {
  const binary = process.env.TOMBOLO_CLI;
  if (!binary) throw new Error('TOMBOLO_CLI names no binary: run these tests with cargo xtask test');
  return binary;
}

/** Runs the program to its end and gives what it printed. */
export async function tombolo(...args) {
  return (await run(program(), args)).stdout;
}

/** Starts a server; it keeps its address when it is stopped and started again. */
export async function startServer() {
  const home = await mkdtemp(join(tmpdir(), 'tombolo-e2e-server-'));
  const server = new Server(home, `127.0.0.1:${await freePort()}`);
  await server.start();
  return server;
}

class Server {
  #home;
  #address;
  #process;

  constructor(home, address) {
    this.#home = home;
    this.#address = address;
    this.url = `http://${address}`;
  }

  get #data() {
    return join(this.#home, 'hub');
  }

  async start() {
    const server = spawn(program(), ['serve', '--data', this.#data, '--listen', this.#address], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = server;
    const ended = once(server, 'exit').then(() => Promise.reject(new Error('the server did not start')));
    await Promise.race([once(server.stdout, 'data'), ended]);
    ended.catch(() => undefined);
    server.stdout.resume();
  }

  async stop() {
    const server = this.#process;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
  }

  /** A token with which a device of that person signs in. */
  async token(user) {
    const printed = await tombolo('token', '--data', this.#data, '--user', user);
    return printed.trim().split('\n').at(-1);
  }

  async remove() {
    await this.stop();
    await rm(this.#home, { recursive: true, force: true });
  }
}
