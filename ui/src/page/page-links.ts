import type { EditingOptions, Suggestions } from '@tombolo/editor';
import { best } from '../lib/search';
import { messages } from '../lib/messages';
import { shown } from '../lib/titles';
import type { Page } from '../model/page-tree';
import type { Workspace } from '../model/workspace.svelte';

/** Stands for the folder that pages were imported from. */
const FOLDER = 'https://folder.invalid';
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
      const page = workspace.pages.tree.get(linkedPage(data) ?? '');
      return page ? shown(page.title) : null;
    },
  };
}

/**
 * The page that a link between files means: an imported page keeps the file that it came from. A link to the file's
 * form on the web, `.html`, means it, too. Null if there is no such page, or the address is none of a file.
 */
export function pageAtAddress(pages: Iterable<Page>, from: string | null, address: string): string | null {
  const path = from === null || URL.canParse(address) ? null : resolved(from, address);
  if (path === null) return null;
  const source = path.replace(/\.html?$/i, '.md');
  for (const page of pages) if (page.path !== null && (page.path === path || page.path === source)) return page.id;
  return null;
}

/** An address from inside a file, as a path in the folder; null if it leads elsewhere or is no address. */
function resolved(from: string, address: string): string | null {
  try {
    const { origin, pathname } = new URL(address, new URL(encodeURI(from), FOLDER));
    return origin === FOLDER ? decodeURIComponent(pathname.slice(1)) : null;
  } catch {
    return null;
  }
}

/** The page that an embed names; null for an embed of another kind. */
export function linkedPage(data: unknown): string | null {
  return typeof data === 'object' && data !== null && 'page' in data && typeof data.page === 'string' ? data.page : null;
}
