import { expect, test } from 'vitest';
import { difference } from './fake/difference';
import { applyDifference, live } from './live';
import type { Row } from './rows';

/** Numbers from a seed: the same in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('following differences gives each new result', () => {
  const random = seeded(11);
  let rows: Row[] = [];
  for (let revision = 1; revision < 500; revision += 1) {
    const next = new Map<string, Row>();
    for (let n = random(12); n > 0; n -= 1) {
      const id = String(random(12));
      const known = rows.find((row) => row.id === id);
      next.set(id, known !== undefined && random(3) > 0 ? known : ({ id, revision } as unknown as Row));
    }
    const result = [...next.values()];
    const changed = difference(rows, result, revision);
    if (changed === null) expect(result).toEqual(rows);
    else rows = applyDifference(rows, changed);
    expect(rows).toEqual(result);
  }
});

test('a row that has not changed is the same object as before', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => ({ id }) as unknown as Row) as [Row, Row, Row];
  const moved = { revision: 2, added: [], changed: [], removed: [], moved: [{ id: 'c', after: null }] };
  const rows = applyDifference([a, b, c], moved);
  expect(rows[0]).toBe(c);
  expect(rows[1]).toBe(a);
});

test('a difference that makes no sense neither hangs nor throws', () => {
  const row = { id: 'a' } as unknown as Row;
  const moved = [
    { id: 'a', after: 'a' },
    { id: 'x', after: 'y' },
    { id: 'y', after: 'x' },
  ];
  expect(applyDifference([row], { revision: 2, added: [], changed: [], removed: [], moved }).length).toBeLessThan(2);
});

test('a live value is told at once, starts anew after it was left, and stops its source', () => {
  const log: string[] = [];
  let tell: ((value: number) => void) | undefined;
  const value = live(0, (set) => {
    tell = set;
    log.push('start');
    set(1);
    return () => log.push('stop');
  });
  const stop = value.subscribe((n) => log.push(`a ${n}`));
  value.subscribe((n) => log.push(`b ${n}`))();
  tell?.(2);
  stop();
  value.subscribe((n) => log.push(`c ${n}`))();
  expect(log).toEqual(['start', 'a 1', 'b 1', 'a 2', 'stop', 'start', 'c 1', 'stop']);
});
