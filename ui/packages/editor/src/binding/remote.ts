/**
 * Applies what changed in Loro to a ProseMirror transaction and to the outline: the changes of an import or of an undo.
 * Only reads Loro.
 */
import {
  type Attributes,
  type Changes,
  holdsSource,
  inlineNodes,
  isHidden,
  markupOf,
  nodeOf,
  readMarker,
  recast,
} from '../format/attributes';
import { BLOCK_KEY, MARKER, type Segment, segments } from '../format/document';
import { Fragment, type Node, type Schema, Slice } from 'prosemirror-model';
import type { Outline, Place, Row } from './outline';
import { remake, replaceBlocks, retype } from './steps';
import { ReplaceStep, type Transform } from 'prosemirror-transform';
import type { LoroText } from 'loro-crdt';
import { contentOf } from '../format/read';
import type { Delta } from '../undo/delta';

/** A block that is about to be: its row and its content. */
interface Draft {
  readonly row: Row;
  readonly content: Fragment;
}

/** The block of text in front of the first marker. */
const UNMARKED: Row = { id: null, marker: false, initial: {}, size: 0, shown: true };

export class RemoteReader {
  readonly #schema: Schema;
  readonly #outline: Outline;
  readonly #changes: Changes;
  readonly #tr: Transform;
  /** Blocks whose content has to be read again, once the outline is where Loro is. */
  readonly #stale = new Set<Row>();

  constructor(schema: Schema, outline: Outline, changes: Changes, tr: Transform) {
    this.#schema = schema;
    this.#outline = outline;
    this.#changes = changes;
    this.#tr = tr;
  }

  /** Follows a change of the text. */
  follow(delta: Delta): void {
    let position = 0;
    let inserted: Segment[] = [];
    const insert = (): void => {
      if (inserted.length === 0) return;
      this.#insert(position, inserted);
      position += inserted.reduce((sum, piece) => sum + piece.insert.length, 0);
      inserted = [];
    };
    for (const op of delta) {
      // What is inserted at one place comes in pieces of equal marks.
      if ('insert' in op) {
        inserted.push({ insert: op.insert, ...(op.attributes && { attributes: op.attributes }) });
        continue;
      }
      insert();
      if ('delete' in op) {
        this.#delete(position, op.delete);
      } else {
        if (op.attributes !== undefined) this.#restyle(position, op.retain, op.attributes);
        position += op.retain;
      }
    }
    insert();
  }

