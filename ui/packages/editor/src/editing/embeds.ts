/** Inline embeds: a page, a person, anything that the app puts into a text as one sign. */
import type { Node } from 'prosemirror-model';
import { type Command, NodeSelection, TextSelection } from 'prosemirror-state';
import type { EditorView, NodeView } from 'prosemirror-view';
import { embedText, type Json } from '../schema';
import type { Editing } from './options';
import { element } from './surface';

/** Puts an embed at the caret, in place of what is selected. Plain readers see its member `text`. */
export function insertEmbed(view: EditorView, data: Json): void {
  const { embed } = view.state.schema.nodes;
  if (!embed) return;
  const { tr } = view.state;
  tr.replaceSelectionWith(embed.create({ data }), true);
  view.dispatch(tr.scrollIntoView());
}

/** What an embed holds. */
const dataOf = (node: Node): Json => node.attrs.data as Json;

/** An embed as a link, if the app opens embeds, else as text. */
export class EmbedView implements NodeView {
  readonly dom: HTMLElement;

  constructor(node: Node, { embedText: words, openEmbed }: Editing) {
    const data = dataOf(node);
    this.dom = element('span', { class: 'embed', 'data-embed': JSON.stringify(data) }, words?.(data) ?? embedText(data));
    if (openEmbed) this.dom.setAttribute('role', 'link');
  }
}

/** A click opens an embed. */
export function clickEmbed({ openEmbed }: Editing) {
  return (_view: EditorView, _pos: number, node: Node, _nodePos: number, event: MouseEvent): boolean => {
    if (!openEmbed || node.type.name !== 'embed' || event.button !== 0) return false;
    openEmbed(dataOf(node));
    return true;
  };
}

/** Enter opens a selected embed; without a way to open it, the caret goes behind it. */
export function enterEmbed({ openEmbed }: Editing): Command {
  return ({ selection, doc, tr }, dispatch) => {
    if (!(selection instanceof NodeSelection) || selection.node.type.name !== 'embed') return false;
    if (dispatch && openEmbed) openEmbed(dataOf(selection.node));
    else dispatch?.(tr.setSelection(TextSelection.create(doc, selection.to)));
    return true;
  };
}
