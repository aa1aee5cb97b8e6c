/** Whole blocks as a selection: what Escape, the drag handle and blocks without a place for a caret give. */
import { Fragment, type Node, type ResolvedPos, Slice } from 'prosemirror-model';
import {
  type Command,
  Plugin,
  type SelectionBookmark,
  Selection,
  SelectionRange,
  TextSelection,
  type Transaction,
} from 'prosemirror-state';
import type { Mappable } from 'prosemirror-transform';
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view';
import { type BlockRange, blockAt, eachBlock, positionOf, selectedBlocks, withChildren } from './blocks';

/**
 * A selection of neighbouring whole blocks, from one block boundary to another.
 *
 * What is copied or deleted are these blocks and their children.
 */
export class BlockSelection extends Selection {
  /** @param $anchor The boundary that stays when the selection is extended. @param $head The other one. */
  constructor($anchor: ResolvedPos, $head: ResolvedPos) {
    super($anchor, $head, [new SelectionRange($anchor.min($head), $anchor.max($head))]);
  }

  /** Selects the blocks of a range. `backward`: extending moves its start. */
  static blocks(doc: Node, { start, end }: BlockRange, backward = false): BlockSelection {
    const from = doc.resolve(positionOf(doc, start));
    const to = doc.resolve(positionOf(doc, end));
    return backward ? new BlockSelection(to, from) : new BlockSelection(from, to);
  }

  override map(doc: Node, mapping: Mappable): Selection {
    // What is inserted at an edge stays outside.
    const inward = this.anchor <= this.head ? 1 : -1;
    return BlockSelection.between(doc, mapping.map(this.anchor, inward), mapping.map(this.head, -inward));
  }

  /** The selection between two positions if both lie between blocks and anything lies between them, else a caret. */
  private static between(doc: Node, anchor: number, head: number): Selection {
    const [$anchor, $head] = [doc.resolve(anchor), doc.resolve(head)];
    if ($anchor.depth === 0 && $head.depth === 0 && anchor !== head) return new BlockSelection($anchor, $head);
    return Selection.near($head);
  }

  override eq(other: Selection): boolean {
    return other instanceof BlockSelection && other.anchor === this.anchor && other.head === this.head;
  }

  /** The selected blocks and their children. */
  get family(): BlockRange {
    return withChildren(this.$from.doc, selectedBlocks(this));
  }

  override content(): Slice {
    const { doc } = this.$from;
    return doc.slice(positionOf(doc, this.family.start), positionOf(doc, this.family.end));
  }

  /** Whole blocks go with their text; what is put in their place comes as blocks, and a document is never empty. */
  override replace(tr: Transaction, content: Slice = Slice.empty): void {
    const [from, to] = [positionOf(tr.doc, this.family.start), positionOf(tr.doc, this.family.end)];
    const blocks = content.content.firstChild?.isInline === true ? Fragment.empty : content.content;
    if (blocks.size > 0) tr.replaceWith(from, to, blocks);
    else if (to - from === tr.doc.content.size) tr.replaceWith(from, to, tr.doc.type.schema.node('paragraph'));
    else tr.delete(from, to);
    const end = tr.doc.resolve(Math.min(from + blocks.size, tr.doc.content.size));
    tr.setSelection(Selection.near(end, blocks.size > 0 ? -1 : 1));
  }

  override toJSON(): { type: string; anchor: number; head: number } {
    return { type: 'blocks', anchor: this.anchor, head: this.head };
  }

  static override fromJSON(doc: Node, json: { anchor?: unknown; head?: unknown }): Selection {
    if (typeof json.anchor !== 'number' || typeof json.head !== 'number') {
      throw new RangeError('A block selection has an anchor and a head');
    }
    return BlockSelection.between(doc, json.anchor, json.head);
  }

  override getBookmark(): SelectionBookmark {
    return new BlockBookmark(this.anchor, this.head);
  }
}

BlockSelection.prototype.visible = false;
Selection.jsonID('blocks', BlockSelection);

class BlockBookmark implements SelectionBookmark {
  readonly #anchor: number;
  readonly #head: number;

  constructor(anchor: number, head: number) {
    this.#anchor = anchor;
    this.#head = head;
  }

