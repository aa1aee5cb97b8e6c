import { expect, test, vi } from 'vitest';
import type { EditorView } from 'prosemirror-view';
import { fakeShell } from '../testing/shell';
import { testStore } from '../testing/window';
import { Workspace } from '../model/workspace.svelte';
import { linkedPage, pageLinks } from './page-links';

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
