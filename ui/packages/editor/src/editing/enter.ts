/** What Enter does. */
import type { Attrs, Node, NodeType } from 'prosemirror-model';
import { type Command, type EditorState, Selection, TextSelection, type Transaction } from 'prosemirror-state';
import {
  blockAt,
  caretBlock,
  indentOf,
  isSourceBlock,
  listKind,
  placeAttrs,
  type PlacedBlock,
  positionOf,
  setBlock,
  setIndent,
  standsAlone,
  subtreeEnd,
} from './blocks';
import { editSelectedBlock } from './block-selection';
import { insertParagraph } from './structure';

/** A line break in source, else the break of the schema. */
export const insertLineBreak: Command = (state, dispatch) => {
  const { $from, $to } = state.selection;
  if ($from.depth === 0 || !$from.sameParent($to)) return false;
  if (dispatch) {
    const { tr, schema } = state;
    const lineBreak = schema.nodes.hard_break;
    if (isSourceBlock($from.parent) || !lineBreak) tr.insertText('\n');
    else tr.replaceSelectionWith(lineBreak.create(), true);
    dispatch(tr.scrollIntoView());
  }
  return true;
};

/** In source: leaves it for a new paragraph below. */
export const leaveSource: Command = (state, dispatch) => {
  const block = caretBlock(state.selection);
  if (!block || !isSourceBlock(block.node)) return false;
  dispatch?.(insertParagraph(state.tr, block.pos + block.node.nodeSize, placeAttrs(block.node)).scrollIntoView());
  return true;
};

/** Arrow down at the end of a page that ends in source: a paragraph to go on in. */
export const leaveSourceBelow: Command = (state, dispatch, view) => {
  const block = caretBlock(state.selection);
  if (!block || block.index < state.doc.childCount - 1 || !isSourceBlock(block.node)) return false;
  const rest = block.node.textBetween(state.selection.$from.parentOffset, block.node.content.size, undefined, '\uFFFC');
  return !rest.includes('\n') && leaveSource(state, dispatch, view);
};

/** Arrow up at the start of a page that starts with source: a paragraph above it. */
export const leaveSourceAbove: Command = (state, dispatch) => {
  const block = caretBlock(state.selection);
  if (!block || block.index > 0 || !isSourceBlock(block.node)) return false;
  if (block.node.textBetween(0, state.selection.$from.parentOffset, undefined, '\uFFFC').includes('\n')) return false;
  dispatch?.(insertParagraph(state.tr, 0, placeAttrs(block.node)).scrollIntoView());
  return true;
};

/** Enter: a new block, or out of a list, a quotation, a box of blocks. */
export const enter: Command = (state, dispatch, view) => {
  if (editSelectedBlock(state, dispatch, view)) return true;
  const { $from, $to, empty } = state.selection;
  if ($from.depth === 0) return enterBelow(state, dispatch);
  if (isSourceBlock($from.parent) && $from.sameParent($to)) return insertLineBreak(state, dispatch, view);
  const tr = state.tr;
  if (!empty) tr.deleteSelection();
  const block = blockAt(tr.selection.$from);
  if (!block) return false;
  if (block.node.content.size > 0 || !empty || !leave(tr, block)) split(tr, block);
  dispatch?.(tr.scrollIntoView());
  return true;
};

/** Enter with selected blocks that hold no caret. */
function enterBelow(state: EditorState, dispatch?: (tr: Transaction) => void): boolean {
  const { $from, $to } = state.selection;
  const last = $to.index(0) - 1;
  if ($from.depth > 0 || last < 0) return false;
  const attrs = placeAttrs(state.doc.child(last));
  dispatch?.(insertParagraph(state.tr, positionOf(state.doc, last + 1), attrs).scrollIntoView());
  return true;
}

