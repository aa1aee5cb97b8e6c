/**
 * The bookkeeping between the two forms of a document: for each block how long it is and whether it is shown.
 *
 * Places in Loro's text count UTF-16 units, markers included. Places in ProseMirror count that text too, and two for
 * the borders of each block that is shown. An outline turns one into the other in logarithmic time; the text itself is
 * never looked at.
 */
import type { Attributes } from '../format/attributes';
import type { Block } from '../format/read';
import { Sums } from './sums';

/** A block in the outline; mirrors {@link Block}. */
export interface Row {
  id: string | null;
  /** Whether it begins with a marker in Loro. */
  marker: boolean;
  initial: Attributes;
  /** The length of its text. */
  size: number;
  /** Whether ProseMirror's document has a node for it. */
  shown: boolean;
}

export const rowOf = ({ id, marker, initial, size, node }: Block): Row => ({
  id,
  marker,
  initial,
  size,
  shown: node !== null,
});

/** A place within a block's text. Row -1: before the first block. */
export interface Place {
  readonly row: number;
  readonly offset: number;
}

const span = (row: Row): number => (row.marker ? 1 : 0) + row.size;
const nodeSize = (row: Row): number => (row.shown ? row.size + 2 : 0);

export class Outline {
  #rows: Row[] = [];
  readonly #text = new Sums();
  readonly #nodes = new Sums();
  readonly #ids = new Map<string, number>();
  #length = 0;
  #nodeLength = 0;
  #shown = 0;

  constructor(rows: readonly Row[]) {
    this.splice(0, 0, rows);
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** The length of Loro's text. */
  get length(): number {
    return this.#length;
  }

  /**
   * Whether no block is shown. ProseMirror's document then holds one empty paragraph that stands for nothing; what is
   * written into it goes to the end of the text.
   */
  get virtual(): boolean {
    return this.#shown === 0;
  }

  at(index: number): Row {
    const row = this.#rows[index];
    if (row === undefined) throw new RangeError(`no block ${index} of ${this.#rows.length}`);
    return row;
  }

  /** Whether another block has this id too. */
  hasTwin(id: string): boolean {
    return (this.#ids.get(id) ?? 0) > 1;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** Replaces blocks. */
  splice(index: number, remove: number, rows: readonly Row[]): void {
    for (let i = index; i < index + remove; i++) this.#count(this.at(i).id, -1);
    for (const row of rows) this.#count(row.id, 1);
    // Thousands of arguments would not fit on the stack.
    if (rows.length > 1000) this.#rows = [...this.#rows.slice(0, index), ...rows, ...this.#rows.slice(index + remove)];
    else this.#rows.splice(index, remove, ...rows);
    this.#measure();
  }

  /** Lengthens a block's text, or shortens it. */
  resize(index: number, by: number): void {
    const row = this.at(index);
    row.size += by;
    this.#length += by;
    this.#text.add(index, by);
    if (!row.shown) return;
    this.#nodeLength += by;
    this.#nodes.add(index, by);
  }

  show(index: number, shown: boolean): void {
    const row = this.at(index);
    if (row.shown === shown) return;
    const was = nodeSize(row);
    row.shown = shown;
    const by = nodeSize(row) - was;
    this.#nodes.add(index, by);
    this.#nodeLength += by;
    this.#shown += shown ? 1 : -1;
  }

  rename(index: number, id: string | null): void {
    const row = this.at(index);
    this.#count(row.id, -1);
    row.id = id;
    this.#count(id, 1);
  }

  /** Where a block begins in Loro, its marker if it has one. */
  start(index: number): number {
    return this.#text.before(index);
  }

  /** Where a block's text begins in Loro. */
  textStart(index: number): number {
    return this.#text.before(index) + (this.at(index).marker ? 1 : 0);
  }

  /** Where a block's node begins in ProseMirror, or would. */
  nodeStart(index: number): number {
    return this.#nodes.before(index);
  }

  /** The place that a position in Loro's text is; directly before a marker it is the end of the text before. */
  locate(position: number): Place {
    if (position >= this.#length) {
      const last = this.#rows.length - 1;
      return { row: last, offset: last < 0 ? 0 : this.at(last).size };
    }
    const row = this.#text.find(position);
    const start = this.#text.before(row);
    if (!this.at(row).marker) return { row, offset: position - start };
    if (position > start) return { row, offset: position - start - 1 };
    return { row: row - 1, offset: row === 0 ? 0 : this.at(row - 1).size };
  }

  /**
   * The place of a ProseMirror position; `between` where it is not inside a block, then the place is the end of the
   * shown block before it. Not for a virtual document.
   */
  locateNode(position: number): Place & { readonly between: boolean } {
    const row = position >= this.#nodeLength ? this.#rows.length : this.#nodes.find(position);
    const start = position >= this.#nodeLength ? position : this.#nodes.before(row);
    if (position > start) return { row, offset: position - start - 1, between: false };
    if (position === 0) return { row: -1, offset: 0, between: true };
    const before = Math.min(this.#nodes.find(position - 1), this.#rows.length - 1);
    return { row: before, offset: this.at(before).size, between: true };
  }

  /** The position in Loro of a place. */
  position(place: Place): number {
    return place.row < 0 ? 0 : this.textStart(place.row) + place.offset;
  }

  /** The index of the block that carries an id, or of those with the ids below it. Linear. */
  find(matches: (id: string) => boolean): number[] {
    const found: number[] = [];
    for (const [index, { id }] of this.#rows.entries()) if (id !== null && matches(id)) found.push(index);
    return found;
  }

  /** The next shown block at or after an index, or the number of blocks. */
  nextShown(from: number): number {
    let index = from;
    while (index < this.#rows.length && !this.at(index).shown) index++;
    return index;
  }

  #count(id: string | null, by: number): void {
    if (id === null) return;
    const count = (this.#ids.get(id) ?? 0) + by;
    if (count > 0) this.#ids.set(id, count);
    else this.#ids.delete(id);
  }

  #measure(): void {
    const { length } = this.#rows;
    const text = new Int32Array(length);
    const nodes = new Int32Array(length);
    this.#length = 0;
    this.#nodeLength = 0;
    this.#shown = 0;
    for (let index = 0; index < length; index++) {
      const row = this.at(index);
      this.#length += text[index] = span(row);
      this.#nodeLength += nodes[index] = nodeSize(row);
      if (row.shown) this.#shown++;
    }
    this.#text.reset(text);
    this.#nodes.reset(nodes);
  }
}
