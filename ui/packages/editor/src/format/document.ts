/**
 * Where a rich text lives in a Loro document: the text itself, the later changes of its blocks' attributes, and the
 * version of the format.
 */
import type { Expand, Json } from '../schema';
import { MARK_EXPAND } from '../schema';
import type { LoroDoc, LoroMap, LoroText } from 'loro-crdt';

/** Starts a block. */
export const MARKER = '\n';
/** A line break inside a block. */
export const LINE_BREAK = '\u2028';
/** An inline embed, where it carries the mark `embed`. */
export const EMBED = '\uFFFC';

/** The mark on a marker: the block's id, type and first attributes. */
export const BLOCK_KEY = 'b';
/** The mark on an embed: its data. */
export const EMBED_KEY = 'embed';

/** The version of the format that this package writes. */
export const FORMAT_VERSION = 1;

export const textOf = (doc: LoroDoc): LoroText => doc.getText('text');
/** Later changes of attributes by `<block id>/<attribute>`; null unsets, a missing key leaves the first value. */
export const changesOf = (doc: LoroDoc): LoroMap => doc.getMap('blocks');
export const metaOf = (doc: LoroDoc): LoroMap => doc.getMap('meta');

/** Tells a document how each mark expands. Every peer must say the same before it marks anything. */
export function configure(doc: LoroDoc): LoroDoc {
  const styles: Record<string, { expand: Expand }> = {};
  for (const [key, expand] of Object.entries(MARK_EXPAND)) styles[key] = { expand };
  doc.configTextStyle(styles);
  doc.configDefaultTextStyle({ expand: 'none' });
  return doc;
}

/** One piece of a text with its marks, as Loro gives it. */
export interface Segment {
  readonly insert: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** The segments of a stretch of the text, in UTF-16 units. A boundary inside a surrogate pair throws. */
export function segments(text: LoroText, from: number, to: number): Segment[] {
  if (from >= to) return [];
  return text.sliceDelta(from, to).filter((op): op is Segment & typeof op => typeof op.insert === 'string');
}

const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567';

/** A new block id: forty random bits as eight characters of base 32. */
export function newBlockId(): string {
  let id = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(8))) id += DIGITS[byte & 31] ?? '';
  return id;
}

/** Whether two values say the same. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  return keys.every((key) => Object.hasOwn(right, key) && same(left[key], right[key]));
}

/** Loro's value as JSON; Loro knows byte strings besides, which are carried untouched. */
export const asJson = (value: unknown): Json => (value === undefined ? null : (value as Json));
