/**
 * Blocks with parts that are no text: ticks, numbers, labels, pictures.
 *
 * Each view keeps the element that the schema describes and puts its parts beside the text. Parts are not editable.
 */
import type { Node } from 'prosemirror-model';
import type { EditorView, NodeView, NodeViewConstructor, ViewMutationRecord } from 'prosemirror-view';
import { listKind, textAttr } from './blocks';
import { EmbedView } from './embeds';
import { hostOf, localImage } from './images';
import type { Editing } from './options';
import { fill } from './texts';
import { element, uniqueId } from './surface';

/** The attributes that the schema gives the block's element. */
function schemaAttributes(node: Node): ReadonlyMap<string, string> {
  const spec: unknown = node.type.spec.toDOM?.(node);
  const attributes: unknown = Array.isArray(spec) ? spec[1] : null;
  const pairs = typeof attributes === 'object' && attributes !== null ? Object.entries(attributes) : [];
  return new Map(pairs.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])));
}

/** A block's element, its parts and the element that holds its text. */
abstract class BlockView implements NodeView {
  readonly dom: HTMLElement;
  readonly contentDOM: HTMLElement;
  protected node: Node;

  constructor(node: Node, tag: string, contentTag: string) {
    this.node = node;
    this.dom = document.createElement(tag);
    this.contentDOM = document.createElement(contentTag);
    for (const [name, value] of schemaAttributes(node)) this.dom.setAttribute(name, value);
  }

  /** Brings the parts in line with `this.node`. */
  protected abstract refresh(): void;

  update(node: Node): boolean {
    if (node.type !== this.node.type || !this.canShow(node)) return false;
    if (!node.sameMarkup(this.node)) {
      const [before, after] = [schemaAttributes(this.node), schemaAttributes(node)];
      // The class also holds what decorations put there: it never changes within a type.
      for (const name of before.keys()) if (!after.has(name) && name !== 'class') this.dom.removeAttribute(name);
      for (const [name, value] of after) if (name !== 'class') this.dom.setAttribute(name, value);
    }
    this.node = node;
    this.refresh();
    return true;
  }

  /** Whether the same elements can show another node of this type. */
  protected canShow(_node: Node): boolean {
    return true;
  }

  ignoreMutation(mutation: ViewMutationRecord): boolean {
    return mutation.type !== 'selection' && !this.contentDOM.contains(mutation.target);
  }

  stopEvent(event: Event): boolean {
    const { target } = event;
    return target instanceof Element && target.closest('button, input, select') !== null && this.dom.contains(target);
  }
}

type Place = () => number | undefined;

/** A list item: its bullet or number is drawn by the style sheet, its tick is a check box. */
class ListItemView extends BlockView {
  readonly #tick: HTMLButtonElement | null = null;

  constructor(node: Node, view: EditorView, place: Place, { texts }: Editing) {
    super(node, 'div', 'div');
    this.contentDOM.className = 'text';
    if (listKind(node) === 'task') {
      this.#tick = element('button', { type: 'button', role: 'checkbox', class: 'tick', contenteditable: 'false' });
      this.#tick.setAttribute('aria-label', texts.taskDone);
      this.#tick.addEventListener('mousedown', (event) => event.preventDefault());
      this.#tick.addEventListener('click', () => {
        const pos = place();
        if (pos === undefined || !view.editable) return;
        view.dispatch(view.state.tr.setNodeAttribute(pos, 'checked', this.node.attrs.checked === true ? null : true));
      });
      this.dom.append(this.#tick);
    }
    this.dom.append(this.contentDOM);
    this.refresh();
  }

  protected override canShow(node: Node): boolean {
    return (listKind(node) === 'task') === (this.#tick !== null);
  }

  protected override refresh(): void {
    this.#tick?.setAttribute('aria-checked', String(this.node.attrs.checked === true));
  }
}

/** Code with its language, which can be changed in place. */
class CodeView extends BlockView {
  readonly #language: HTMLInputElement;
  readonly #editing: Editing;

  constructor(node: Node, view: EditorView, place: Place, editing: Editing) {
    super(node, 'div', 'code');
    this.#editing = editing;
    const input = element('input', { type: 'text', class: 'language', maxlength: '60', autocapitalize: 'off' });
    input.setAttribute('aria-label', editing.texts.codeLanguage);
    input.spellcheck = false;
    input.autocomplete = 'off';
    this.#language = input;
    input.addEventListener('focus', () => {
      input.readOnly = !view.editable;
    });
    input.addEventListener('change', () => {
      const pos = place();
      const language = input.value.trim();
      if (pos === undefined || !view.editable || language === textAttr(this.node, 'lang')) return;
      view.dispatch(view.state.tr.setNodeAttribute(pos, 'lang', language === '' ? null : language));
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') input.value = textAttr(this.node, 'lang');
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();
      view.focus();
    });
    const bar = element('div', { class: 'block-bar', contenteditable: 'false' }, input);
    const text = element('pre', { dir: 'ltr', spellcheck: 'false' }, this.contentDOM);
    this.dom.append(bar, text);
    this.refresh();
  }

