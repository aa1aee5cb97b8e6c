import { expect, test, vi } from 'vitest';
import type { EditorView } from 'prosemirror-view';
import { fakeShell } from '../testing/shell';
import { testStore } from '../testing/window';
import { Workspace } from '../model/workspace.svelte';
import { linkedPage, pageAtAddress, pageLinks } from './page-links';

const id = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

async function workspaceOf(titles: string[]): Promise<Workspace> {
  const store = testStore(titles.map((title, n) => ({ id: id(n), title })));
  const workspace = new Workspace({ store, shell: fakeShell() });
  workspace.pages.follow();
  await store.fake.settled();
  return workspace;
}

test('pages are found behind the sign and become links that say their name', async () => {
  const insert = vi.fn<(view: EditorView, data: unknown) => void>();
  const { suggestions } = pageLinks(await workspaceOf(['Tides', 'Birds', '']), insert);
  const found = await suggestions?.[0]?.find('tid');
  expect(found?.map(({ title }) => title)).toEqual(['Tides']);
  const view = {} as EditorView;
  found?.[0]?.run(view);
  expect(insert).toHaveBeenCalledWith(view, { page: id(0), text: 'Tides' });
});

test('a link is named as its page is now, and opens it', async () => {
  const workspace = await workspaceOf(['Tides']);
  const { embedText, openEmbed } = pageLinks(workspace, () => undefined);
  expect(embedText?.({ page: id(0), text: 'Old name' })).toBe('Tides');
  expect(embedText?.({ page: id(9), text: 'Gone' })).toBeNull();
  openEmbed?.({ page: id(0), text: '' });
  expect(workspace.navigation.page).toBe(id(0));
});

test('embeds of other kinds are left alone', async () => {
  const workspace = await workspaceOf(['Tides']);
  for (const foreign of [null, 'text', 7, [], {}, { page: 7 }]) {
    expect(linkedPage(foreign)).toBeNull();
    pageLinks(workspace, () => undefined).openEmbed?.(foreign as null);
  }
  expect(workspace.navigation.page).toBeNull();
});

test('a link between files opens the page that came from the file', () => {
  const page = (n: number, path: string | null) => ({ id: id(n), path, title: '', parent: null, parent_order: '' });
  const pages = [page(1, 'ch01.md'), page(2, 'more/ch 02.md'), page(3, null)];
  expect(pageAtAddress(pages, 'more/ch 02.md', '../ch01.md#top')).toBe(id(1));
  expect(pageAtAddress(pages, 'ch01.md', 'more/ch%2002.html')).toBe(id(2));
  expect(pageAtAddress(pages, 'ch01.md', '#top')).toBe(id(1));
  for (const elsewhere of ['https://example.org/ch01.md', '//example.org/ch01.md', 'mailto:ann@example.org', 'ch03.md', '../../ch09.md', 'http://[', '%']) {
    expect(pageAtAddress(pages, 'ch01.md', elsewhere)).toBeNull();
  }
  for (const from of [null, '\ud800', '//[', '%']) expect(pageAtAddress(pages, from, from === null ? 'ch01.md' : '\ud800')).toBeNull();
});
