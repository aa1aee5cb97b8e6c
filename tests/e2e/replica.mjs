/** Another device, without a window: it follows the text of one page and writes into it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './driver.mjs';

const ui = new URL('../../ui/', import.meta.url);
/** What the app's data folders hold. */
export const manifest = fileURLToPath(new URL('manifest.json', ui));
const { LoroDoc } = createRequire(new URL('package.json', ui))('loro-crdt');

export class Replica {
  #home;
  #process;
  #answers = new Map();
  #lastId = 0;
  #following;
  #address;
  #status = {};
  doc;

  /** A new device of somebody whose token that is. */
  static async start(server, token) {
    const home = await mkdtemp(join(tmpdir(), 'tombolo-e2e-replica-'));
    const replica = new Replica(join(home, 'data'), ['--server', server.url], { TOMBOLO_TOKEN: token });
    replica.#home = home;
    return replica;
  }

  /** On a data folder that nobody else has open. */
  static on(data) {
    return new Replica(data, [], {});
  }

  constructor(data, more, env) {
    const args = ['client', '--stdio', '--data', data, '--manifest', manifest, ...more];
    this.#process = spawn(process.env.TOMBOLO_CLI, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.#heard(JSON.parse(line)));
  }

  #heard(line) {
    if (line.event === 'status') this.#status = line;
    else if (line.event === 'subscription' && line.subscription === this.#following) this.#take(line);
    if (line.event !== undefined) return;
    const { resolve, reject } = this.#answers.get(line.id);
    this.#answers.delete(line.id);
    if (line.error) reject(new Error(line.error.message));
    else resolve(line.result);
  }

  #take({ snapshot, update, peer }) {
    if (snapshot !== undefined) {
      this.doc = new LoroDoc();
      this.doc.setPeerId(peer);
      this.doc.configDefaultTextStyle({ expand: 'none' });
    }
    this.doc.import(Buffer.from(snapshot ?? update, 'base64'));
  }

  /** Carries out an operation of the store. */
  call(op, args) {
    const id = (this.#lastId += 1);
    this.#process.stdin.write(`${JSON.stringify({ id, op, args })}\n`);
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  /** Waits for the page of that title and follows its text. */
  async open(title) {
    const id = await eventually(`the page ${title}`, async () => {
      const rows = await this.call('list', { entity: 'Page' });
      return rows.find((row) => row.title === title)?.id;
    });
    this.#address = { entity: 'Page', id, field: 'body' };
    const followed = await this.call('subscribe', { op: 'crdt_snapshot', args: this.#address });
    this.#following = followed.subscription;
    this.#take(followed);
  }

  /** The text as Loro holds it: each block begins with a line feed. */
  get text() {
    return this.doc.getText('text').toString();
  }

  waitForText(expected) {
    return eventually(
      () => `the other device to have ${JSON.stringify(expected)}, not ${JSON.stringify(this.text)}`,
      async () => this.text === expected || undefined,
    );
  }

  /** Changes the text; resolves once this device has it on its disk. */
  write(edit) {
    const before = this.doc.oplogVersion();
    edit(this.doc.getText('text'), this.doc);
    this.doc.commit();
    const bytes = Buffer.from(this.doc.export({ mode: 'update', from: before })).toString('base64');
    return this.call('crdt_apply_update', { ...this.#address, bytes });
  }

  /** Puts text before or after the one place where `beside` stands. */
  insert(beside, text, { after = false } = {}) {
    return this.write((body) => {
      const all = body.toString();
      const at = all.indexOf(beside);
      if (at < 0 || all.indexOf(beside, at + 1) >= 0) throw new Error(`${JSON.stringify(beside)} is not in ${JSON.stringify(all)} once`);
      body.insert(after ? at + beside.length : at, text);
    });
  }

  /** Waits until the server has all of it. */
  saved() {
    return eventually('the other device to be saved', async () => (this.#status.state === 'saved' && this.#status.waiting === 0) || undefined);
  }

  async stop() {
    const ended = once(this.#process, 'exit');
    this.#process.stdin.end();
    await ended;
    if (this.#home) await rm(this.#home, { recursive: true, force: true });
  }
}
