import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Theme = 'light' | 'dark';
type Oklch = [lightness: number, chroma: number, hue: number];

const tokens = readTokens(readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8'));

const surfaces = ['bg', 'bg-raised', 'bg-sunken'];
/** Grounds of single lines and controls. */
const states = ['bg-hover', 'bg-active'];
const texts = ['text', 'text-muted', 'text-faint', 'accent', 'danger', 'warning', 'success'];

const pairs = [
  ...texts.flatMap((text) => surfaces.map((surface) => ({ front: text, back: surface, least: 4.5 }))),
  ...states.flatMap((state) => ['text', 'text-muted', 'danger'].map((text) => ({ front: text, back: state, least: 4.5 }))),
  ...['focus', 'border-control'].flatMap((part) => surfaces.map((surface) => ({ front: part, back: surface, least: 3 }))),
  ...['focus', 'accent'].flatMap((part) => states.map((state) => ({ front: part, back: state, least: 3 }))),
  ...['text-toast', 'accent-toast'].map((text) => ({ front: text, back: 'bg-toast', least: 4.5 })),
  { front: 'text', back: 'selection', least: 4.5 },
  { front: 'accent-text', back: 'accent', least: 4.5 },
];

test.each(['light', 'dark'] as const)('text and interface parts have enough contrast in the %s theme', (theme) => {
  const poor = pairs
    .map((pair) => ({ ...pair, contrast: contrast(colour(pair.front, theme), colour(pair.back, theme)) }))
    .filter((pair) => pair.contrast < pair.least)
    .map((pair) => `${pair.front} on ${pair.back}: ${pair.contrast.toFixed(2)}, should be ${pair.least}`);
  expect(poor).toEqual([]);
});

test('the contrast of black on white is 21', () => {
  expect(contrast([0, 0, 0], [1, 0, 0])).toBeCloseTo(21, 1);
});

function colour(name: string, theme: Theme): Oklch {
  const token = tokens.get(name);
  if (!token) throw new Error(`tokens.css has no colour --${name}`);
  return token[theme];
}

function readTokens(css: string): Map<string, Record<Theme, Oklch>> {
  const oklch = String.raw`oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)`;
  const declaration = new RegExp(String.raw`--([\w-]+): light-dark\(${oklch}, ${oklch}\);`, 'g');
  return new Map(
    [...css.matchAll(declaration)].map(([, name = '', ...channels]) => {
      const [l1 = 0, c1 = 0, h1 = 0, l2 = 0, c2 = 0, h2 = 0] = channels.map(Number);
      return [name, { light: [l1, c1, h1], dark: [l2, c2, h2] }];
    }),
  );
}

/** The ratio of WCAG 2: (lighter + 0.05) / (darker + 0.05). */
function contrast(one: Oklch, other: Oklch): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative luminance, by way of OKLab's cone responses and linear sRGB clipped to its gamut. */
function luminance([lightness, chroma, hue]: Oklch): number {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short;
  const green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short;
  const blue = -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short;
  return 0.2126 * clip(red) + 0.7152 * clip(green) + 0.0722 * clip(blue);
}

function clip(channel: number): number {
  return Math.min(1, Math.max(0, channel));
}