  /** Follows a change of attributes: the blocks with these ids, or with ids below them. */
  change(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return;
    const concerned = this.#outline.find((id) => {
      const slash = id.indexOf('/');
      return ids.has(slash < 0 ? id : id.slice(0, slash));
    });
    for (const index of concerned) this.#refresh(index);
  }

  /** Reads again what could not be followed. */
  settle(text: LoroText): void {
    if (this.#stale.size === 0) return;
    for (const [index, row] of this.#outline.rows.entries()) {
      if (!this.#stale.has(row) || !row.shown) continue;
      const start = this.#outline.textStart(index);
      const attributes = this.#attributes(row);
      const parts = segments(text, start, start + row.size);
      const content = contentOf(this.#schema, parts, holdsSource(this.#schema, attributes));
      remake(this.#tr, this.#outline.nodeStart(index), nodeOf(this.#schema, attributes, content));
    }
    this.#stale.clear();
  }

  /** Blocks to be read again by {@link settle}. */
  mark(row: Row): void {
    this.#stale.add(row);
  }

  #attributes(row: Row): Attributes {
    return this.#changes.effective(row.id, row.initial);
  }

  #hidden(row: Row, size: number): boolean {
    return isHidden(this.#attributes(row), size);
  }

  #isSource(row: Row): boolean {
    return holdsSource(this.#schema, this.#attributes(row));
  }

  #content(index: number): Fragment {
    if (!this.#outline.at(index).shown) return Fragment.empty;
    return this.#tr.doc.nodeAt(this.#outline.nodeStart(index))?.content ?? Fragment.empty;
  }

  #insert(position: number, inserted: readonly Segment[]): void {
    const place = this.#outline.locate(position);
    const drafts = this.#drafts(inserted, place);
    const [lead, ...blocks] = drafts;
    if (lead === undefined) return;
    const row = place.row < 0 ? null : this.#outline.at(place.row);
    if (row !== null && row.shown && blocks.length === 0) {
      this.#fill(place, lead.content);
    } else if (row !== null && row.shown && this.#plain(row, place, lead.content.size, blocks)) {
      this.#split(place, lead.content, blocks);
    } else {
      this.#rebuildWith(place, lead, blocks);
    }
  }

  /** What is inserted: first what goes on the text it is inserted into, then a draft for each new block. */
  #drafts(inserted: readonly Segment[], place: Place): Draft[] {
    const lead = place.row < 0 ? UNMARKED : this.#outline.at(place.row);
    const drafts: { row: Row; nodes: Node[]; source: boolean }[] = [
      { row: lead, nodes: [], source: this.#isSource(lead) },
    ];
    for (const { insert, attributes } of inserted) {
      for (const [index, part] of insert.split(MARKER).entries()) {
        if (index > 0) {
          const row: Row = { ...readMarker(attributes?.[BLOCK_KEY]), marker: true, size: 0, shown: true };
          drafts.push({ row, nodes: [], source: this.#isSource(row) });
        }
        const draft = drafts.at(-1);
        if (draft !== undefined) draft.nodes.push(...inlineNodes(this.#schema, part, attributes, draft.source));
      }
    }
    return drafts.map(({ row, nodes }) => ({ row, content: Fragment.fromArray(nodes) }));
  }

  #fill(place: Place, content: Fragment): void {
    const at = this.#outline.nodeStart(place.row) + 1 + place.offset;
    this.#tr.step(new ReplaceStep(at, at, new Slice(content, 0, 0)));
    this.#outline.resize(place.row, content.size);
  }

  /** Whether blocks can simply be split off: no ghost takes part, and a first block without marker keeps some text. */
  #plain(row: Row, place: Place, lead: number, blocks: readonly Draft[]): boolean {
    const rest = row.size - place.offset;
    return (
      this.#attributes(row).x !== true &&
      (row.marker || place.offset + lead > 0) &&
      blocks.every(
        (block, index) => !this.#hidden(block.row, block.content.size + (index === blocks.length - 1 ? rest : 0)),
      )
    );
  }

  #split(place: Place, lead: Fragment, blocks: readonly Draft[]): void {
    const at = this.#outline.nodeStart(place.row);
    const node = this.#tr.doc.nodeAt(at);
    const last = blocks.at(-1);
    if (node === null || last === undefined) throw new RangeError('no block to split');
    const rest = node.content.size - place.offset;
    const nodes = blocks.map(({ row, content }) => nodeOf(this.#schema, this.#attributes(row), content));
    const tail = nodes.at(-1);
    // The rest of the text moves as it is. Where its new block has line breaks of another shape, split first and retype.
    const reshape =
      rest > 0 && tail !== undefined && this.#isSource(last.row) !== this.#isSource(this.#outline.at(place.row));
    if (reshape)
      nodes[nodes.length - 1] = node.copy(
        recast(this.#schema, last.content, this.#isSource(this.#outline.at(place.row))),
      );
    const slice = new Slice(Fragment.fromArray([node.copy(lead), ...nodes]), 1, 1);
    this.#tr.step(new ReplaceStep(at + 1 + place.offset, at + 1 + place.offset, slice));
    this.#outline.resize(place.row, lead.size - rest);
    this.#outline.splice(
      place.row + 1,
      0,
      blocks.map(({ row, content }, index) => ({
        ...row,
        size: content.size + (index === blocks.length - 1 ? rest : 0),
      })),
    );
    if (reshape) {
      const index = place.row + blocks.length;
      retype(this.#tr, this.#outline.nodeStart(index), tail.type.name, tail.attrs);
    }
  }

  #rebuildWith(place: Place, lead: Draft, blocks: readonly Draft[]): void {
    const content = place.row < 0 ? Fragment.empty : this.#content(place.row);
    const drafts: Draft[] = [{ row: lead.row, content: joined(content.cut(0, place.offset), lead.content) }, ...blocks];
    const last = drafts.at(-1);
    if (last === undefined) return;
    drafts[drafts.length - 1] = { row: last.row, content: joined(last.content, content.cut(place.offset)) };
    this.#rebuild(Math.max(0, place.row), place.row < 0 ? 0 : 1, drafts);
  }

  #delete(position: number, length: number): void {
    const from = this.#outline.locate(position);
    const to = this.#outline.locate(position + length);
    if (from.row === to.row && from.row >= 0) {
      this.#deleteText(from, length);
      return;
    }
    const row = from.row < 0 ? null : this.#outline.at(from.row);
    const last = this.#outline.at(to.row);
    const rest = last.size - to.offset;
    const size = from.offset + rest;
    if (row !== null && row.shown && last.shown && (row.marker || size > 0) && !this.#hidden(row, size)) {
      if (this.#isSource(row) !== this.#isSource(last) && rest > 0) {
        const { name, attrs } = markupOf(this.#schema, this.#attributes(row));
        retype(this.#tr, this.#outline.nodeStart(to.row), name, attrs);
      }
      const start = this.#outline.nodeStart(from.row) + 1 + from.offset;
      this.#tr.step(new ReplaceStep(start, this.#outline.nodeStart(to.row) + 1 + to.offset, Slice.empty));
      this.#outline.resize(from.row, size - row.size);
      this.#outline.splice(from.row + 1, to.row - from.row, []);
      return;
    }
    const content = joined(
      from.row < 0 ? Fragment.empty : this.#content(from.row).cut(0, from.offset),
      this.#content(to.row).cut(to.offset),
    );
    this.#rebuild(Math.max(0, from.row), to.row - Math.max(0, from.row) + 1, [{ row: row ?? UNMARKED, content }]);
  }

  #deleteText(from: Place, length: number): void {
    const row = this.#outline.at(from.row);
    if (row.size === length && (!row.marker || this.#attributes(row).x === true)) {
      this.#rebuild(from.row, 1, [{ row, content: Fragment.empty }]);
      return;
    }
    const start = this.#outline.nodeStart(from.row) + 1 + from.offset;
    this.#tr.step(new ReplaceStep(start, start + length, Slice.empty));
    this.#outline.resize(from.row, -length);
  }

  /** Replaces blocks by others, in the outline and, as far as they are shown, in the document. */
  #rebuild(index: number, count: number, drafts: readonly Draft[]): void {
    const { virtual } = this.#outline;
    const from = virtual ? 0 : this.#outline.nodeStart(index);
    const to = virtual ? this.#tr.doc.content.size : this.#outline.nodeStart(index + count);
    const nodes: Node[] = [];
    // Without a marker and without text there is no block.
    const blocks = drafts.filter(({ row, content }) => row.marker || content.size > 0);
    const rows = blocks.map(({ row, content }): Row => {
      const attributes = this.#attributes(row);
      const shown = !isHidden(attributes, content.size);
      if (shown)
        nodes.push(
          nodeOf(this.#schema, attributes, recast(this.#schema, content, holdsSource(this.#schema, attributes))),
        );
      const next = { ...row, size: content.size, shown };
      if (this.#stale.delete(row)) this.#stale.add(next);
      return next;
    });
    this.#outline.splice(index, count, rows);
    if (this.#outline.virtual) nodes.push(this.#schema.node('paragraph'));
    replaceBlocks(this.#tr, from, virtual || this.#outline.virtual ? this.#tr.doc.content.size : to, nodes);
  }

  #restyle(position: number, length: number, attributes: Readonly<Record<string, unknown>>): void {
    const last = this.#outline.locate(position + length).row;
    const inline = Object.keys(attributes).some((key) => key !== BLOCK_KEY);
    for (let index = Math.max(0, this.#outline.locate(position).row); index <= last; index++) {
      const row = this.#outline.at(index);
      const start = this.#outline.start(index);
      if (row.marker && start >= position && start < position + length && BLOCK_KEY in attributes) {
        const { id, initial } = readMarker(attributes[BLOCK_KEY]);
        this.#outline.rename(index, id);
        row.initial = initial;
        this.#refresh(index);
      }
      if (inline) this.#stale.add(this.#outline.at(index));
    }
  }

  /** Brings a block to the attributes in force. */
  #refresh(index: number): void {
    const row = this.#outline.at(index);
    const attributes = this.#attributes(row);
    const shown = !isHidden(attributes, row.size);
    if (shown !== row.shown) {
      this.#rebuild(index, 1, [{ row, content: this.#content(index) }]);
    } else if (shown) {
      const { name, attrs } = markupOf(this.#schema, attributes);
      retype(this.#tr, this.#outline.nodeStart(index), name, attrs);
    }
  }
}

const joined = (left: Fragment, right: Fragment): Fragment => left.append(right);
