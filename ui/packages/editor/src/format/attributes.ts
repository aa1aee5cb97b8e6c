/** A block's attributes, in Loro and on a ProseMirror node. */
import { BLOCK_ATTRIBUTES, COMMON_ATTRIBUTES, type Json, isSource } from '../schema';
import { Fragment, type Mark, type Node, type Schema } from 'prosemirror-model';
import { BLOCK_KEY, EMBED, EMBED_KEY, LINE_BREAK, asJson, same } from './document';
import type { LoroMap } from 'loro-crdt';

/** A block's attributes by name, without its id. `t` is its type (absent: paragraph), `x` marks a ghost. */
export type Attributes = Readonly<Record<string, Json>>;

/** Names that belong to the marker and never to a node's `rest`. */
const RESERVED = new Set(['id', 't', 'x']);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a marker's mark says: the id, or null where there is no readable one, and the first attributes. */
export function readMarker(value: unknown): { id: string | null; initial: Attributes } {
  if (!isRecord(value)) return { id: null, initial: {} };
  const initial: Record<string, Json> = {};
  for (const [name, attribute] of Object.entries(value)) if (name !== 'id') initial[name] = asJson(attribute);
  return { id: typeof value.id === 'string' ? value.id : null, initial };
}

/** The later changes of all blocks, kept in step with the map in Loro. */
export class Changes {
  readonly #byId = new Map<string, Map<string, Json>>();

  constructor(map: LoroMap) {
    for (const [key, value] of map.entries()) this.set(key, asJson(value));
  }

  /**
   * Notes one entry; undefined removes it, so that the first value counts again.
   * Returns the beginning of the ids it may concern: up to the first slash.
   */
  set(key: string, value: Json | undefined): string {
    const slash = key.indexOf('/');
    if (slash < 0) return '';
    const id = key.slice(0, slash);
    const name = key.slice(slash + 1);
    let changes = this.#byId.get(id);
    if (changes === undefined) this.#byId.set(id, (changes = new Map()));
    if (value === undefined) changes.delete(name);
    else changes.set(name, value);
    return id;
  }

  /** The attributes in force for a block: first values, then later changes; nothing null. */
  effective(id: string | null, initial: Attributes): Attributes {
    const out: Record<string, Json> = {};
    for (const [name, value] of Object.entries(initial)) if (value !== null) out[name] = value;
    if (id === null) return out;
    // An id of ours has no slash; one that has finds its changes behind the part before its first slash.
    const slash = id.indexOf('/');
    const prefix = slash < 0 ? '' : `${id.slice(slash + 1)}/`;
    for (const [key, value] of this.#byId.get(slash < 0 ? id : id.slice(0, slash)) ?? []) {
      if (!key.startsWith(prefix)) continue;
      const name = key.slice(prefix.length);
      if (name === 'id') continue;
      if (value === null) delete out[name];
      else out[name] = value;
    }
    return out;
  }
}

/** The type that attributes name. */
export const typeIn = (attributes: Attributes): string =>
  typeof attributes.t === 'string' ? attributes.t : 'paragraph';

/** Whether a block with these attributes and this much text is hidden. */
export const isHidden = (attributes: Attributes, size: number): boolean => attributes.x === true && size === 0;

/** The attributes that a node of this type has in fields of their own. */
const fieldsOf = (type: string): readonly string[] => [...(BLOCK_ATTRIBUTES[type] ?? []), ...COMMON_ATTRIBUTES];

/** The node type and node attributes that show a block, in this schema. */
export function markupOf(schema: Schema, attributes: Attributes): { name: string; attrs: Record<string, unknown> } {
  const type = typeIn(attributes);
  const known = Object.hasOwn(BLOCK_ATTRIBUTES, type) && schema.nodes[type] !== undefined;
  const name = known ? type : 'unknown';
  const attrs: Record<string, unknown> = known ? {} : { type };
  const fields = fieldsOf(name);
  for (const field of fields) attrs[field] = attributes[field] ?? null;
  const rest = Object.entries(attributes).filter(([key]) => !RESERVED.has(key) && !fields.includes(key));
  attrs.rest = rest.length > 0 ? Object.fromEntries(rest) : null;
  return { name, attrs };
}

/** The node that shows a block. Its content must be in the shape its type asks for, see {@link recast}. */
export function nodeOf(schema: Schema, attributes: Attributes, content: Fragment): Node {
  const { name, attrs } = markupOf(schema, attributes);
  return schema.node(name, attrs, content);
}

