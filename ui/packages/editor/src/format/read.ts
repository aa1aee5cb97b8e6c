/** Reading the flat text as a list of blocks. Never fails: whatever the text and its marks are, they read as something. */
import { type Attributes, Changes, holdsSource, inlineNodes, isHidden, nodeOf, readMarker } from './attributes';
import { BLOCK_KEY, MARKER, type Segment, changesOf, segments, textOf } from './document';
import { Fragment, type Node, type Schema } from 'prosemirror-model';
import type { LoroDoc } from 'loro-crdt';

/** A block as it stands in the text. */
export interface Block {
  /** Null: its marker names none, or it has no marker. */
  readonly id: string | null;
  /** Whether it begins with a marker; only the first block may lack one. */
  readonly marker: boolean;
  /** The attributes its marker was made with. */
  readonly initial: Attributes;
  /** Its text's length in UTF-16 units. */
  readonly size: number;
  /** Null: a ghost without text, which nobody sees. */
  readonly node: Node | null;
}

interface Draft {
  id: string | null;
  marker: boolean;
  initial: Attributes;
  parts: Segment[];
}

/** Makes blocks of segments as they come; a block is done when the next one begins. */
export class BlockReader {
  readonly #schema: Schema;
  readonly #changes: Changes;
  #draft: Draft | null = null;

  constructor(schema: Schema, changes: Changes) {
    this.#schema = schema;
    this.#changes = changes;
  }

  /** Reads on; returns the blocks that are complete. */
  read(pieces: readonly Segment[]): Block[] {
    const done: Block[] = [];
    for (const { insert, attributes } of pieces) {
      let from = 0;
      while (from < insert.length) {
        const marker = insert.indexOf(MARKER, from);
        const to = marker < 0 ? insert.length : marker;
        if (to > from) this.#text({ insert: insert.slice(from, to), ...(attributes && { attributes }) });
        if (marker >= 0) {
          done.push(...this.end());
          this.#draft = { ...readMarker(attributes?.[BLOCK_KEY]), marker: true, parts: [] };
        }
        from = to + 1;
      }
    }
    return done;
  }

  /** The block that was being read, if any. */
  end(): Block[] {
    const draft = this.#draft;
    this.#draft = null;
    if (draft === null) return [];
    const { id, marker, initial, parts } = draft;
    const attributes = this.#changes.effective(id, initial);
    const size = parts.reduce((sum, part) => sum + part.insert.length, 0);
    if (isHidden(attributes, size)) return [{ id, marker, initial, size, node: null }];
    const content = contentOf(this.#schema, parts, holdsSource(this.#schema, attributes));
    return [{ id, marker, initial, size, node: nodeOf(this.#schema, attributes, content) }];
  }

  #text(part: Segment): void {
    this.#draft ??= { id: null, marker: false, initial: {}, parts: [] };
    this.#draft.parts.push(part);
  }
}

/** The content of a block, made of the segments of its text. */
export function contentOf(schema: Schema, parts: readonly Segment[], source: boolean): Fragment {
  return Fragment.fromArray(parts.flatMap((part) => inlineNodes(schema, part.insert, part.attributes, source)));
}

/** All blocks of a document, ghosts included. */
export function readBlocks(schema: Schema, doc: LoroDoc, changes = new Changes(changesOf(doc))): Block[] {
  const text = textOf(doc);
  const reader = new BlockReader(schema, changes);
  const blocks = reader.read(segments(text, 0, text.length));
  return [...blocks, ...reader.end()];
}

/** The document a reader sees: all blocks but hidden ghosts, and an empty paragraph where there are none. */
export function documentOf(schema: Schema, blocks: readonly Block[]): Node {
  const nodes = blocks.map((block) => block.node).filter((node) => node !== null);
  return schema.node('doc', null, nodes.length > 0 ? nodes : [schema.node('paragraph')]);
}
