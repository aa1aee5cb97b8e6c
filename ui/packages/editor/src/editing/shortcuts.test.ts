import { expect, test } from 'vitest';
import { bindings } from './keys';
import { withDefaults } from './options';
import { shortcuts } from './shortcuts';

test('every key that is shown is bound', () => {
  const bound = bindings(withDefaults({ undo: () => false, redo: () => false, openLink: () => undefined, onError: () => undefined }));
  const written = shortcuts().map(({ keys }) => keys.replaceAll('+', '-').replace(/-([A-Z])$/u, (_, letter: string) => `-${letter.toLowerCase()}`));
  // The menu and the toolbar listen for themselves.
  expect(written.filter((keys) => !(keys in bound))).toEqual(['/', 'Alt-F10']);
});

test('labels are the app’s words', () => {
  expect(shortcuts({ bold: 'Fett' })).toContainEqual({ label: 'Fett', keys: 'Mod+B' });
});