/** The attributes a new block with this node's markup starts with. */
export function attributesOf(node: Node): Attributes {
  const type = node.type.name === 'unknown' ? String(node.attrs.type) : node.type.name;
  const out: Record<string, Json> = {};
  if (isRecord(node.attrs.rest)) {
    for (const [key, value] of Object.entries(node.attrs.rest)) {
      if (!RESERVED.has(key) && value !== null && value !== undefined) out[key] = asJson(value);
    }
  }
  for (const field of fieldsOf(node.type.name)) {
    const value = asJson(node.attrs[field]);
    if (value !== null) out[field] = value;
  }
  if (type !== 'paragraph') out.t = type;
  return out;
}

/**
 * What has to be written so that a block with these attributes gets this node's markup (null unsets).
 * Attributes that neither type knows are left alone, unless the node gives them another value.
 */
export function attributeChanges(now: Attributes, node: Node): Map<string, Json> {
  const wanted = attributesOf(node);
  const changes = new Map<string, Json>();
  const wantedType = wanted.t ?? null;
  const type = typeIn(now);
  if (type !== (wantedType ?? 'paragraph')) changes.set('t', wantedType);
  const fields = new Set([...fieldsOf(type), ...fieldsOf(node.type.name)]);
  for (const field of fields) {
    const value = wanted[field] ?? null;
    if (!same(now[field] ?? null, value)) changes.set(field, value);
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (name !== 't' && !fields.has(name) && !same(now[name] ?? null, value)) changes.set(name, value);
  }
  return changes;
}

/** The marks that a character carries, in the one order that all editors agree on. */
export function marksOf(schema: Schema, attributes: Readonly<Record<string, unknown>> | undefined): readonly Mark[] {
  let marks: readonly Mark[] = [];
  for (const key of Object.keys(attributes ?? {}).toSorted()) {
    const value = attributes?.[key];
    if (value === null || value === undefined || key === BLOCK_KEY || key === EMBED_KEY) continue;
    marks = markOf(schema, key, value).addToSet(marks);
  }
  return marks;
}

function markOf(schema: Schema, key: string, value: unknown): Mark {
  const known = schema.marks[key];
  if (known !== undefined && key !== 'comment' && key !== 'unknown_mark') return known.create({ value });
  if (key.startsWith('comment:') && schema.marks.comment !== undefined) {
    return schema.mark('comment', { id: key.slice('comment:'.length), value });
  }
  return schema.mark('unknown_mark', { key, value });
}

/** The key under which Loro holds a mark. */
export function keyOf(mark: Mark): string {
  if (mark.type.name === 'comment') return `comment:${String(mark.attrs.id)}`;
  return mark.type.name === 'unknown_mark' ? String(mark.attrs.key) : mark.type.name;
}

/** Whether this editor may take a mark away: it knows what it means. */
export const isKnownKey = (schema: Schema, key: string): boolean =>
  key.startsWith('comment:') ? schema.marks.comment !== undefined : schema.marks[key] !== undefined;

/** Inline nodes for a piece of text (without markers) that carries these marks. */
export function inlineNodes(
  schema: Schema,
  text: string,
  attributes: Readonly<Record<string, unknown>> | undefined,
  source: boolean,
): Node[] {
  const marks = marksOf(schema, attributes);
  const embed = attributes?.[EMBED_KEY] ?? null;
  if (embed === null) return inlineOf(schema, text, marks, source);
  return text.split(/(\uFFFC)/u).flatMap((part) => {
    return part === EMBED
      ? schema.node('embed', { data: embed }, undefined, marks)
      : inlineOf(schema, part, marks, source);
  });
}

/** Text with its line breaks in the shape of source or of prose. */
function inlineOf(schema: Schema, text: string, marks: readonly Mark[], source: boolean): Node[] {
  if (source) return text === '' ? [] : [schema.text(text.replaceAll(LINE_BREAK, '\n'), marks)];
  return text.split(/(\u2028)/u).flatMap((part) => {
    if (part === LINE_BREAK) return schema.node('hard_break', null, undefined, marks);
    return part === '' ? [] : schema.text(part, marks);
  });
}

/** The same content with its line breaks in the shape of source (newlines) or of prose (nodes). */
export function recast(schema: Schema, content: Fragment, source: boolean): Fragment {
  const nodes: Node[] = [];
  let changed = false;
  content.forEach((node) => {
    const text = node.type.name === 'hard_break' ? LINE_BREAK : (node.text ?? '');
    if (source ? !text.includes(LINE_BREAK) : !node.isText || !/[\n\u2028]/u.test(text)) {
      nodes.push(node);
      return;
    }
    changed = true;
    nodes.push(...inlineOf(schema, text.replaceAll('\n', LINE_BREAK), node.marks, source));
  });
  return changed ? Fragment.fromArray(nodes) : content;
}

/** Whether a block with these attributes, in this schema, holds source. */
export const holdsSource = (schema: Schema, attributes: Attributes): boolean =>
  isSource(markupOf(schema, attributes).name);
