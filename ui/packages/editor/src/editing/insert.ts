/** New blocks beside the caret's. */
import { Fragment } from 'prosemirror-model';
import type { EditorView } from 'prosemirror-view';
import { blockAt, placeAttrs, positionOf, selectedBlocks } from './blocks';
import type { BlockKind } from './format';
import { insertParagraph } from './structure';

/**
 * Puts a block above the caret's if that is an empty paragraph, else below it and a paragraph behind. The caret ends below
 * the new block. `text` is the block's text: of an image, its caption.
 */
export function insertBlock(view: EditorView, { type, attrs }: BlockKind, text = ''): void {
  const { tr, schema, selection } = view.state;
  const nodeType = schema.nodes[type];
  if (!nodeType) return;
  const last = Math.max(0, selectedBlocks(selection).end - 1);
  const { node, pos } = blockAt(selection.$from) ?? { node: tr.doc.child(last), pos: positionOf(tr.doc, last) };
  const block = nodeType.create({ ...placeAttrs(node), ...attrs }, text === '' ? Fragment.empty : schema.text(text));
  if (node.type.name === 'paragraph' && node.content.size === 0) tr.insert(pos, block);
  else {
    const end = pos + node.nodeSize;
    insertParagraph(tr, end, placeAttrs(node)).insert(end, block);
  }
  view.dispatch(tr.scrollIntoView());
}
