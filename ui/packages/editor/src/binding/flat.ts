/**
 * A stretch of a ProseMirror document as the text that Loro has for it: a marker for each block that begins in it, and
 * one UTF-16 unit for each position inside blocks.
 */
import { Mark, type Node } from 'prosemirror-model';
import { isSource } from '../schema';
import { EMBED, LINE_BREAK, MARKER, same } from '../format/document';

/** What a part of a flat stretch is. */
type Content =
  | { readonly kind: 'block'; readonly node: Node }
  | { readonly kind: 'embed'; readonly marks: readonly Mark[]; readonly data: unknown }
  | { readonly kind: 'text'; readonly marks: readonly Mark[] };

/** A part of a flat stretch, and where it is in its text. */
export type Part = Content & { readonly from: number; readonly to: number };

export interface Flat {
  readonly text: string;
  /** In order and without gaps; places count from the beginning of the text. */
  readonly parts: readonly Part[];
  /** Whether the nodes are not in the shape that reading gives them, so that the block has to be read again. */
  readonly odd: boolean;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Flattens the positions from `from` to `to`. */
export function flatten(doc: Node, from: number, to: number): Flat {
  let text = '';
  let odd = false;
  const parts: Part[] = [];
  const push = (piece: string, part: Content): void => {
    parts.push({ ...part, from: text.length, to: text.length + piece.length });
    text += piece;
  };
  doc.nodesBetween(from, to, (node, at, parent) => {
    if (node.isTextblock) {
      // Its opening, unless the stretch begins behind it.
      if (at >= from) push(MARKER, { kind: 'block', node });
      return true;
    }
    if (node.isText) {
      const piece = (node.text ?? '').slice(Math.max(0, from - at), to - at);
      const inSource = parent !== null && isSource(parent.type.name);
      if (LONE_SURROGATE.test(piece) || piece.includes(LINE_BREAK) || (!inSource && piece.includes('\n'))) odd = true;
      push(piece.replaceAll('\n', LINE_BREAK), { kind: 'text', marks: node.marks });
    } else if (node.isInline && at >= from) {
      if (node.type.name === 'embed') push(EMBED, { kind: 'embed', marks: node.marks, data: node.attrs.data });
      else push(LINE_BREAK, { kind: 'text', marks: node.marks });
    }
    return false;
  });
  return { text, parts, odd };
}

/** The part at a place. */
export const partAt = (flat: Flat, place: number): Part | undefined => {
  let low = 0;
  let high = flat.parts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((flat.parts[middle]?.from ?? 0) <= place) low = middle;
    else high = middle - 1;
  }
  return flat.parts[low];
};

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** Whether a place lies inside a surrogate pair. */
export const splitsPair = (text: string, place: number): boolean =>
  place > 0 && place < text.length && isHigh(text.charCodeAt(place - 1)) && isLow(text.charCodeAt(place));

/** Whether a position of a document lies inside a surrogate pair. */
export function splitsPairIn(doc: Node, position: number): boolean {
  if (position <= 0 || position >= doc.content.size) return false;
  const { parent, parentOffset } = doc.resolve(position);
  const around = parent.isTextblock
    ? parent.textBetween(Math.max(0, parentOffset - 1), Math.min(parent.content.size, parentOffset + 1), '', ' ')
    : '';
  return splitsPair(around, 1);
}

function equalAt(old: Flat, a: number, now: Flat, b: number): boolean {
  const unit = old.text.charCodeAt(a);
  if (unit !== now.text.charCodeAt(b)) return false;
  if (unit !== 0xfffc) return true;
  const left = partAt(old, a);
  const right = partAt(now, b);
  if (left?.kind !== 'embed' || right?.kind !== 'embed') return left?.kind === right?.kind;
  return same(left.data, right.data);
}

/** How much two stretches have in common at their beginning and, beyond that, at their end; whole characters only. */
export function common(old: Flat, now: Flat): { head: number; tail: number } {
  const most = Math.min(old.text.length, now.text.length);
  let head = 0;
  while (head < most && equalAt(old, head, now, head)) head++;
  if (splitsPair(old.text, head) || splitsPair(now.text, head)) head--;
  let tail = 0;
  while (tail < most - head && equalAt(old, old.text.length - 1 - tail, now, now.text.length - 1 - tail)) tail++;
  if (splitsPair(old.text, old.text.length - tail) || splitsPair(now.text, now.text.length - tail)) tail--;
  return { head, tail };
}

/** Whether two stretches say the same, so that there is nothing to write. */
export function equal(old: Flat, now: Flat): boolean {
  if (old.text !== now.text || old.parts.length !== now.parts.length) return false;
  return old.parts.every((part, index) => {
    const other = now.parts[index];
    if (other === undefined || part.to !== other.to) return false;
    if (part.kind === 'block') return other.kind === 'block' && part.node.sameMarkup(other.node);
    if (other.kind === 'block' || part.kind !== other.kind || !Mark.sameSet(part.marks, other.marks)) return false;
    return part.kind === 'text' || (other.kind === 'embed' && same(part.data, other.data));
  });
}
