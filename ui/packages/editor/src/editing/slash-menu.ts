/**
 * The `/` menu: a list of blocks, filtered by what is typed behind the slash.
 *
 * Focus stays in the text. The editor points to the active entry by `aria-activedescendant`, and the list is a listbox.
 */
import type { EditorState, Transaction } from 'prosemirror-state';
import { Plugin, PluginKey } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { caretBlock, isOpaque, isSourceBlock } from './blocks';
import { findItems, menuItems } from './menu-items';
import type { Editing, MenuItem } from './options';
import { fill } from './texts';
import { element, place, type Rect, rectOf, show, surfaceParent, uniqueId, whenMoved } from './surface';

/** The longest query; a longer text behind a slash is text. */
const QUERY_MAX = 40;

/** The open menu. */
export interface SlashMenu {
  /** The position of the slash. */
  readonly from: number;
  readonly query: string;
  readonly items: readonly MenuItem[];
  /** The index of the active entry; 0 in an empty list. */
  readonly active: number;
}

type Change = { readonly open: number } | { readonly close: true } | { readonly active: number };

/** The state of the menu: what is open, or null. */
export const slashMenuKey = new PluginKey<SlashMenu | null>('slash-menu');

const change = (tr: Transaction, meta: Change): Transaction => tr.setMeta(slashMenuKey, meta);

/** Where the open menu belongs in the window, or null if it is closed or nothing is laid out. */
export function slashMenuRect(view: EditorView): Rect | null {
  const menu = slashMenuKey.getState(view.state);
  return menu ? rectOf(view, menu.from) : null;
}

/** What is typed behind the slash up to the caret; null if the menu has no place there any more. */
function queryAt(state: EditorState, from: number): string | null {
  const block = caretBlock(state.selection);
  const { $from } = state.selection;
  if (!block || from < $from.start() || from >= $from.pos) return null;
  const text = block.node.textBetween(from - $from.start(), $from.parentOffset, undefined, '\uFFFC');
  if (!text.startsWith('/') || text.length > QUERY_MAX + 1 || /[\uFFFC\n]/u.test(text)) return null;
  const query = text.slice(1);
  return query.startsWith(' ') ? null : query;
}

function next(editing: Editing, tr: Transaction, last: SlashMenu | null, state: EditorState): SlashMenu | null {
  const meta = tr.getMeta(slashMenuKey) as Change | undefined;
  if (meta && 'close' in meta) return null;
  const from = meta && 'open' in meta ? meta.open : last && tr.mapping.map(last.from);
  if (from === null) return null;
  const query = queryAt(state, from);
  if (query === null) return null;
  if (last && query === last.query) return { ...last, from, active: meta && 'active' in meta ? meta.active : last.active };
  const items = findItems(menuItems(editing), query);
  // A name with a space may follow, but a sentence does not.
  return items.length === 0 && query.includes(' ') ? null : { from, query, items, active: 0 };
}

/** Whether a slash at the caret asks for a block and does not belong to a word, an address or a program. */
function asksForBlock(state: EditorState): boolean {
  const block = caretBlock(state.selection);
  if (!block || isSourceBlock(block.node) || isOpaque(block.node)) return false;
  const { $from } = state.selection;
  const { code } = state.schema.marks;
  if (code?.isInSet(state.storedMarks ?? $from.marks())) return false;
  return /(?:^|\s)$/u.test(block.node.textBetween(0, $from.parentOffset, undefined, ' '));
}

/** Takes the query out of the text and runs the entry. */
function choose(editing: Editing, view: EditorView, menu: SlashMenu, index: number): void {
  const item = menu.items[index];
  if (!item) return;
  editing.endStep?.();
  view.dispatch(change(view.state.tr.delete(menu.from, view.state.selection.from), { close: true }));
  item.run(view);
  view.focus();
}

