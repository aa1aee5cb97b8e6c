/** Commands on whole blocks: depth, order, copies. Children always go with their parent. */
import { Fragment, type Node } from 'prosemirror-model';
import { type Command, type EditorState, Selection, TextSelection, type Transaction } from 'prosemirror-state';
import {
  type BlockRange,
  DEEPEST_INDENT,
  deepestBelow,
  eachBlock,
  indentOf,
  isSourceBlock,
  positionOf,
  selectedBlocks,
  setIndent,
  subtreeEnd,
  withChildren,
} from './blocks';
import { BlockSelection } from './block-selection';

/** Nests the selected blocks under the block above them; a block goes at most one step deeper than that one. */
export const indentBlocks: Command = (state, dispatch) => {
  const range = selectedBlocks(state.selection);
  if (indentOf(state.doc.child(range.start)) >= deepestBelow(state.doc, range.start - 1)) return false;
  dispatch?.(shift(state.tr, withChildren(state.doc, range), 1).scrollIntoView());
  return true;
};

/** Takes the selected blocks one step out. */
export const outdentBlocks: Command = (state, dispatch) => {
  const range = selectedBlocks(state.selection);
  let deepest = 0;
  for (let index = range.start; index < range.end; index += 1) {
    deepest = Math.max(deepest, indentOf(state.doc.child(index)));
  }
  if (deepest === 0) return false;
  dispatch?.(shift(state.tr, withChildren(state.doc, range), -1).scrollIntoView());
  return true;
};

/** Changes the depth of all blocks in a range; no block leaves what can be shown. */
function shift(tr: Transaction, range: BlockRange, by: number): Transaction {
  eachBlock(tr.doc, range, ({ node, pos }) => {
    const indent = indentOf(node);
    const next = by > 0 ? Math.max(indent, Math.min(indent + by, DEEPEST_INDENT)) : Math.max(0, indent + by);
    if (next !== indent) setIndent(tr, pos, next);
  });
  return tr;
}

const TAB = '  ';

/** Tab in source: two spaces at the caret, or before each selected line. */
export const indentSource: Command = (state, dispatch) => {
  const lines = sourceLines(state);
  if (!lines) return false;
  const { empty, from } = state.selection;
  const { tr } = state;
  if (empty) tr.insertText(TAB, from);
  else for (const line of lines.toReversed()) tr.insertText(TAB, line);
  dispatch?.(tr.scrollIntoView());
  return true;
};

/** Shift+Tab in source: up to two spaces fewer before each selected line. */
export const outdentSource: Command = (state, dispatch) => {
  const lines = sourceLines(state);
  if (!lines) return false;
  const { $from } = state.selection;
  const { tr } = state;
  for (const line of lines.toReversed()) {
    const text = $from.parent.textBetween(line - $from.start(), $from.parent.content.size, undefined, '\uFFFC');
    const spaces = /^(?:\t| {1,2})/u.exec(text)?.[0].length ?? 0;
    if (spaces > 0) tr.delete(line, line + spaces);
  }
  dispatch?.(tr.scrollIntoView());
  return true;
};

/** The positions where the selected lines of one source block start, or null outside source. */
function sourceLines({ selection }: EditorState): number[] | null {
  const { $from, $to } = selection;
  if ($from.depth === 0 || !$from.sameParent($to) || !isSourceBlock($from.parent)) return null;
  const start = $from.start();
  const text = $from.parent.textBetween(0, $from.parent.content.size, undefined, '\uFFFC');
  const lines = [start + text.slice(0, $from.parentOffset).lastIndexOf('\n') + 1];
  for (let at = text.indexOf('\n', $from.parentOffset); at >= 0 && at < $to.parentOffset; at = text.indexOf('\n', at + 1)) {
    lines.push(start + at + 1);
  }
  return lines;
}

/** Swaps the selected blocks with the one above them, or the one below. */
export function moveBlocks(direction: 'up' | 'down'): Command {
  return (state, dispatch) => {
    const range = withChildren(state.doc, selectedBlocks(state.selection));
    const target = direction === 'up' ? placeAbove(state.doc, range) : placeBelow(state.doc, range);
    if (target === null) return false;
    if (dispatch) dispatch(moveRange(state.tr, range, target).scrollIntoView());
    return true;
  };
}

