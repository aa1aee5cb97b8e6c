import { expect, test } from 'vitest';
import { PageTree, type Page } from '../model/page-tree';
import { stepAt } from './keys';

const page = (id: string, parent: string | null): Page => ({ id, title: id, parent, parent_order: id, path: null });
/** a, with b (which has c inside) below it; d. */
const tree = new PageTree([page('a', null), page('b', 'a'), page('c', 'b'), page('d', null)]);
const rows = tree.rows(new Set(['a']));

test('in and out follow the direction of the lines', () => {
  expect(stepAt(rows, 0, 'ArrowRight', false)).toEqual({ line: 1 });
  expect(stepAt(rows, 1, 'ArrowRight', false)).toBe('toggle');
  expect(stepAt(rows, 2, 'ArrowRight', false)).toEqual({ line: 2 });
  expect(stepAt(rows, 1, 'ArrowLeft', false)).toEqual({ line: 0 });
  expect(stepAt(rows, 0, 'ArrowLeft', false)).toBe('toggle');
  expect(stepAt(rows, 1, 'ArrowRight', true)).toEqual({ line: 0 });
  expect(stepAt(rows, 1, 'ArrowLeft', true)).toBe('toggle');
});

test('the ends are the ends, and other keys mean nothing here', () => {
  expect(stepAt(rows, 2, 'ArrowDown', false)).toEqual({ line: 2 });
  expect(stepAt(rows, 0, 'ArrowUp', false)).toEqual({ line: 0 });
  expect(stepAt(rows, 2, 'Home', false)).toEqual({ line: 0 });
  expect(stepAt(rows, 0, 'End', false)).toEqual({ line: 2 });
  expect(stepAt(rows, 0, 'F5', false)).toBeUndefined();
  expect(stepAt([], 0, 'ArrowDown', false)).toBeUndefined();
});
