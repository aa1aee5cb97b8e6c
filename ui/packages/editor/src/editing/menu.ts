/**
 * Menus that open while text is typed: blocks behind `/`, and whatever the app suggests behind signs of its own.
 *
 * This is their state and their keys. Focus stays in the text: the editor points to the active entry by
 * `aria-activedescendant`, and the list is a listbox (see `menu-list.ts`).
 */
import { type EditorState, Plugin, PluginKey, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { caretBlock, isOpaque, isSourceBlock } from './blocks';
import { findItems, menuItems } from './menu-items';
import { MenuList } from './menu-list';
import type { Editing, MenuItem, Suggestions } from './options';
import { type Rect, rectOf, uniqueId } from './surface';

/** The longest query; a longer text behind a sign is text. */
const QUERY_MAX = 60;

/** The open menu. */
export interface OpenMenu {
  readonly source: Suggestions;
  /** The position of the sign that opened it. */
  readonly from: number;
  readonly query: string;
  readonly items: readonly MenuItem[];
  /** The index of the active entry; 0 in an empty list. */
  readonly active: number;
  /** Entries that are on their way; null once they are there. */
  readonly pending: PromiseLike<readonly MenuItem[]> | null;
}

type Change =
  | { readonly open: number; readonly source: Suggestions }
  | { readonly close: true }
  | { readonly active: number }
  | { readonly items: readonly MenuItem[]; readonly pending: OpenMenu['pending'] };

/** The state of the menu: what is open, or null. */
export const menuKey = new PluginKey<OpenMenu | null>('menu');

const change = (tr: Transaction, meta: Change): Transaction => tr.setMeta(menuKey, meta);

/** Where the open menu belongs in the window, or null if it is closed or nothing is laid out. */
export function menuRect(view: EditorView): Rect | null {
  const menu = menuKey.getState(view.state);
  return menu ? rectOf(view, menu.from) : null;
}

/** What is typed behind the sign up to the caret; null if the menu has no place there any more. */
function queryAt(state: EditorState, from: number, { trigger }: Suggestions): string | null {
  const block = caretBlock(state.selection);
  const { $from } = state.selection;
  if (!block || from < $from.start() || from >= $from.pos) return null;
  const text = block.node.textBetween(from - $from.start(), $from.parentOffset, undefined, '\uFFFC');
  const query = text.slice(trigger.length);
  if (!text.startsWith(trigger) || query.length > QUERY_MAX || /[\uFFFC\n]/u.test(query)) return null;
  return query.startsWith(' ') || query.includes(']]') ? null : query;
}

const isList = (found: ReturnType<Suggestions['find']>): found is readonly MenuItem[] => Array.isArray(found);

function next(tr: Transaction, last: OpenMenu | null, state: EditorState): OpenMenu | null {
  const meta = tr.getMeta(menuKey) as Change | undefined;
  if (meta && 'close' in meta) return null;
  const source = meta && 'open' in meta ? meta.source : last?.source;
  const from = meta && 'open' in meta ? meta.open : last && tr.mapping.map(last.from);
  if (from === null || !source) return null;
  const query = queryAt(state, from, source);
  if (query === null) return null;
  if (last && meta && 'items' in meta && meta.pending === last.pending) return settled({ ...last, from }, meta.items);
  if (last && query === last.query) return { ...last, from, active: meta && 'active' in meta ? meta.active : last.active };
  const found = source.find(query);
  if (isList(found)) return settled({ source, from, query, items: [], active: 0, pending: null }, found);
  return { source, from, query, items: last?.items ?? [], active: 0, pending: found };
}

/** The menu with its entries. A name with a space may follow, but a sentence does not. */
function settled(menu: OpenMenu, items: readonly MenuItem[]): OpenMenu | null {
  return items.length === 0 && menu.query.includes(' ') ? null : { ...menu, items, active: 0, pending: null };
}

/** The menu that a character at the caret opens: its sign is complete, and belongs to no word, address or program. */
function opens(state: EditorState, sources: readonly Suggestions[], typed: string): Suggestions | null {
  const block = caretBlock(state.selection);
  if (!block || isSourceBlock(block.node) || isOpaque(block.node)) return null;
  const { $from } = state.selection;
  const { code } = state.schema.marks;
  if (code?.isInSet(state.storedMarks ?? $from.marks())) return null;
  const text = block.node.textBetween(0, $from.parentOffset, undefined, ' ') + typed;
  const complete = sources.find(({ trigger }) => {
    const before = text.slice(0, -trigger.length);
    return text.endsWith(trigger) && (trigger.length > 1 || /(?:^|[\s(])$/u.test(before));
  });
  return complete ?? null;
}

/** Takes the query out of the text and runs the entry. */
function choose(editing: Editing, view: EditorView, menu: OpenMenu, index: number): void {
  const item = menu.items[index];
  if (!item) return;
  editing.endStep?.();
  view.dispatch(change(view.state.tr.delete(menu.from, view.state.selection.from), { close: true }));
  item.run(view);
  view.focus();
}

function handleKey(editing: Editing, view: EditorView, event: KeyboardEvent): boolean {
  const menu = menuKey.getState(view.state);
  if (!menu || view.composing || event.ctrlKey || event.metaKey || event.altKey) return false;
  const last = menu.items.length - 1;
  const go = (active: number): boolean => {
    if (last >= 0) view.dispatch(change(view.state.tr, { active }));
    return true;
  };
  switch (event.key) {
    case 'ArrowDown':
      return go(menu.active < last ? menu.active + 1 : 0);
    case 'ArrowUp':
      return go(menu.active > 0 ? menu.active - 1 : last);
    case 'PageUp':
    case 'PageDown':
      return go(event.key === 'PageUp' ? 0 : last);
    case 'Enter':
    case 'Tab':
      if (event.shiftKey || last < 0) return false;
      choose(editing, view, menu, menu.active);
      return true;
    case 'Escape':
      view.dispatch(change(view.state.tr, { close: true }));
      return true;
    default:
      return false;
  }
}

/** Waits for entries that are on their way, and leaves out those of a query that is no more. */
function awaitItems(view: EditorView, menu: OpenMenu): void {
  const { pending } = menu;
  const arrive = (items: readonly MenuItem[]): void => {
    if (!view.isDestroyed) view.dispatch(change(view.state.tr, { items, pending }));
  };
  pending?.then(arrive, () => arrive([]));
}

/** The attributes of the editor while a menu is open. */
function comboAttributes(menu: OpenMenu | null | undefined, id: string): Record<string, string> {
  if (!menu) return {};
  const pattern = { 'aria-haspopup': 'listbox', 'aria-autocomplete': 'list' };
  if (menu.items.length === 0) return pattern;
  return { ...pattern, 'aria-controls': id, 'aria-activedescendant': `${id}-${menu.active}` };
}

/** The menus as a plugin. */
export function menus(editing: Editing): Plugin {
  const id = uniqueId('menu');
  const blocks: Suggestions = {
    trigger: '/',
    label: editing.texts.menu,
    empty: editing.texts.menuEmpty,
    find: (query) => findItems(menuItems(editing), query),
  };
  const sources = [blocks, ...(editing.suggestions ?? [])];
  return new Plugin<OpenMenu | null>({
    key: menuKey,
    state: {
      init: () => null,
      apply: (tr, last, _before, state) => next(tr, last, state),
    },
    props: {
      handleTextInput(view, from, _to, text, insert) {
        const source = opens(view.state, sources, text);
        if (!source) return false;
        const open = from + text.length - source.trigger.length;
        view.dispatch(change(insert().scrollIntoView(), { open, source }));
        return true;
      },
      handleKeyDown: (view, event) => handleKey(editing, view, event),
      handleDOMEvents: {
        blur(view) {
          if (menuKey.getState(view.state)) view.dispatch(change(view.state.tr, { close: true }));
          return false;
        },
      },
      attributes: (state) => comboAttributes(menuKey.getState(state), id),
    },
    view(view) {
      const list = new MenuList(editing, view, id, {
        rect: () => menuRect(view),
        choose(index) {
          const menu = menuKey.getState(view.state);
          if (menu) choose(editing, view, menu, index);
        },
        point: (index) => view.dispatch(change(view.state.tr, { active: index })),
      });
      let pending: OpenMenu['pending'] = null;
      return {
        update() {
          const menu = menuKey.getState(view.state) ?? null;
          list.update(menu);
          if (menu?.pending && menu.pending !== pending) awaitItems(view, menu);
          pending = menu?.pending ?? null;
        },
        destroy: () => list.destroy(),
      };
    },
  });
}