  map(mapping: Mappable): SelectionBookmark {
    return new BlockBookmark(mapping.map(this.#anchor), mapping.map(this.#head));
  }

  resolve(doc: Node): Selection {
    return BlockSelection.fromJSON(doc, { anchor: this.#anchor, head: this.#head });
  }
}

/** From a text selection to the blocks that it touches. With blocks selected: nothing, the next listener has its turn. */
export const selectBlock: Command = (state, dispatch) => {
  if (state.selection instanceof BlockSelection) return false;
  dispatch?.(state.tr.setSelection(BlockSelection.blocks(state.doc, selectedBlocks(state.selection))).scrollIntoView());
  return true;
};

/** From selected blocks to a caret at the end of the last one that has a place for it. */
export const editSelectedBlock: Command = (state, dispatch) => {
  if (!(state.selection instanceof BlockSelection)) return false;
  const { end } = selectedBlocks(state.selection);
  const block = state.doc.child(end - 1);
  if (isAtom(block)) return false;
  dispatch?.(state.tr.setSelection(TextSelection.create(state.doc, positionOf(state.doc, end) - 1)).scrollIntoView());
  return true;
};

/** From selected blocks out of the editor, so that Tab goes on to what comes after it. */
export const leaveBlocks: Command = (state, _dispatch, view) => {
  if (!(state.selection instanceof BlockSelection)) return false;
  view?.dom.blur();
  return true;
};

/** A block whose text is empty and which shows no place for one. */
export const isAtom = (block: Node): boolean =>
  (block.type.name === 'divider' && block.content.size === 0) || block.type.name === 'unknown';

/** Moves a block selection by one block, or with `extend` its moving end. */
export function moveBlockSelection(step: -1 | 1, extend: boolean): Command {
  return (state, dispatch) => {
    const { selection, doc } = state;
    if (!(selection instanceof BlockSelection)) return false;
    const range = selectedBlocks(selection);
    if (!extend) {
      const next = step < 0 ? range.start - 1 : range.end;
      const start = Math.min(Math.max(next, 0), doc.childCount - 1);
      // A caret that came upon a block without text goes on its way behind it.
      const passing = range.end - range.start === 1 && isAtom(doc.child(range.start)) && !isAtom(doc.child(start));
      const target = passing
        ? Selection.near(doc.resolve(positionOf(doc, start) + (step < 0 ? doc.child(start).nodeSize - 1 : 1)), step)
        : BlockSelection.blocks(doc, { start, end: start + 1 });
      dispatch?.(state.tr.setSelection(target).scrollIntoView());
      return true;
    }
    const backward = selection.head < selection.anchor;
    const single = range.end - range.start === 1;
    // A single block has no direction yet: it is extended the way that was asked for.
    const moved =
      (backward && !(single && step > 0)) || (single && step < 0)
        ? { range: { start: Math.max(0, range.start + step), end: range.end }, backward: true }
        : { range: { start: range.start, end: Math.min(doc.childCount, range.end + step) }, backward: false };
    dispatch?.(state.tr.setSelection(BlockSelection.blocks(doc, moved.range, moved.backward)).scrollIntoView());
    return true;
  };
}

/** Shows selected blocks, keeps typing from replacing them, and keeps carets out of blocks without text. */
export function blockSelection(): Plugin {
  return new Plugin({
    props: {
      decorations: ({ selection, doc }) => {
        if (!(selection instanceof BlockSelection)) return null;
        const shown: Decoration[] = [];
        eachBlock(doc, selection.family, ({ node, pos }) => {
          shown.push(Decoration.node(pos, pos + node.nodeSize, { class: 'selected' }));
        });
        return DecorationSet.create(doc, shown);
      },
      handleDOMEvents: {
        compositionstart(view) {
          // What an input method writes cannot be refused, so it gets a place that is no selected text.
          editSelectedBlock(view.state, view.dispatch);
          return false;
        },
      },
      handleTextInput: (view) => view.state.selection instanceof BlockSelection,
      handleClickOn: (view, _pos, node, nodePos, _event, direct) => direct && isAtom(node) && clickAtom(view, nodePos),
    },
    appendTransaction: (_transactions, _before, state) => {
      const { selection } = state;
      const inside = selection instanceof TextSelection && selection.$from.sameParent(selection.$to);
      const block = inside ? blockAt(selection.$from) : null;
      if (!block || !isAtom(block.node)) return null;
      return state.tr.setSelection(BlockSelection.blocks(state.doc, { start: block.index, end: block.index + 1 }));
    },
  });
}

function clickAtom(view: EditorView, pos: number): boolean {
  const start = view.state.doc.resolve(pos).index(0);
  view.dispatch(view.state.tr.setSelection(BlockSelection.blocks(view.state.doc, { start, end: start + 1 })));
  view.focus();
  return true;
}
