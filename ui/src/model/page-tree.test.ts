import { expect, test } from 'vitest';
import { PageTree, type Page, type TreeRow } from './page-tree';

function page(id: string, parent: string | null = null, order = id): Page {
  return { id, title: id.toUpperCase(), parent, parent_order: order, path: null };
}

/**
 * a
 *   b
 *     c
 *   d
 * e
 */
const tree = new PageTree([page('e'), page('d', 'a'), page('c', 'b'), page('b', 'a'), page('a')]);
const rows = tree.rows(new Set(['a', 'b']));

function row(id: string): TreeRow {
  const found = rows.find((each) => each.id === id);
  if (!found) throw new Error(`no row ${id}`);
  return found;
}

test('rows follow the order keys, then the ids, and tell where each stands', () => {
  expect(rows.map(({ id, level, position, siblings, hasChildren, expanded }) => [id, level, position, siblings, hasChildren, expanded])).toEqual([
    ['a', 1, 1, 2, true, true],
    ['b', 2, 1, 2, true, true],
    ['c', 3, 1, 1, false, false],
    ['d', 2, 2, 2, false, false],
    ['e', 1, 2, 2, false, false],
  ]);
  const upperFirst = new PageTree([page('1', null, 'a'), page('2', null, 'Z'), page('3', null, 'Z')]);
  expect(upperFirst.children(null)).toEqual(['2', '3', '1']);
});

test('a closed page hides what is below, and a page without its parent hangs at the top', () => {
  expect(tree.rows(new Set(['b'])).map(({ id }) => id)).toEqual(['a', 'e']);
  expect(new PageTree([page('x', 'elsewhere')]).rows(new Set())).toMatchObject([{ id: 'x', level: 1, parent: null }]);
});

test('a chain longer than the call stack is shown', () => {
  const chain = Array.from({ length: 20_000 }, (_, n) => page(String(n), n === 0 ? null : String(n - 1)));
  expect(new PageTree(chain).rows(new Set(chain.map(({ id }) => id))).at(-1)).toMatchObject({ level: 20_000 });
});

test('ancestors come from the top down', () => {
  expect(tree.ancestors('c')).toEqual(['a', 'b']);
  expect(tree.ancestors('a')).toEqual([]);
});

test('the keyboard moves among siblings, in and out', () => {
  expect(tree.step('b', 1)).toEqual({ parent: 'a', after: 'd' });
  expect(tree.step('d', -1)).toEqual({ parent: 'a', before: 'b' });
  expect(tree.step('b', -1)).toBeUndefined();
  expect(tree.indent('d')).toEqual({ parent: 'b', before: null });
  expect(tree.indent('b')).toBeUndefined();
  expect(tree.outdent('c')).toEqual({ parent: 'a', after: 'b' });
  expect(tree.outdent('a')).toBeUndefined();
});

test('a drop lands where its line was, and never below itself', () => {
  expect(tree.drop('e', row('d'), 'before')).toEqual({ parent: 'a', before: 'd' });
  expect(tree.drop('e', row('d'), 'after')).toEqual({ parent: 'a', after: 'd' });
  expect(tree.drop('e', row('d'), 'into')).toEqual({ parent: 'd', before: null });
  expect(tree.drop('e', row('a'), 'after')).toEqual({ parent: 'a', after: null });
  expect(tree.drop('a', row('c'), 'into')).toBeUndefined();
  expect(tree.drop('d', row('b'), 'after')).toEqual({ parent: 'b', after: null });
  expect(tree.drop('e', row('a'), 'before')).toEqual({ parent: null, before: 'a' });
});

test('a drop below all lines goes to the end of the top', () => {
  expect(tree.drop('c', row('e'), 'end')).toEqual({ parent: null, before: null });
  expect(tree.drop('a', row('e'), 'end')).toEqual({ parent: null, before: null });
  expect(tree.drop('e', row('e'), 'end')).toBeUndefined();
});

test('a drop that changes nothing is no move', () => {
  expect(tree.drop('d', row('d'), 'after')).toBeUndefined();
  const closed = tree.rows(new Set(['a'])).find(({ id }) => id === 'b');
  expect(closed && tree.drop('d', closed, 'after')).toBeUndefined();
});

test('the place of a page brings it back, and its neighbour follows it', () => {
  expect(tree.place('d')).toEqual({ parent: 'a', after: 'b' });
  expect(tree.place('b')).toEqual({ parent: 'a', after: null });
  expect([tree.neighbour('b'), tree.neighbour('d'), tree.neighbour('c'), tree.neighbour('e')]).toEqual(['d', 'b', 'b', 'a']);
});
