/**
 * Blocks in the HTML of a copy: `data-block` names the type, `data-attrs` holds the attributes as JSON.
 *
 * A page in a browser can claim to be a copy of ours, so reading takes only what the schema knows, and any value it
 * takes is one that a document could hold anyway.
 */
import type { Mark, Node, Schema } from 'prosemirror-model';
import type { Json } from '../../schema';
import type { BlockStart } from './page-builder';

/** The longest attribute that is read, in UTF-16 units. */
const DATA_MAX = 65_536;

/** The attributes of a block that the schema sets, as JSON; `''` for none. */
export function dataOf(node: Node): string {
  const set = Object.entries(node.attrs).filter(([, value]) => value !== null && value !== undefined);
  return set.length === 0 ? '' : JSON.stringify(Object.fromEntries(set));
}

function parse(data: string | null): Json | undefined {
  if (data === null || data.length > DATA_MAX) return undefined;
  try {
    return JSON.parse(data) as Json;
  } catch {
    return undefined;
  }
}

/** The block that an element of a copy stands for; a paragraph where it makes no sense. */
export function blockFromData(schema: Schema, name: string, data: string | null): BlockStart {
  const type = Object.hasOwn(schema.nodes, name) ? schema.nodes[name] : undefined;
  if (!type?.isTextblock) return { type: 'paragraph' };
  const parsed = parse(data);
  const known = type.spec.attrs ?? {};
  const pairs = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? Object.entries(parsed) : [];
  return { type: name, attrs: Object.fromEntries(pairs.filter(([key]) => Object.hasOwn(known, key))) };
}

/** The embed that an element of a copy stands for, or null. */
export function embedFromData(schema: Schema, data: string | null, marks: readonly Mark[]): Node | null {
  const parsed = parse(data);
  return parsed === undefined ? null : (schema.nodes.embed?.create({ data: parsed }, null, [...marks]) ?? null);
}
