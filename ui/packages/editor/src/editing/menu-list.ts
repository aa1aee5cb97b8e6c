/** The list of an open menu as elements. */
import type { EditorView } from 'prosemirror-view';
import type { OpenMenu } from './menu';
import type { Editing } from './options';
import { element, place, type Rect, show, surfaceParent, whenMoved } from './surface';
import { fill } from './texts';

/** What the list asks of its menu. */
export interface MenuActions {
  /** Where the menu belongs in the window. */
  rect(): Rect | null;
  /** Runs an entry. */
  choose(index: number): void;
  /** Makes an entry the active one. */
  point(index: number): void;
}

export class MenuList {
  readonly #editing: Editing;
  readonly #actions: MenuActions;
  readonly #popup: HTMLElement;
  readonly #list: HTMLElement;
  readonly #status: HTMLElement;
  readonly #id: string;
  readonly #abort = new AbortController();
  #shown: OpenMenu | null = null;

  /** The list has the given id, and each entry this id with its index. */
  constructor(editing: Editing, view: EditorView, id: string, actions: MenuActions) {
    [this.#editing, this.#actions, this.#id] = [editing, actions, id];
    this.#list = element('div', { role: 'listbox', id });
    this.#popup = element('div', { class: 'editor-menu' });
    this.#popup.hidden = true;
    this.#status = element('div', { class: 'editor-status', role: 'status' });
    this.#popup.addEventListener('mousedown', (event) => event.preventDefault());
    this.#list.addEventListener('click', (event) => {
      const index = this.#indexOf(event);
      if (index >= 0) actions.choose(index);
    });
    // Only a pointer that moves makes an entry the active one: a list that scrolls under it does not.
    this.#list.addEventListener('pointermove', (event) => {
      const index = this.#indexOf(event);
      if (index >= 0 && index !== this.#shown?.active) actions.point(index);
    });
    surfaceParent(view, editing.surfaces).append(this.#popup, this.#status);
    whenMoved(view, this.#abort.signal, () => {
      if (!this.#popup.hidden) place(this.#popup, actions.rect(), 'below');
    });
  }

  update(menu: OpenMenu | null): void {
    if (menu === this.#shown) return;
    const changed = menu?.items !== this.#shown?.items || menu?.pending !== this.#shown?.pending;
    if (changed) this.#fill(menu);
    for (const [index, option] of [...this.#list.children].entries()) {
      const active = index === menu?.active;
      option.setAttribute('aria-selected', String(active));
      if (active) option.scrollIntoView?.({ block: 'nearest' });
    }
    const opened = show(this.#popup, menu !== null);
    if (menu && (opened || changed)) place(this.#popup, this.#actions.rect(), 'below');
    this.#shown = menu;
  }

  #fill(menu: OpenMenu | null): void {
    const options = (menu?.items ?? []).map((item, index) =>
      element(
        'div',
        { role: 'option', id: `${this.#id}-${index}`, class: 'editor-menu-item', 'aria-selected': 'false' },
        element('span', { class: 'editor-menu-title' }, item.title),
        ...(item.hint === undefined ? [] : [element('kbd', { 'aria-hidden': 'true' }, item.hint)]),
      ),
    );
    const found = options.length > 0;
    // Nothing is said about entries that are still on their way.
    const empty = menu?.pending ? '' : (menu?.source.empty ?? '');
    const count = fill(this.#editing.texts.menuCount, { n: options.length });
    this.#list.setAttribute('aria-label', menu?.source.label ?? '');
    this.#list.replaceChildren(...options);
    // A list box without options is none.
    this.#popup.replaceChildren(found ? this.#list : element('div', { class: 'editor-menu-empty' }, empty));
    this.#status.textContent = menu === null ? '' : found ? count : empty;
  }

  #indexOf(event: Event): number {
    const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    return option ? [...this.#list.children].indexOf(option) : -1;
  }

  destroy(): void {
    this.#abort.abort();
    this.#popup.remove();
    this.#status.remove();
  }
}
