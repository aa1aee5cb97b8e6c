import { expect, test } from 'vitest';
import { aria, label, matches } from './shortcuts';

const press = (key: string, modifiers: Partial<KeyboardEventInit> = {}): KeyboardEvent => new KeyboardEvent('keydown', { key, ...modifiers });

test('a shortcut wants exactly its modifiers', () => {
  expect(matches(press('k', { ctrlKey: true }), 'Mod+K', false)).toBe(true);
  expect(matches(press('K', { ctrlKey: true, shiftKey: true }), 'Mod+K', false)).toBe(false);
  expect(matches(press('N', { ctrlKey: true, shiftKey: true }), 'Mod+Shift+N', false)).toBe(true);
  expect(matches(press('k'), 'Mod+K', false)).toBe(false);
  expect(matches(press('ArrowUp', { altKey: true }), 'Alt+ArrowUp', false)).toBe(true);
});

test('a Mac uses its own key', () => {
  expect(matches(press('k', { metaKey: true }), 'Mod+K', true)).toBe(true);
  expect(matches(press('k', { ctrlKey: true }), 'Mod+K', true)).toBe(false);
});

test('punctuation is found where it lies and however it is typed', () => {
  expect(matches(press('#', { ctrlKey: true, code: 'Backslash' }), 'Mod+\\', false)).toBe(true);
  expect(matches(press('/', { ctrlKey: true, shiftKey: true, code: 'Digit7' }), 'Mod+/', false)).toBe(true);
});

test('labels read as people know them', () => {
  expect(label('Mod+Shift+N', false)).toBe('Ctrl+Shift+N');
  expect(label('Mod+Shift+N', true)).toBe('⇧⌘N');
  expect(label('Alt+ArrowUp', false)).toBe('Alt+↑');
  expect(aria('Mod+K', false)).toBe('Control+K');
});
