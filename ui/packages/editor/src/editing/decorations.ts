/** What a page shows that is not in the document: numbers of lists, the edges of boxes, the placeholder. */
import type { Node } from 'prosemirror-model';
import { type EditorState, Plugin } from 'prosemirror-state';
import { Decoration, DecorationSet } from 'prosemirror-view';
import { indentOf, listKind } from './blocks';

/** The numbers of ordered items by index of their block. */
export function listNumbers(doc: Node): ReadonlyMap<number, number> {
  const numbers = new Map<number, number>();
  /** The last number of the list that is open at each depth. */
  const open = new Map<number, number>();
  doc.forEach((block, _pos, index) => {
    const indent = indentOf(block);
    for (const depth of open.keys()) if (depth > indent) open.delete(depth);
    if (listKind(block) !== 'ordered') {
      open.delete(indent);
      return;
    }
    const start: unknown = block.attrs.start;
    const last = open.get(indent);
    const number = last === undefined ? (typeof start === 'number' ? Math.floor(start) : 1) : last + 1;
    open.set(indent, number);
    numbers.set(index, number);
  });
  return numbers;
}

/** The box ids of a block, outermost first. */
function boxesOf(block: Node | null): readonly unknown[] {
  const boxes: unknown = block?.attrs.in;
  return Array.isArray(boxes) ? boxes : [];
}

/** How many boxes two neighbours share. */
function shared(one: readonly unknown[], other: readonly unknown[]): number {
  let count = 0;
  while (count < one.length && count < other.length && one[count] === other[count]) count += 1;
  return count;
}

/** The most nested boxes that look different. */
const BOXES_SHOWN = 4;

function decorate(doc: Node): DecorationSet {
  const found: Decoration[] = [];
  const numbers = listNumbers(doc);
  doc.forEach((block, pos, index) => {
    const attributes: Record<string, string> = {};
    const number = numbers.get(index);
    if (number !== undefined) attributes['data-number'] = `${number}.`;
    const boxes = boxesOf(block);
    if (boxes.length > 0) {
      attributes['data-boxes'] = String(Math.min(boxes.length, BOXES_SHOWN));
      const before = index > 0 ? doc.child(index - 1) : null;
      const after = index + 1 < doc.childCount ? doc.child(index + 1) : null;
      const edges = [
        ...(shared(boxes, boxesOf(before)) === 0 ? ['box-start'] : []),
        ...(shared(boxes, boxesOf(after)) === 0 ? ['box-end'] : []),
      ];
      if (edges.length > 0) attributes.class = edges.join(' ');
    }
    if (Object.keys(attributes).length > 0) found.push(Decoration.node(pos, pos + block.nodeSize, attributes));
  });
  return onBlocks(DecorationSet.create(doc, found));
}

/**
 * Says of a set that its decorations lie on blocks, none inside one. The view asks for those inside of every block it
 * shows whenever it changes, and each time the library would go through the whole set.
 */
function onBlocks(set: DecorationSet): DecorationSet {
  return set === DecorationSet.empty ? set : Object.assign(set, { forChild: () => DecorationSet.empty });
}

/** Whether both documents have the same blocks in the same order, whatever their texts. */
function sameBlocks(one: Node, other: Node): boolean {
  if (one.childCount !== other.childCount) return false;
  for (let index = 0; index < one.childCount; index += 1) {
    const [a, b] = [one.child(index), other.child(index)];
    if (a !== b && !a.sameMarkup(b)) return false;
  }
  return true;
}

/** Numbers and boxes as a plugin. Typing inside a block only moves them. */
export function structureDecorations(): Plugin {
  const plugin: Plugin<DecorationSet> = new Plugin<DecorationSet>({
    state: {
      init: (_config, { doc }) => decorate(doc),
      apply(tr, last, before, after) {
        if (!tr.docChanged) return last;
        return sameBlocks(before.doc, after.doc) ? onBlocks(last.map(tr.mapping, after.doc)) : decorate(after.doc);
      },
    },
    props: { decorations: (state) => plugin.getState(state) },
  });
  return plugin;
}

/** Whether a page holds nothing but one empty paragraph. */
export function isEmptyPage({ doc }: EditorState): boolean {
  const block = doc.firstChild;
  return doc.childCount === 1 && block?.type.name === 'paragraph' && block.content.size === 0 && indentOf(block) === 0;
}

/** The placeholder of an empty page, as an attribute that the style sheet shows. */
export function placeholder(text: string): Plugin {
  return new Plugin({
    props: {
      attributes: (state): Record<string, string> => (isEmptyPage(state) ? { 'aria-placeholder': text } : {}),
      decorations(state) {
        if (!isEmptyPage(state)) return null;
        const attributes = { class: 'placeholder', 'data-placeholder': text };
        return DecorationSet.create(state.doc, [Decoration.node(0, state.doc.content.size, attributes)]);
      },
    },
  });
}
