/** A copy as HTML that other programs understand: lists are lists. What only this editor knows is in `data-` attributes. */
import { DOMSerializer, type Fragment, type Node as PageNode, type Schema } from 'prosemirror-model';
import { indentOf, listKind, textAttr } from '../blocks';
import { element } from '../surface';
import { dataOf } from './block-data';

/** A list that is being written. */
interface OpenList {
  readonly indent: number;
  readonly kind: string;
  readonly list: HTMLElement;
}

export class ClipboardSerializer extends DOMSerializer {
  constructor(schema: Schema) {
    super(DOMSerializer.nodesFromSchema(schema), DOMSerializer.marksFromSchema(schema));
  }

  override serializeFragment(
    fragment: Fragment,
    options: { document?: Document } = {},
    target: HTMLElement | DocumentFragment = document.createDocumentFragment(),
  ): HTMLElement | DocumentFragment {
    if (fragment.firstChild?.isInline !== false) return super.serializeFragment(fragment, options, target);
    const lists: OpenList[] = [];
    fragment.forEach((block) => {
      const kind = listKind(block);
      const indent = indentOf(block);
      for (let open = lists.at(-1); open && goesOut(open, indent, kind); open = lists.at(-1)) lists.pop();
      const item: Element | null | undefined = lists.at(-1)?.list.lastElementChild;
      if (kind === '') (item ?? target).append(this.#block(block));
      else this.#list(lists, block, item ?? target).append(this.#block(block));
    });
    return target;
  }

  /** The list that an item belongs to, begun if need be. */
  #list(lists: OpenList[], block: PageNode, parent: Element | DocumentFragment): HTMLElement {
    const [indent, kind] = [indentOf(block), listKind(block)];
    const open = lists.at(-1);
    if (open && open.indent === indent) return open.list;
    const list = element(kind === 'ordered' ? 'ol' : 'ul');
    const start: unknown = block.attrs.start;
    if (kind === 'ordered' && typeof start === 'number') list.setAttribute('start', String(start));
    parent.append(list);
    lists.push({ indent, kind, list });
    return list;
  }

  /** A block without what is nested in it. */
  #block(block: PageNode): HTMLElement {
    const made = this.#element(block);
    made.setAttribute('data-block', block.type.name);
    const data = dataOf(block);
    if (data !== '') made.setAttribute('data-attrs', data);
    return made;
  }

  #element(block: PageNode): HTMLElement {
    const text = super.serializeFragment(block.content);
    switch (block.type.name) {
      case 'heading':
        return element(headingTag(block), {}, text);
      case 'list_item': {
        if (listKind(block) !== 'task') return element('li', {}, text);
        const box = element('input', { type: 'checkbox', disabled: '', ...(block.attrs.checked === true ? { checked: '' } : {}) });
        return element('li', {}, box, text);
      }
      case 'quote':
      case 'callout':
        return element('blockquote', {}, text);
      case 'code_block':
      case 'raw': {
        const lang = textAttr(block, 'lang');
        return element('pre', {}, element('code', lang === '' ? {} : { class: `language-${lang}` }, text));
      }
      case 'divider':
        return block.content.size === 0 ? element('hr') : element('p', {}, text);
      case 'image':
        return element('figure', {}, element('img', { src: textAttr(block, 'src'), alt: block.textContent }), element('figcaption', {}, text));
      default:
        return element('p', {}, text);
    }
  }
}

function headingTag(block: PageNode): 'h1' | 'h2' | 'h3' | 'h4' | 'h5' | 'h6' {
  const tags = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'] as const;
  const level: unknown = block.attrs.level;
  return tags[(typeof level === 'number' ? level : 1) - 1] ?? 'h1';
}

/** Whether a block is no more part of an open list: it is less deep, or another thing at the same depth. */
function goesOut(open: OpenList, indent: number, kind: string): boolean {
  return indent < open.indent || (indent === open.indent && kind !== open.kind);
}
