/** What Backspace does at the start of a block, and Delete at its end. */
import { deleteSelection, selectNodeBackward } from 'prosemirror-commands';
import { type Command, Selection, TextSelection, type Transaction } from 'prosemirror-state';
import {
  caretBlock,
  indentOf,
  isOpaque,
  isSourceBlock,
  type PlacedBlock,
  positionOf,
  setBlock,
  standsAlone,
} from './blocks';
import { BlockSelection } from './block-selection';
import { deleteBlocks, outdentBlocks } from './structure';

const first = (...commands: readonly Command[]): Command => (state, dispatch, view) =>
  commands.some((command) => command(state, dispatch, view));

/** Undresses the block step by step (type, box, depth), then joins it to the one above. */
const eraseAtStart: Command = (state, dispatch, view) => {
  const block = caretBlock(state.selection);
  if (!block || state.selection.$from.parentOffset > 0) return false;
  const { node, index, pos } = block;
  const { paragraph } = state.schema.nodes;
  if (isOpaque(node)) return select(block)(state, dispatch, view);
  if (paragraph && becomesParagraph(block)) {
    const { tr } = state;
    setBlock(tr, pos, paragraph);
    dispatch?.(tr.scrollIntoView());
    return true;
  }
  const groups: unknown = node.attrs.in;
  if (node.type === paragraph && Array.isArray(groups) && groups.length > 0) {
    dispatch?.(state.tr.setNodeAttribute(pos, 'in', groups.length > 1 ? groups.slice(0, -1) : null).scrollIntoView());
    return true;
  }
  if (indentOf(node) > 0) return outdentBlocks(state, dispatch, view);
  if (index === 0) return true;
  const above = { node: state.doc.child(index - 1), index: index - 1, pos: positionOf(state.doc, index - 1) };
  return joinUp(block, above)(state, dispatch, view);
};

/** Source with text in it keeps its type: one key must not turn a program into prose. */
function becomesParagraph({ node }: PlacedBlock): boolean {
  if (node.type.name === 'paragraph') return false;
  return node.content.size === 0 || !(isSourceBlock(node) || standsAlone(node));
}

/** Joins a block to the one above; what has no place for text is selected, what is empty goes as a whole. */
function joinUp(block: PlacedBlock, above: PlacedBlock): Command {
  return (state, dispatch, view) => {
    if (standsAlone(above.node)) {
      if (block.node.content.size > 0 || state.doc.childCount < 2) return select(above)(state, dispatch, view);
      const tr = removeBlock(state.tr, block);
      dispatch?.(tr.setSelection(wholeBlock(tr, above.index)).scrollIntoView());
      return true;
    }
    if (isSourceBlock(block.node) !== isSourceBlock(above.node) && block.node.content.size > 0) {
      if (above.node.content.size === 0) dispatch?.(removeBlock(state.tr, above).scrollIntoView());
      else dispatch?.(state.tr.setSelection(TextSelection.create(state.doc, block.pos - 1)).scrollIntoView());
      return true;
    }
    const { tr } = state;
    // The id, the type and what others do to them stay with the text.
    if (above.node.content.size === 0 && block.node.content.size > 0 && above.node.type === block.node.type) {
      removeBlock(tr, above);
    } else if (block.node.content.size === 0) {
      removeBlock(tr, block).setSelection(TextSelection.create(tr.doc, block.pos - 1));
    } else tr.join(block.pos);
    dispatch?.(tr.scrollIntoView());
    return true;
  };
}

/** Joins the block below to the end of this one. */
const eraseAtEnd: Command = (state, dispatch, view) => {
  const block = caretBlock(state.selection);
  if (!block || state.selection.$from.parentOffset < block.node.content.size) return false;
  const index = block.index + 1;
  if (index >= state.doc.childCount) return true;
  const below = { node: state.doc.child(index), index, pos: block.pos + block.node.nodeSize };
  const { tr } = state;
  if (block.node.content.size === 0 && block.node.type.name === 'paragraph') {
    removeBlock(tr, block);
    tr.setSelection(standsAlone(below.node) ? wholeBlock(tr, block.index) : Selection.near(tr.doc.resolve(block.pos + 1)));
  } else if (standsAlone(below.node)) return select(below)(state, dispatch, view);
  else if (below.node.content.size === 0) removeBlock(tr, below);
  else if (isSourceBlock(block.node) !== isSourceBlock(below.node)) {
    tr.setSelection(TextSelection.create(tr.doc, below.pos + 1));
  } else tr.join(below.pos);
  dispatch?.(tr.scrollIntoView());
  return true;
};

function removeBlock(tr: Transaction, { node, pos }: PlacedBlock): Transaction {
  return tr.delete(pos, pos + node.nodeSize);
}

function wholeBlock(tr: Transaction, index: number): BlockSelection {
  return BlockSelection.blocks(tr.doc, { start: index, end: index + 1 });
}

function select({ index }: PlacedBlock): Command {
  return (state, dispatch) => {
    dispatch?.(state.tr.setSelection(wholeBlock(state.tr, index)).scrollIntoView());
    return true;
  };
}

export const backspace: Command = first(deleteBlocks, deleteSelection, eraseAtStart, selectNodeBackward);

export const deleteForward: Command = first(deleteBlocks, deleteSelection, eraseAtEnd);
