import { expect, test } from 'vitest';
import { testStore } from '../testing/window';
import { Pages } from './pages.svelte';

const id = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

function open(titles: string[]) {
  const store = testStore(titles.map((title, n) => ({ id: id(n), title })));
  let now = 0;
  const wrote: string[] = [];
  const pages = new Pages(store, (page) => wrote.push(page), () => now);
  const stop = pages.follow();
  return { store, pages, wrote, stop, pass: (ms: number) => (now += ms), settled: () => store.fake.settled() };
}

const titles = (pages: Pages) => pages.shownTree.rows(new Set()).map(({ title }) => title);

test('nothing is known before the first result, and then everything', async () => {
  const { pages, settled, stop, store } = open(['One', 'Two']);
  expect(pages.coverage).toBe('missing');
  expect(pages.tree.size).toBe(0);
  await settled();
  expect(pages.coverage).toBe('complete');
  expect(titles(pages)).toEqual(['One', 'Two']);
  stop();
  await settled();
  expect(store.fake.subscriptions).toBe(0);
});

test('what somebody types in a page is no news to the tree, nor to who follows the page; its title is', async () => {
  const { pages, store, settled } = open(['One']);
  const told: unknown[] = [];
  pages.followPage(id(0), (page) => told.push(page?.title ?? null));
  pages.followPage(id(9), (page) => told.push(page));
  await settled();
  const { tree } = pages;
  await store.update('Page', id(0), { body: 'text' });
  await settled();
  expect(pages.tree).toBe(tree);
  expect(told).toEqual(['One', null]);
  await store.update('Page', id(0), { title: 'Eins' });
  await settled();
  expect(told).toEqual(['One', null, 'Eins']);
});

test('while it is held, the tree shows what is done here and not what comes from elsewhere', async () => {
  const { pages, store, settled, pass } = open(['One', 'Two']);
  await settled();
  pages.hold();
  await store.update('Page', id(0), { title: 'Eins' });
  await settled();
  expect(titles(pages)).toEqual(['One', 'Two']);
  expect(pages.tree.get(id(0))?.title).toBe('Eins');
  pages.release();
  expect(titles(pages)).toEqual(['Eins', 'Two']);

  pages.hold();
  await pages.setTitle(id(1), 'Zwei');
  await settled();
  expect(titles(pages)).toEqual(['Eins', 'Zwei']);
  pass(10_000);
  await store.update('Page', id(1), { title: 'Two again' });
  await settled();
  expect(titles(pages)).toEqual(['Eins', 'Zwei']);
});

test('what goes into the trash with its page is known to be done here', async () => {
  const { pages, store, settled } = open(['One', 'Two']);
  await store.insert('Page', { title: 'Inside', parent: id(0) });
  await settled();
  pages.hold();
  await pages.trash(id(0));
  await settled();
  expect(titles(pages)).toEqual(['Two']);
  expect(pages.trashed.map(({ title }) => title)).toEqual(['One']);
});

test('every write is told with its page', async () => {
  const { pages, wrote } = open(['One', 'Two']);
  const created = await pages.create('Three');
  await pages.setTitle(id(0), 'Eins');
  await pages.move(id(0), { parent: id(1), after: null });
  await pages.trash(id(1));
  await pages.restore(id(1));
  expect(wrote).toEqual([created, id(0), id(0), id(1), id(1)]);
});
