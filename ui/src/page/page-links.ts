import type { EditingOptions, Suggestions } from '@tombolo/editor';
import { best } from '../lib/search';
import { messages } from '../lib/messages';
import { shown } from '../lib/titles';
import type { Workspace } from '../model/workspace.svelte';

/** Pages offered behind `[[`. */
const MOST = 8;

/** Puts an embed into the text, as `insertEmbed` of the editor does. */
type Insert = typeof import('@tombolo/editor').insertEmbed;

/** Links from a page's text to other pages: offered behind `[[`, named as the page is now, opened with a click. */
export function pageLinks(workspace: Workspace, insert: Insert): Pick<EditingOptions, 'suggestions' | 'openEmbed' | 'embedText'> {
  const suggestions: Suggestions = {
    trigger: '[[',
    label: messages.page.linkLabel,
    empty: messages.page.linkEmpty,
    find: (query) =>
      best(query, [...workspace.pages.tree.pages()], ({ title }) => title, MOST).map(({ id, title }) => ({
        id,
        title: shown(title),
        run: (view) => insert(view, { page: id, text: shown(title) }),
      })),
  };
  return {
    suggestions: [suggestions],
    openEmbed(data) {
      const page = linkedPage(data);
      if (page !== null) workspace.openPage(page);
    },
    embedText(data) {
      const page = workspace.pages.get(linkedPage(data) ?? '');
      return page ? shown(page.title) : null;
    },
  };
}

/** The page that an embed names; null for an embed of another kind. */
export function linkedPage(data: unknown): string | null {
  return typeof data === 'object' && data !== null && 'page' in data && typeof data.page === 'string' ? data.page : null;
}