/** One step out of what an empty block is in. False for an empty block at the top. */
function leave(tr: Transaction, { node, pos }: PlacedBlock): boolean {
  const { paragraph } = tr.doc.type.schema.nodes;
  const groups: unknown = node.attrs.in;
  if (indentOf(node) > 0) setIndent(tr, pos, indentOf(node) - 1);
  else if (['list_item', 'quote', 'callout'].includes(node.type.name) && paragraph) setBlock(tr, pos, paragraph);
  else if (node.type === paragraph && Array.isArray(groups) && groups.length > 0) {
    tr.setNodeAttribute(pos, 'in', groups.length > 1 ? groups.slice(0, -1) : null);
  } else return false;
  return true;
}

/** Divides the block at the caret, so that its id stays with its text. */
function split(tr: Transaction, { node, pos, index }: PlacedBlock): void {
  const { $from } = tr.selection;
  const atStart = $from.parentOffset === 0;
  const atEnd = $from.parentOffset === node.content.size;
  if (standsAlone(node) && (atEnd || node.content.size === 0)) {
    insertParagraph(tr, pos + node.nodeSize, placeAttrs(node));
    return;
  }
  if (atStart && !atEnd) {
    const { type, attrs } = before(node);
    tr.insert(pos, type.create(attrs));
    return;
  }
  const next = atEnd ? after(tr.doc, node, index) : { type: continued(node), attrs: continuedAttrs(node) };
  if (atEnd) {
    const end = pos + node.nodeSize;
    tr.insert(end, next.type.create(next.attrs));
    tr.setSelection(TextSelection.create(tr.doc, end + 1));
  } else {
    tr.split($from.pos, 1, [next]);
    tr.setSelection(Selection.near(tr.doc.resolve($from.pos + 2)));
  }
}

interface NewBlock {
  readonly type: NodeType;
  readonly attrs: Attrs;
}

function paragraphType(node: Node): NodeType {
  return node.type.schema.nodes.paragraph ?? node.type;
}

/** Lists and quotations go on; everything else is followed by a paragraph. */
const goesOn = (node: Node): boolean => ['list_item', 'quote', 'callout', 'paragraph'].includes(node.type.name);

/** The empty block above a text whose start the caret is at. */
function before(node: Node): NewBlock {
  return goesOn(node)
    ? { type: node.type, attrs: continuedAttrs(node) }
    : { type: paragraphType(node), attrs: placeAttrs(node) };
}

/** The empty block below a text. Below a list item with children it is the first of them: they keep their parent. */
function after(doc: Node, node: Node, index: number): NewBlock {
  const own: NewBlock = goesOn(node)
    ? { type: node.type, attrs: continuedAttrs(node) }
    : { type: paragraphType(node), attrs: placeAttrs(node) };
  if (subtreeEnd(doc, index) === index + 1) return own;
  const child = doc.child(index + 1);
  if (child.type.name === 'list_item') return { type: child.type, attrs: continuedAttrs(child) };
  return { type: paragraphType(node), attrs: placeAttrs(child) };
}

/** The type of the rest of a text that is divided in its middle. */
const continued = (node: Node): NodeType => (standsAlone(node) ? paragraphType(node) : node.type);

/** What a block's continuation takes over: what it is, but not what was done to it (a tick, a first number). */
function continuedAttrs(node: Node): Attrs {
  const attrs: Record<string, unknown> = { ...placeAttrs(node) };
  for (const name of ['kind', 'level', 'tone']) if (name in node.attrs && !standsAlone(node)) attrs[name] = node.attrs[name];
  const marker = bulletHint(node);
  if (marker !== null) attrs.rest = { md: { marker } };
  return attrs;
}

/** The sign that Markdown writes before the item, if it was imported with one: in a list with another sign, items part. */
function bulletHint(node: Node): string | null {
  const rest: unknown = node.attrs.rest;
  if (listKind(node) === '' || listKind(node) === 'ordered' || typeof rest !== 'object' || rest === null) return null;
  const md: unknown = 'md' in rest ? rest.md : null;
  if (typeof md !== 'object' || md === null || !('marker' in md)) return null;
  return typeof md.marker === 'string' ? md.marker : null;
}
