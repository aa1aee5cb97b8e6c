/** The Debian package as somebody installs it, uses it and removes it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Device } from '../e2e/app.mjs';
import { newPage, saved, waitForBody } from '../e2e/workspace.mjs';

const run = promisify(execFile);
const NAME = 'tombolo';

/** As root, or as somebody who may become root without being asked. */
function asRoot(program, ...args) {
  return process.getuid() === 0 ? run(program, args) : run('sudo', ['-n', program, ...args]);
}

const exists = (path) => access(path).then(() => true, () => false);

test('the package installs an app that starts, and leaves what was written when it goes', async (t) => {
  const file = process.env.TOMBOLO_PACKAGE;
  assert.ok(file, 'TOMBOLO_PACKAGE names no package: run this test with cargo xtask test --long dist');
  const device = await Device.create();
  t.after(() => device.remove());
  t.after(() => asRoot('apt-get', 'remove', '-y', NAME).catch(() => undefined));
  const installed = { binary: '/usr/bin/tombolo-desktop', args: [] };
  // Where the app keeps its data when nobody says where.
  const data = join(device.home, 'share', 'tombolo');

  await asRoot('apt-get', 'install', '-y', '--no-install-recommends', file);
  const { stdout: list } = await run('dpkg', ['--listfiles', NAME]);
  const files = list.trim().split('\n');
  for (const wanted of [/^\/usr\/bin\/tombolo$/, /^\/usr\/share\/applications\/.*\.desktop$/, /^\/usr\/share\/icons\/hicolor\/128x128\/apps\/.*\.png$/]) {
    assert.ok(files.some((each) => wanted.test(each)), `${wanted} in ${list}`);
  }
  assert.match((await run('/usr/bin/tombolo', ['--version'])).stdout, /^tombolo \d/);
  assert.match((await run('/usr/bin/tombolo-desktop', ['--version'])).stdout, /^tombolo-desktop \d/);

  const first = await device.open(installed);
  await newPage(first, 'Installed');
  await first.type('Written in the installed app.');
  await saved(first);
  await first.screenshot('installed');
  await first.kill();
  assert.ok(await exists(data), 'the data lies in the home folder');

  await asRoot('apt-get', 'remove', '-y', NAME);
  assert.equal(await exists(installed.binary), false);
  assert.ok(await exists(data), 'the data stays');

  await asRoot('apt-get', 'install', '-y', '--no-install-recommends', file);
  const second = await device.open(installed);
  t.after(() => second.close());
  await waitForBody(second, 'Written in the installed app.');
});
