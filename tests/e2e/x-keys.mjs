/** Keys as a keyboard sends them, past the driver: the input method of the system gets them first. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Gives the keyboard of this screen to the app's window.
 *
 * Of the answer, `keys` presses keys by their X names, one after the other. Dead keys are behind AltGr in the layout that it sets,
 * so that whatever else types on this screen is not concerned.
 */
export async function xKeyboard(app) {
  await run('setxkbmap', ['-layout', 'us', '-variant', 'altgr-intl']);
  const { stdout } = await run('xdotool', ['search', '--onlyvisible', '--all', '--pid', String(await app.pid()), '--name', 'Tombolo']);
  const window = stdout.trim().split('\n').at(-1);
  await run('xdotool', ['windowfocus', '--sync', window]);
  const keys = (...names) => run('xdotool', ['key', '--clearmodifiers', ...names]);
  /** Types small letters and spaces, with so many milliseconds from one key to the next. */
  const text = (characters, between) =>
    run('xdotool', [...characters].flatMap((character) => ['key', '--delay', '0', character === ' ' ? 'space' : character, 'sleep', String(between / 1_000)]));
  return { keys, text };
}