  protected override refresh(): void {
    this.#language.placeholder = this.#editing.texts.plainText;
    if (document.activeElement !== this.#language) this.#language.value = textAttr(this.node, 'lang');
  }
}

/** Source of a form that this version keeps but does not model. */
class RawView extends BlockView {
  readonly #label: HTMLElement;
  readonly #editing: Editing;

  constructor(node: Node, editing: Editing) {
    super(node, 'div', 'code');
    this.#editing = editing;
    this.#label = element('div', { class: 'block-bar', contenteditable: 'false' });
    this.dom.append(this.#label, element('pre', { dir: 'ltr', spellcheck: 'false' }, this.contentDOM));
    this.refresh();
  }

  protected override refresh(): void {
    this.#label.textContent = textAttr(this.node, 'lang') || this.#editing.texts.source;
  }
}

/** A rule; text that a merge put into it is shown and can be edited. */
class DividerView extends BlockView {
  constructor(node: Node) {
    super(node, 'div', 'div');
    this.contentDOM.className = 'text';
    this.dom.append(element('div', { class: 'rule', role: 'separator', contenteditable: 'false' }), this.contentDOM);
    this.refresh();
  }

  protected override refresh(): void {
    this.contentDOM.hidden = this.node.content.size === 0;
  }
}

/** A picture and its caption, or words about a picture that is not loaded. */
class ImageView extends BlockView {
  readonly #frame: HTMLElement;
  readonly #editing: Editing;
  #shown = '';

  constructor(node: Node, editing: Editing) {
    super(node, 'figure', 'figcaption');
    this.#editing = editing;
    this.#frame = element('div', { class: 'frame', contenteditable: 'false' });
    this.contentDOM.setAttribute('data-placeholder', editing.texts.caption);
    this.dom.append(this.#frame, this.contentDOM);
    this.refresh();
  }

  protected override refresh(): void {
    this.contentDOM.classList.toggle('placeholder', this.node.content.size === 0);
    const src = textAttr(this.node, 'src');
    const title = textAttr(this.node, 'title');
    const alt = this.node.textContent;
    const url = src === '' ? null : (this.#editing.imageUrl ?? localImage)(src);
    const w: unknown = this.node.attrs.w;
    const key = JSON.stringify([url ?? src, title, alt, w]);
    if (key === this.#shown) return;
    this.#shown = key;
    this.#frame.replaceChildren(url === null ? this.#words(src) : this.#picture(url, alt, title));
    const sized = typeof w === 'number' && w > 0;
    this.#frame.classList.toggle('sized', sized);
    if (sized) this.#frame.style.setProperty('inline-size', `min(100%, ${Math.floor(w)}px)`);
    else this.#frame.style.removeProperty('inline-size');
  }

  #picture(url: string, alt: string, title: string): HTMLElement {
    const img = element('img', { alt, draggable: 'false', ...(title === '' ? {} : { title }) });
    img.addEventListener('error', () => img.replaceWith(this.#words('')));
    img.src = url;
    return img;
  }

  #words(src: string): HTMLElement {
    const { texts } = this.#editing;
    const host = hostOf(src);
    const words = host === null ? texts.imageMissing : fill(texts.imageRemote, { host });
    return element('div', { class: 'image-absent', role: 'img', 'aria-label': words }, words);
  }
}

/** A block of a newer version or another app: its text can be read, and nothing in it can be changed. */
class UnknownView extends BlockView {
  constructor(node: Node, { texts }: Editing) {
    super(node, 'div', 'div');
    const id = uniqueId('unknown');
    this.contentDOM.className = 'text';
    this.dom.setAttribute('contenteditable', 'false');
    this.dom.setAttribute('role', 'group');
    this.dom.setAttribute('aria-labelledby', id);
    const label = fill(texts.unknownBlock, { type: textAttr(node, 'type') });
    this.dom.append(element('div', { class: 'block-bar', id }, label), this.contentDOM);
  }

  protected override canShow(node: Node): boolean {
    return node.attrs.type === this.node.attrs.type;
  }

  protected override refresh(): void {
    // The text is drawn by the editor, and the label says only the type.
  }
}

/** The views by type. */
export function nodeViews(editing: Editing): Record<string, NodeViewConstructor> {
  return {
    list_item: (node, view, place) => new ListItemView(node, view, place, editing),
    code_block: (node, view, place) => new CodeView(node, view, place, editing),
    raw: (node) => new RawView(node, editing),
    divider: (node) => new DividerView(node),
    image: (node) => new ImageView(node, editing),
    embed: (node) => new EmbedView(node, editing),
    unknown: (node) => new UnknownView(node, editing),
  };
}
