import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8');

const named = (text: string, pattern: RegExp): ReadonlySet<string> => new Set([...text.matchAll(pattern)].map(([, name = '']) => name));

test('every token that the styles name is one of the app or their own', () => {
  const styles = read('editor.css') + read('surfaces.css');
  const known = named(read('../../../src/tokens.css') + styles, /(--[\w-]+):/gu);
  expect([...named(styles, /var\((--[\w-]+)/gu)].filter((name) => !known.has(name))).toEqual([]);
});

test('styles name no colour', () => {
  const styles = read('editor.css') + read('surfaces.css');
  expect([...styles.matchAll(/#[\da-f]{3,8}\b|\b(?:rgb|hsl|oklch)\(/giu)].map(([found]) => found)).toEqual([]);
});
