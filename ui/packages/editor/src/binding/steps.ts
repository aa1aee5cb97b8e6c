/** The smallest ProseMirror steps that bring nodes to where they should be, so that carets in them survive. */
import { type Fragment, type Node, Slice } from 'prosemirror-model';
import { type Flat, type Part, common, flatten, partAt } from './flat';
import { isSource } from '../schema';
import { recast } from '../format/attributes';
import { LINE_BREAK, same } from '../format/document';
import { ReplaceStep, type Transform } from 'prosemirror-transform';

/** Turns the line breaks of the block at `at` into the shape of source or of prose, one by one. */
function recastInPlace(tr: Transform, at: number, source: boolean): void {
  const block = tr.doc.nodeAt(at);
  if (block === null) return;
  const { schema } = tr.doc.type;
  block.forEach((node, offset) => {
    const text = node.type.name === 'hard_break' ? '\n' : (node.text ?? '');
    for (let i = 0; i < text.length; i++) {
      if (text[i] !== '\n' && text[i] !== LINE_BREAK) continue;
      const place = offset + i;
      const old = block.content.cut(place, place + 1);
      const content = recast(schema, old, source);
      if (content !== old) tr.step(new ReplaceStep(at + 1 + place, at + 2 + place, new Slice(content, 0, 0)));
    }
  });
}

/** Gives the block at `at` a type and attributes and keeps its text. */
export function retype(tr: Transform, at: number, name: string, attrs: Readonly<Record<string, unknown>>): void {
  const block = tr.doc.nodeAt(at);
  const type = tr.doc.type.schema.nodes[name];
  if (block === null || type === undefined) throw new RangeError('no block to change');
  const wanted = type.create(attrs);
  if (block.hasMarkup(type, wanted.attrs)) return;
  if (block.type === type) {
    // Step by step for each attribute: these move nothing, so that a selected block stays selected.
    for (const [key, value] of Object.entries(wanted.attrs)) {
      if (!same(block.attrs[key], value)) tr.setNodeAttribute(at, key, value);
    }
    return;
  }
  const source = isSource(name);
  if (source) recastInPlace(tr, at, true);
  tr.setNodeMarkup(at, type, wanted.attrs);
  if (!source) recastInPlace(tr, at, false);
}

function remark(tr: Transform, from: number, old: Flat, now: Flat): void {
  let place = 0;
  while (place < old.text.length) {
    const was = partAt(old, place);
    const is = partAt(now, place);
    if (was === undefined || is === undefined || was.kind === 'block' || is.kind === 'block') return;
    const end = Math.min(was.to, is.to);
    remarkPart(tr, from + place, from + end, was, is);
    place = end;
  }
}

type Inline = Exclude<Part, { kind: 'block' }>;

function remarkPart(tr: Transform, from: number, to: number, was: Inline, is: Inline): void {
  if (was.marks.length === is.marks.length && was.marks.every((mark, index) => is.marks[index]?.eq(mark))) return;
  // Marks of one type may lie on one character several times; only adding them anew gives them their order.
  const several = [...was.marks, ...is.marks].some((mark) => !mark.type.excludes(mark.type));
  for (const mark of was.marks) if (several || !mark.isInSet(is.marks)) tr.removeMark(from, to, mark);
  for (const mark of is.marks) if (several || !mark.isInSet(was.marks)) tr.addMark(from, to, mark);
}

/** Gives the block at `at`, whose type is already right, another content. */
export function refill(tr: Transform, at: number, content: Fragment): void {
  const block = tr.doc.nodeAt(at);
  if (block === null) throw new RangeError('no block to fill');
  if (block.content.eq(content)) return;
  const wanted = block.copy(content);
  const old = flatten(block, 0, block.content.size);
  const now = flatten(wanted, 0, content.size);
  const { head, tail } = common(old, now);
  const to = old.text.length - tail;
  if (head < to || head < now.text.length - tail) {
    const slice = new Slice(content.cut(head, content.size - tail), 0, 0);
    tr.step(new ReplaceStep(at + 1 + head, at + 1 + to, slice));
  }
  const filled = tr.doc.nodeAt(at);
  if (filled !== null) remark(tr, at + 1, flatten(filled, 0, filled.content.size), now);
  recastInPlace(tr, at, isSource(block.type.name));
}

/** Brings the block at `at` to be this node. */
export function remake(tr: Transform, at: number, node: Node): void {
  retype(tr, at, node.type.name, node.attrs);
  refill(tr, at, node.content);
}

const sizeOf = (list: readonly Node[]): number => list.reduce((sum, node) => sum + node.nodeSize, 0);

/** Replaces the blocks between two positions at the top by others; what is equal at both ends is not touched. */
export function replaceBlocks(tr: Transform, from: number, to: number, nodes: readonly Node[]): void {
  const old: Node[] = [];
  tr.doc.nodesBetween(from, to, (node) => {
    old.push(node);
    return false;
  });
  let head = 0;
  while (head < old.length && head < nodes.length && nodes[head]?.eq(old[head] as Node) === true) head++;
  let tail = 0;
  const most = Math.min(old.length, nodes.length) - head;
  while (tail < most && nodes[nodes.length - 1 - tail]?.eq(old[old.length - 1 - tail] as Node) === true) tail++;
  const start = from + sizeOf(old.slice(0, head));
  const middle = nodes.slice(head, nodes.length - tail);
  const gone = old.slice(head, old.length - tail);
  const [first] = middle;
  if (first === undefined && gone.length === 0) return;
  if (first !== undefined && gone.length > 0) {
    // One of them becomes the first of the others, so that a caret in it has where to stay.
    replaceRest(tr, start + (gone[0]?.nodeSize ?? 0), sizeOf(gone.slice(1)), middle.slice(1));
    remake(tr, start, first);
  } else {
    replaceRest(tr, start, sizeOf(gone), middle);
  }
}

function replaceRest(tr: Transform, from: number, size: number, nodes: readonly Node[]): void {
  if (size === 0 && nodes.length === 0) return;
  tr.step(new ReplaceStep(from, from + size, new Slice(fragmentOf(tr, nodes), 0, 0)));
}

const fragmentOf = (tr: Transform, nodes: readonly Node[]): Fragment => tr.doc.type.create(null, nodes).content;
