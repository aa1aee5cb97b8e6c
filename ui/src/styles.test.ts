import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** A colour, a size or a duration that is not one of the tokens. Shares of the window are no sizes. */
const RAW = /(?<![\w-])(?:\d*\.)?\d+(?:px|rem|em|ms|s)\b|#[\da-f]{3,8}\b|\b(?:rgb|hsl|oklch)\(/i;

const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.svelte'));

test('components name tokens and nothing raw', () => {
  expect(files.length).toBeGreaterThan(20);
  const raw = files.flatMap((file) =>
    stylesOf(file)
      .filter((line) => RAW.test(line) && !line.includes('@media'))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(raw).toEqual([]);
});

test('components name no side of the screen: lines may run from the right', () => {
  const sided = files.flatMap((file) =>
    stylesOf(file)
      .filter((line) => /(?:margin|padding|border|inset)-(?:left|right)|text-align: (?:left|right)|^\s*(?:left|right):/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(sided).toEqual([]);
});

test('every token that a component names is there', () => {
  const known = new Set([...readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8').matchAll(/--[\w-]+(?=:)/g)].map(([name]) => name));
  const unknown = files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8');
    const own = new Set([...text.matchAll(/--[\w-]+(?=[:=])/g)].map(([name]) => name));
    return [...text.matchAll(/var\((--[\w-]+)/g)].flatMap(([, name = '']) => (known.has(name) || own.has(name) ? [] : [`${file}: ${name}`]));
  });
  expect(unknown).toEqual([]);
});

function stylesOf(file: string): string[] {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8');
  return (/<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '').split('\n');
}