/** The index of the block above with its children, which the range changes places with. */
function placeAbove(doc: Node, { start }: BlockRange): number | null {
  if (start === 0) return null;
  const indent = indentOf(doc.child(start));
  let index = start - 1;
  while (index > 0 && indentOf(doc.child(index)) > indent) index -= 1;
  return index;
}

/** The index behind the block below: behind its children, or before them if it is shallower and becomes the parent. */
function placeBelow(doc: Node, { start, end }: BlockRange): number | null {
  if (end >= doc.childCount) return null;
  return indentOf(doc.child(end)) < indentOf(doc.child(start)) ? end + 1 : subtreeEnd(doc, end);
}

/**
 * Moves a range of blocks before the block with index `target`, which is outside the range; the selection goes along.
 *
 * A text cannot move, so one side is deleted and inserted again: the smaller one, for fewer edits and more of what
 * others write at the same time. `indent` is the new depth of the range's first block, if another one is wanted.
 */
export function moveRange(tr: Transaction, range: BlockRange, target: number, indent?: number): Transaction {
  const { doc } = tr;
  const upwards = target < range.start;
  const rest: BlockRange = upwards ? { start: target, end: range.start } : { start: range.end, end: target };
  const above = target === range.end ? range.start - 1 : target - 1;
  const wanted = Math.min(indent ?? indentOf(doc.child(range.start)), deepestBelow(doc, above));
  const by = wanted - indentOf(doc.child(range.start));
  if (by !== 0) shift(tr, range, by);
  if (rest.end <= rest.start) return tr;
  const [mine, theirs] = [span(doc, range), span(doc, rest)];
  if (theirs.to - theirs.from < mine.to - mine.from) {
    const moved = tr.doc.slice(theirs.from, theirs.to).content;
    tr.delete(theirs.from, theirs.to);
    tr.insert(upwards ? mine.to - (theirs.to - theirs.from) : mine.from, moved);
    return tr;
  }
  const { anchor, head } = tr.selection;
  const whole = tr.selection instanceof BlockSelection;
  const moved = tr.doc.slice(mine.from, mine.to).content;
  tr.delete(mine.from, mine.to);
  const to = upwards ? theirs.from : theirs.to - (mine.to - mine.from);
  tr.insert(to, moved);
  const way = to - mine.from;
  const [$anchor, $head] = [tr.doc.resolve(anchor + way), tr.doc.resolve(head + way)];
  return tr.setSelection(whole ? new BlockSelection($anchor, $head) : TextSelection.between($anchor, $head));
}

/** The positions around a range. */
function span(doc: Node, { start, end }: BlockRange): { from: number; to: number } {
  return { from: positionOf(doc, start), to: positionOf(doc, end) };
}

/** Puts a copy of the selected blocks below them and goes on in the copy. */
export const duplicateBlocks: Command = (state, dispatch) => {
  const range = withChildren(state.doc, selectedBlocks(state.selection));
  const { from, to } = span(state.doc, range);
  if (dispatch) {
    const { anchor, head } = state.selection;
    const tr = state.tr.insert(to, state.doc.slice(from, to).content);
    const [$anchor, $head] = [tr.doc.resolve(anchor + to - from), tr.doc.resolve(head + to - from)];
    const whole = state.selection instanceof BlockSelection;
    tr.setSelection(whole ? new BlockSelection($anchor, $head) : TextSelection.between($anchor, $head));
    dispatch(tr.scrollIntoView());
  }
  return true;
};

/** Deletes selected blocks (those of a block selection) as a whole. */
export const deleteBlocks: Command = (state, dispatch) => {
  if (!(state.selection instanceof BlockSelection)) return false;
  dispatch?.(state.tr.deleteSelection().scrollIntoView());
  return true;
};

/** Adds an empty paragraph at a position between blocks and puts the caret in it. */
export function insertParagraph(tr: Transaction, pos: number, attrs: { indent?: unknown; in?: unknown } = {}): Transaction {
  tr.insert(pos, Fragment.from(tr.doc.type.schema.node('paragraph', attrs)));
  return tr.setSelection(Selection.near(tr.doc.resolve(pos + 1)));
}
