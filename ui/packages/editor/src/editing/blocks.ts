/**
 * Blocks by their place in the flat list: where they start, what belongs to them, and small edits of one block.
 *
 * A block's children are the blocks right below it that are indented more.
 */
import type { Attrs, Node, NodeType, ResolvedPos } from 'prosemirror-model';
import { NodeSelection, type Selection, type Transaction } from 'prosemirror-state';
import { isSource } from '../schema';

/** The deepest nesting that commands produce; deeper ones from elsewhere are kept, but look no different. */
export const DEEPEST_INDENT = 8;

/** A run of neighbouring blocks, by index in the document; `end` is not part of it. */
export interface BlockRange {
  readonly start: number;
  readonly end: number;
}

/** A block in its document. */
export interface PlacedBlock {
  readonly node: Node;
  readonly index: number;
  /** The position before the block. */
  readonly pos: number;
}

/** A block's nesting depth: 0 where it says none, or nonsense. */
export function indentOf(node: Node): number {
  const indent: unknown = node.attrs.indent;
  return typeof indent === 'number' && indent > 0 ? Math.floor(indent) : 0;
}

/** A string attribute of a block, `''` where it is absent or another kind of value. */
export function textAttr(node: Node, name: string): string {
  const value: unknown = node.attrs[name];
  return typeof value === 'string' ? value : '';
}

/** What a list item is: `bullet` where it does not say. */
export function listKind(node: Node): string {
  return node.type.name === 'list_item' ? textAttr(node, 'kind') || 'bullet' : '';
}

/** Whether the block's text is kept exactly as typed: no marks, no rules, line breaks are newlines. */
export const isSourceBlock = (node: Node): boolean => isSource(node.type.name);

/** Blocks that commands leave as they are: their meaning lies elsewhere. */
export const isOpaque = (node: Node): boolean => node.type.name === 'unknown';

/** Blocks that a caret beside them selects as a whole before it deletes anything. */
export const standsAlone = (node: Node): boolean =>
  isOpaque(node) || node.type.name === 'image' || (node.type.name === 'divider' && node.content.size === 0);

/** The position before the block with the given index; the end of the document for the index after the last. */
export function positionOf(doc: Node, index: number): number {
  let position = 0;
  for (let at = 0; at < index; at += 1) position += doc.child(at).nodeSize;
  return position;
}

/** The block around a position, or null between blocks. */
export function blockAt($pos: ResolvedPos): PlacedBlock | null {
  return $pos.depth === 0 ? null : { node: $pos.node(1), index: $pos.index(0), pos: $pos.before(1) };
}

/** The block that a selection without extent is in, or null. */
export function caretBlock(selection: Selection): PlacedBlock | null {
  return selection.empty && !(selection instanceof NodeSelection) ? blockAt(selection.$from) : null;
}

/** The blocks that a selection touches. */
export function selectedBlocks(selection: Selection): BlockRange {
  const { $from, $to } = selection;
  const start = $from.index(0);
  const end = $to.depth === 0 ? $to.index(0) : $to.index(0) + 1;
  return { start, end: Math.max(end, start) };
}

/** The index after the last child of the block with the given index. */
export function subtreeEnd(doc: Node, index: number): number {
  const indent = indentOf(doc.child(index));
  let end = index + 1;
  while (end < doc.childCount && indentOf(doc.child(end)) > indent) end += 1;
  return end;
}

/** The range with the children of its last blocks. */
export function withChildren(doc: Node, { start, end }: BlockRange): BlockRange {
  let last = end;
  for (let index = start; index < end; index += 1) last = Math.max(last, subtreeEnd(doc, index));
  return { start, end: last };
}

/** Blocks that others are nested under: text, not what it is divided or accompanied by. */
const holdsChildren = (node: Node): boolean => ['paragraph', 'list_item', 'quote', 'callout'].includes(node.type.name);

/** The greatest depth of a block that follows the one with the given index; 0 at the start of a page (index -1). */
export function deepestBelow(doc: Node, index: number): number {
  if (index < 0) return 0;
  const above = doc.child(index);
  return Math.min(indentOf(above) + (holdsChildren(above) ? 1 : 0), DEEPEST_INDENT);
}

/** Calls back for each block of a range, in reading order. */
export function eachBlock(doc: Node, { start, end }: BlockRange, visit: (block: PlacedBlock) => void): void {
  let pos = positionOf(doc, start);
  for (let index = start; index < end; index += 1) {
    const node = doc.child(index);
    visit({ node, index, pos });
    pos += node.nodeSize;
  }
}

/** Attributes for a block of another type in the same place: its depth and its boxes. */
export const placeAttrs = (node: Node): Attrs => ({ indent: node.attrs.indent ?? null, in: node.attrs.in ?? null });

/** Gives the block at a position another type. Its place stays, and what the new type cannot show is converted. */
export function setBlock(tr: Transaction, pos: number, type: NodeType, attrs: Attrs = {}): void {
  const node = tr.doc.nodeAt(pos);
  if (!node) return;
  const next = { ...placeAttrs(node), ...attrs };
  // `setBlockType` turns newlines of source into line breaks and back; nothing else needs more than the markup.
  if (isSource(type.name) === isSourceBlock(node)) tr.setNodeMarkup(pos, type, next);
  else tr.setBlockType(pos, pos + node.nodeSize, type, next);
}

/** Sets a block's depth, absent for none. */
export function setIndent(tr: Transaction, pos: number, indent: number): void {
  tr.setNodeAttribute(pos, 'indent', indent > 0 ? indent : null);
}
