/**
 * The address of a link: shown while the caret is in one, and edited in place.
 *
 * While it is edited, focus is in its field; Escape and leaving it lead back to the text.
 */
import { type Command, type EditorState, Plugin, PluginKey, type Transaction } from 'prosemirror-state';
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view';
import { isSourceBlock } from './blocks';
import { linkAround } from './format';
import { ADDRESS_MAX, openable, openLink, webAddress } from './links';
import type { Editing } from './options';
import { button, element, place, rectOf, show, surfaceParent, uniqueId, whenMoved } from './surface';

/** Whether the address is being edited. */
const key = new PluginKey<boolean>('link-popover');

/** What a link is put on: selected text, or the link around the caret. */
interface Target {
  readonly from: number;
  readonly to: number;
  /** Its address, `''` for text without one. */
  readonly address: string;
}

function targetOf(state: EditorState): Target {
  const { from, to, empty } = state.selection;
  const link = linkAround(state, from) ?? (empty ? null : linkAround(state, to));
  const address: unknown = link?.mark.attrs.value;
  const range = empty && link ? link : { from, to };
  return { from: range.from, to: range.to, address: typeof address === 'string' ? address : '' };
}

/** Opens the field for the address of the selected text, of the link at the caret, or of a new link. */
export const editLink: Command = (state, dispatch) => {
  const { $from, $to } = state.selection;
  if ($from.depth === 0 || !$from.sameParent($to) || isSourceBlock($from.parent) || !state.schema.marks.link) return false;
  dispatch?.(state.tr.setMeta(key, true));
  return true;
};

/** Puts an address on the target; where that is empty, the address itself becomes the text. */
function applyAddress(tr: Transaction, { from, to }: Target, address: string, typed: string): Transaction {
  const { link } = tr.doc.type.schema.marks;
  if (!link) return tr;
  if (from === to) tr.insertText(typed, from);
  tr.addMark(from, from === to ? from + typed.length : to, link.create({ value: address }));
  return tr.removeStoredMark(link);
}

class LinkPopover {
  readonly #editing: Editing;
  readonly #view: EditorView;
  readonly #shown: HTMLElement;
  readonly #address: HTMLElement;
  readonly #openShown: HTMLButtonElement;
  /** The buttons that change the text. */
  readonly #changes: readonly HTMLButtonElement[];
  readonly #form: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #error: HTMLElement;
  readonly #abort = new AbortController();

  constructor(editing: Editing, view: EditorView) {
    [this.#editing, this.#view] = [editing, view];
    const { texts } = editing;
    this.#address = element('span', { class: 'editor-link-address', dir: 'ltr' });
    this.#openShown = button(texts.linkOpen, () => this.#open());
    this.#changes = [
      button(texts.linkEdit, () => editLink(view.state, view.dispatch)),
      button(texts.linkRemove, () => this.#remove()),
    ];
    this.#shown = element(
      'div',
      { class: 'editor-popover', role: 'group', 'aria-label': texts.link },
      this.#address,
      this.#openShown,
      ...this.#changes,
    );
    const error = uniqueId('link-error');
    this.#error = element('p', { class: 'editor-popover-error', id: error, role: 'alert' });
    this.#input = element('input', { type: 'text', inputmode: 'url', dir: 'ltr', maxlength: String(ADDRESS_MAX) });
    for (const [name, value] of [['aria-label', texts.linkAddress], ['placeholder', texts.linkAddress], ['aria-describedby', error]]) {
      if (name !== undefined && value !== undefined) this.#input.setAttribute(name, value);
    }
    this.#input.autocomplete = 'off';
    this.#input.spellcheck = false;
    const row = element('div', { class: 'editor-popover-row' }, this.#input, element('button', { type: 'submit' }, texts.linkApply));
    const form = element('form', {}, row, this.#error);
    this.#form = element('div', { class: 'editor-popover', role: 'dialog', 'aria-label': texts.link }, form);
    form.noValidate = true;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#apply();
    });
    this.#form.addEventListener('keydown', (event) => this.#key(event));
    this.#form.addEventListener('focusout', (event) => {
      if (!(event.relatedTarget instanceof Node && this.#form.contains(event.relatedTarget))) this.#close(false);
    });
    this.#shown.hidden = true;
    this.#form.hidden = true;
    surfaceParent(view, editing.surfaces).append(this.#shown, this.#form);
    const { signal } = this.#abort;
    whenMoved(view, signal, () => this.update());
    for (const part of [view.dom, this.#shown]) {
      for (const event of ['focusin', 'focusout']) {
        // During the event nothing has focus yet.
        part.addEventListener(event, () => queueMicrotask(() => this.update()), { signal });
      }
    }
  }

  update(): void {
    if (this.#view.isDestroyed) return;
    const { state } = this.#view;
    const focus = this.#view.hasFocus() || this.#shown.contains(document.activeElement);
    const edited = key.getState(state) === true;
    const target = targetOf(state);
    const shown = !edited && state.selection.empty && target.address !== '' && focus;
    if (shown) {
      this.#address.textContent = target.address;
      this.#openShown.hidden = openable(target.address) === null;
      for (const change of this.#changes) change.hidden = !this.#view.editable;
    }
    if (show(this.#shown, shown) || shown) place(this.#shown, rectOf(this.#view, target.from, target.to), 'below');
    const changed = show(this.#form, edited);
    if (edited) place(this.#form, rectOf(this.#view, target.from, target.to), 'below');
    if (!edited || !changed) return;
    this.#fail('');
    this.#input.value = target.address;
    this.#input.focus();
    this.#input.select();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    this.#close(true);
  }

  #fail(words: string): void {
    this.#error.textContent = words;
    this.#input.setAttribute('aria-invalid', String(words !== ''));
  }

  #apply(): void {
    const typed = this.#input.value.trim();
    if (typed === '') return this.#remove();
    const address = webAddress(typed);
    if (address === null) return this.#fail(this.#editing.texts.linkInvalid);
    const { state } = this.#view;
    this.#editing.endStep?.();
    this.#view.dispatch(applyAddress(state.tr, targetOf(state), address, typed).setMeta(key, false));
    this.#view.focus();
  }

  #remove(): void {
    const { state } = this.#view;
    const { from, to } = targetOf(state);
    const tr = state.tr.setMeta(key, false);
    if (from < to && state.schema.marks.link) tr.removeMark(from, to, state.schema.marks.link);
    this.#view.dispatch(tr);
    this.#view.focus();
  }

  #open(): void {
    openLink(this.#editing, targetOf(this.#view.state).address);
  }

  #close(focus: boolean): void {
    if (!this.#view.isDestroyed && key.getState(this.#view.state)) {
      this.#view.dispatch(this.#view.state.tr.setMeta(key, false));
    }
    if (focus) this.#view.focus();
  }

  destroy(): void {
    this.#abort.abort();
    this.#shown.remove();
    this.#form.remove();
  }
}

/** The popover as a plugin. */
export function linkPopover(editing: Editing): Plugin {
  return new Plugin<boolean>({
    key,
    state: {
      init: () => false,
      apply(tr, open) {
        const meta: unknown = tr.getMeta(key);
        return typeof meta === 'boolean' ? meta : open;
      },
    },
    props: {
      /** The web view shows no selection in the text while the field has focus. */
      decorations(state) {
        if (key.getState(state) !== true) return null;
        const { from, to } = targetOf(state);
        return DecorationSet.create(state.doc, [Decoration.inline(from, to, { class: 'link-target' })]);
      },
    },
    view: (view) => new LinkPopover(editing, view),
  });
}
