/** Commands on what blocks are and how text looks. */
import { toggleMark } from 'prosemirror-commands';
import type { Attrs, Mark, MarkType, Node } from 'prosemirror-model';
import { AllSelection, type Command, type EditorState, TextSelection } from 'prosemirror-state';
import {
  blockAt,
  eachBlock,
  isOpaque,
  isSourceBlock,
  listKind,

  selectedBlocks,
  setBlock,
} from './blocks';

/** A block type by its name in the format, with the attributes that tell it from others of its type. */
export interface BlockKind {
  readonly type: string;
  readonly attrs?: Attrs;
}

/** Whether a block is of a kind. */
export function isKind(node: Node, { type, attrs = {} }: BlockKind): boolean {
  if (node.type.name !== type) return false;
  return Object.entries(attrs).every(([name, value]) =>
    name === 'kind' ? listKind(node) === value : (node.attrs[name] ?? null) === value,
  );
}

/** Turns the selected blocks into blocks of a kind; blocks of unknown types stay as they are. */
export function setBlockKind(kind: BlockKind): Command {
  return (state, dispatch) => {
    const type = state.schema.nodes[kind.type];
    if (!type) return false;
    const { tr } = state;
    let found = false;
    eachBlock(state.doc, selectedBlocks(state.selection), ({ node, pos }) => {
      if (isOpaque(node)) return;
      found = true;
      if (!isKind(node, kind)) setBlock(tr, tr.mapping.map(pos), type, { ...keptAttrs(node, kind), ...kind.attrs });
    });
    if (!found) return false;
    if (tr.docChanged) dispatch?.(tr.scrollIntoView());
    return true;
  };
}

/** A task that becomes a bullet and a task again is still done. */
function keptAttrs(node: Node, { type }: BlockKind): Attrs {
  return type === 'list_item' && node.type.name === 'list_item' ? { checked: node.attrs.checked ?? null } : {};
}

/** Turns the selected blocks into list items of a kind, or back into paragraphs if all of them are. */
export function toggleList(kind: 'bullet' | 'ordered' | 'task'): Command {
  return (state, dispatch, view) => {
    const wanted: BlockKind = { type: 'list_item', attrs: { kind } };
    let all = true;
    eachBlock(state.doc, selectedBlocks(state.selection), ({ node }) => {
      all &&= isKind(node, wanted);
    });
    return setBlockKind(all ? { type: 'paragraph' } : wanted)(state, dispatch, view);
  };
}

/** Ticks the selected tasks, or unticks them if all of them are done. */
export const toggleTasks: Command = (state, dispatch) => {
  const tasks: { pos: number; checked: boolean }[] = [];
  eachBlock(state.doc, selectedBlocks(state.selection), ({ node, pos }) => {
    if (listKind(node) === 'task') tasks.push({ pos, checked: node.attrs.checked === true });
  });
  if (tasks.length === 0) return false;
  if (dispatch) {
    const checked = tasks.every((task) => task.checked) ? null : true;
    const { tr } = state;
    for (const task of tasks) tr.setNodeAttribute(task.pos, 'checked', checked);
    dispatch(tr);
  }
  return true;
};

/** Marks that a key or a button puts on and off. */
export type Toggle = 'bold' | 'italic' | 'underline' | 'strike' | 'highlight' | 'code';

/** Puts a mark on the selected text or takes it off; in source it does nothing, but takes the key. */
export function toggle(name: Toggle): Command {
  return (state, dispatch, view) => {
    const type = state.schema.marks[name];
    if (!type) return false;
    const { $from, $to } = state.selection;
    if ($from.sameParent($to) && $from.depth > 0 && isSourceBlock($from.parent)) return true;
    return toggleMark(type, null, { removeWhenPresent: false, includeWhitespace: false })(state, dispatch, view);
  };
}

/** Whether all selected text carries a mark, or text typed at the caret would. */
export function isActive(state: EditorState, type: MarkType): boolean {
  const { from, to, $from, empty } = state.selection;
  if (empty) return type.isInSet(state.storedMarks ?? $from.marks()) !== undefined;
  let [some, all] = [false, true];
  state.doc.nodesBetween(from, to, (node) => {
    if (!node.isInline) return true;
    some = true;
    all &&= type.isInSet(node.marks) !== undefined;
    return false;
  });
  return some && all;
}

/** A stretch of text with one mark. */
export interface MarkedRange {
  readonly mark: Mark;
  readonly from: number;
  readonly to: number;
}

/** The link around a position, with everything beside it that leads to the same address. */
export function linkAround(state: EditorState, pos: number): MarkedRange | null {
  const type = state.schema.marks.link;
  const $pos = state.doc.resolve(pos);
  if (!type || $pos.depth === 0) return null;
  const { parent } = $pos;
  const find = (node: Node | null): Mark | undefined => node?.marks.find((mark) => mark.type === type);
  const after = parent.childAfter($pos.parentOffset);
  const before = parent.childBefore($pos.parentOffset);
  const [start, mark] = find(after.node) ? [after, find(after.node)] : [before, find(before.node)];
  if (!mark) return null;
  let [first, last] = [start.index, start.index];
  while (first > 0 && mark.isInSet(parent.child(first - 1).marks)) first -= 1;
  while (last + 1 < parent.childCount && mark.isInSet(parent.child(last + 1).marks)) last += 1;
  let from = $pos.start();
  for (let index = 0; index < first; index += 1) from += parent.child(index).nodeSize;
  let to = from;
  for (let index = first; index <= last; index += 1) to += parent.child(index).nodeSize;
  return { mark, from, to };
}

/** Selects the text of the block, then everything. */
export const selectAll: Command = (state, dispatch) => {
  const block = blockAt(state.selection.$from);
  const { from, to } = state.selection;
  const inside = block && to <= block.pos + block.node.nodeSize && state.selection instanceof TextSelection;
  if (block && inside && block.node.content.size > 0) {
    const [start, end] = [block.pos + 1, block.pos + 1 + block.node.content.size];
    if (from > start || to < end) {
      dispatch?.(state.tr.setSelection(TextSelection.create(state.doc, start, end)));
      return true;
    }
  }
  dispatch?.(state.tr.setSelection(new AllSelection(state.doc)));
  return true;
};

