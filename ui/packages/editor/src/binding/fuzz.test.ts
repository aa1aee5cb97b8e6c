/** Whatever several peers do at random, all end with the same page, and no character is lost or doubled. */
import { describe, it } from 'vitest';
import { Fuzz } from './fuzz';

const LONG = process.env.TOMBOLO_LONG !== undefined;

const seeds = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('random editing', () => {
  const [count, steps] = LONG ? [20, 500] : [4, 500];
  it.each(seeds(count))('seed %i', { timeout: 120_000 }, (seed) => {
    const fuzz = new Fuzz(seed);
    fuzz.run(steps, false);
    fuzz.settle(false);
  });
});

describe('random editing with undo', () => {
  const [count, steps] = LONG ? [40, 200] : [6, 200];
  it.each(seeds(count))('seed %i', { timeout: 120_000 }, (seed) => {
    const fuzz = new Fuzz(seed);
    fuzz.run(steps, true);
    fuzz.settle(true);
  });
});
