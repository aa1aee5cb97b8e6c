import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Runs the app's binary where it cannot open a window. */
function start(...args) {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...env } = process.env;
  return spawnSync(process.env.TOMBOLO_APP, args, { env, encoding: 'utf8', timeout: 30_000 });
}

test('without a screen the app says so instead of crashing', () => {
  const { status, stderr } = start();
  assert.equal(status, 1);
  assert.match(stderr, /^tombolo-desktop: there is no screen/);
  assert.doesNotMatch(stderr, /panicked/);
});

test('help names every argument', () => {
  const { status, stdout } = start('--help');
  assert.equal(status, 0);
  assert.match(stdout, /--data <DIR>/);
});