function handleKey(editing: Editing, view: EditorView, event: KeyboardEvent): boolean {
  const menu = slashMenuKey.getState(view.state);
  if (!menu || view.composing) return false;
  const last = menu.items.length - 1;
  const go = (active: number): boolean => {
    if (last >= 0) view.dispatch(change(view.state.tr, { active }));
    return true;
  };
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
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

/** The list as elements. */
class MenuList {
  readonly #editing: Editing;
  readonly #view: EditorView;
  readonly #popup: HTMLElement;
  readonly #list: HTMLElement;
  readonly #status: HTMLElement;
  readonly #id: string;
  readonly #abort = new AbortController();
  #shown: SlashMenu | null = null;

  constructor(editing: Editing, view: EditorView, id: string) {
    [this.#editing, this.#view, this.#id] = [editing, view, id];
    this.#list = element('div', { role: 'listbox', id, 'aria-label': editing.texts.menu });
    this.#popup = element('div', { class: 'editor-menu' });
    this.#popup.hidden = true;
    this.#status = element('div', { class: 'editor-status', role: 'status' });
    this.#popup.addEventListener('mousedown', (event) => event.preventDefault());
    this.#list.addEventListener('click', (event) => this.#click(event));
    this.#list.addEventListener('pointermove', (event) => this.#point(event));
    surfaceParent(view, editing.surfaces).append(this.#popup, this.#status);
    whenMoved(view, this.#abort.signal, () => {
      if (!this.#popup.hidden) place(this.#popup, slashMenuRect(view), 'below');
    });
  }

  update(): void {
    const menu = slashMenuKey.getState(this.#view.state) ?? null;
    if (menu === this.#shown) return;
    if (menu?.items !== this.#shown?.items) this.#fill(menu);
    for (const [index, option] of [...this.#list.querySelectorAll('[role=option]')].entries()) {
      const active = index === menu?.active;
      option.setAttribute('aria-selected', String(active));
      if (active) option.scrollIntoView?.({ block: 'nearest' });
    }
    const opened = show(this.#popup, menu !== null);
    if (menu && (opened || menu.items !== this.#shown?.items)) place(this.#popup, slashMenuRect(this.#view), 'below');
    this.#shown = menu;
  }

  #fill(menu: SlashMenu | null): void {
    const { texts } = this.#editing;
    const options = (menu?.items ?? []).map((item, index) =>
      element(
        'div',
        { role: 'option', id: `${this.#id}-${index}`, class: 'editor-menu-item', 'aria-selected': 'false' },
        element('span', { class: 'editor-menu-title' }, item.title),
        ...(item.hint === undefined ? [] : [element('kbd', { 'aria-hidden': 'true' }, item.hint)]),
      ),
    );
    this.#list.replaceChildren(...options);
    // A list box without options is none.
    this.#popup.replaceChildren(options.length > 0 ? this.#list : element('div', { class: 'editor-menu-empty' }, texts.menuEmpty));
    const words = options.length > 0 ? fill(texts.menuCount, { n: options.length }) : texts.menuEmpty;
    this.#status.textContent = menu ? words : '';
  }

  #indexOf(event: Event): number {
    const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    return option ? [...this.#list.children].indexOf(option) : -1;
  }

  #click(event: Event): void {
    const menu = slashMenuKey.getState(this.#view.state);
    const index = this.#indexOf(event);
    if (menu && index >= 0) choose(this.#editing, this.#view, menu, index);
  }

  /** The entry under the pointer becomes the active one, but only when the pointer moves: a list that scrolls stays. */
  #point(event: Event): void {
    const menu = slashMenuKey.getState(this.#view.state);
    const index = this.#indexOf(event);
    if (menu && index >= 0 && index !== menu.active) {
      this.#view.dispatch(change(this.#view.state.tr, { active: index }));
    }
  }

  destroy(): void {
    this.#abort.abort();
    this.#popup.remove();
    this.#status.remove();
  }
}

/** The menu as a plugin. */
export function slashMenu(editing: Editing): Plugin {
  const id = uniqueId('menu');
  return new Plugin<SlashMenu | null>({
    key: slashMenuKey,
    state: {
      init: () => null,
      apply: (tr, last, _before, state) => next(editing, tr, last, state),
    },
    props: {
      handleTextInput(view, from, _to, text, insert) {
        if (text !== '/' || !asksForBlock(view.state)) return false;
        view.dispatch(change(insert().scrollIntoView(), { open: from }));
        return true;
      },
      handleKeyDown: (view, event) => handleKey(editing, view, event),
      handleDOMEvents: {
        blur(view) {
          if (slashMenuKey.getState(view.state)) view.dispatch(change(view.state.tr, { close: true }));
          return false;
        },
      },
      attributes: (state): Record<string, string> => {
        const menu = slashMenuKey.getState(state);
        if (!menu) return {};
        const pattern = { 'aria-haspopup': 'listbox', 'aria-autocomplete': 'list' };
        if (menu.items.length === 0) return pattern;
        return { ...pattern, 'aria-controls': id, 'aria-activedescendant': `${id}-${menu.active}` };
      },
    },
    view: (view) => new MenuList(editing, view, id),
  });
}
