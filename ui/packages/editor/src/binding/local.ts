/**
 * Writes a user's transaction into Loro, as the fewest edits that say the same.
 *
 * Each step is looked at through the ranges it changes: what was in them and what is in them now, both as flat text.
 * So it does not matter which kind of step a command used.
 */
import { type Attributes, type Changes, attributeChanges, attributesOf, isKnownKey, keyOf } from '../format/attributes';
import {
  BLOCK_KEY,
  EMBED_KEY,
  FORMAT_VERSION,
  MARKER,
  asJson,
  metaOf,
  newBlockId,
  same,
  segments,
  textOf,
} from '../format/document';
import { type Flat, type Part, common, equal, flatten, partAt, splitsPair, splitsPairIn } from './flat';
import type { LoroDoc, LoroText } from 'loro-crdt';
import type { Mark, Node, Schema } from 'prosemirror-model';
import type { Outline, Row } from './outline';
import type { Json } from '../schema';
import { type Edit, Recorder } from '../undo/recorder';
import type { Step } from 'prosemirror-transform';
import type { Transaction } from 'prosemirror-state';

interface Range {
  readonly oldFrom: number;
  readonly oldTo: number;
  readonly newFrom: number;
  readonly newTo: number;
}

/** The ranges a step changes, the last one first, so that handling one leaves the places of the others right. */
function rangesOf(step: Step, before: Node): Range[] {
  const ranges: Range[] = [];
  step.getMap().forEach((oldFrom, oldTo, newFrom, newTo) => ranges.unshift({ oldFrom, oldTo, newFrom, newTo }));
  if (ranges.length > 0) return ranges;
  const { from, to, pos } = step as Step & { from?: unknown; to?: unknown; pos?: unknown };
  if (typeof from === 'number' && typeof to === 'number')
    return [{ oldFrom: from, oldTo: to, newFrom: from, newTo: to }];
  if (typeof pos !== 'number') return [];
  const end = pos + (before.nodeAt(pos)?.isTextblock === true ? 1 : (before.nodeAt(pos)?.nodeSize ?? 0));
  return [{ oldFrom: pos, oldTo: end, newFrom: pos, newTo: end }];
}

const valuesOf = (marks: readonly Mark[]): Map<string, unknown> =>
  new Map(marks.map((mark) => [keyOf(mark), mark.attrs.value as unknown]));

/** Where in the text the writing has come to: inside a block, or at -1 before the first. */
interface Cursor {
  row: number;
  position: number;
}

export class LocalWriter {
  readonly #doc: LoroDoc;
  readonly #schema: Schema;
  readonly #outline: Outline;
  readonly #changes: Changes;
  readonly #text: LoroText;
  readonly #out: Recorder;
  /** Blocks made by this transaction. Their markers get their mark once it is known what they became. */
  readonly #fresh = new Set<Row>();
  /** Blocks whose node may not be what reading gives. */
  readonly odd = new Set<Row>();

  constructor(doc: LoroDoc, schema: Schema, outline: Outline, changes: Changes) {
    this.#doc = doc;
    this.#schema = schema;
    this.#outline = outline;
    this.#changes = changes;
    this.#text = textOf(doc);
    this.#out = new Recorder(doc);
  }

  /** What takes back everything that was written. */
  get inverse(): Edit {
    return this.#out.inverse;
  }

  /** Writes a transaction; commits nothing. */
  write(transaction: Transaction): void {
    for (const [index, step] of transaction.steps.entries()) {
      const before = transaction.docs[index];
      const after = transaction.docs[index + 1] ?? transaction.doc;
      if (before === undefined) throw new RangeError('a step without its document');
      for (const range of rangesOf(step, before)) this.#range(before, after, range);
    }
  }

  /** Writes what could only be known at the end: the markers' marks and the format's version. */
  finish(): void {
    if (this.#fresh.size > 0) {
      let position = 0;
      for (const row of this.#outline.rows) {
        if (this.#fresh.has(row)) {
          this.#out.markNew({ start: position, end: position + 1 }, BLOCK_KEY, { id: row.id, ...row.initial });
        }
        position += (row.marker ? 1 : 0) + row.size;
      }
      this.#fresh.clear();
    }
    const meta = metaOf(this.#doc);
    if (!this.#out.idle && meta.get('schema') === undefined) meta.set('schema', FORMAT_VERSION);
  }

  #range(before: Node, after: Node, range: Range): void {
    let { oldFrom, oldTo, newFrom, newTo } = range;
    // Around the range both documents are equal, so it may be widened to whole characters.
    if (splitsPairIn(before, oldFrom) || splitsPairIn(after, newFrom)) [oldFrom, newFrom] = [oldFrom - 1, newFrom - 1];
    if (splitsPairIn(before, oldTo) || splitsPairIn(after, newTo)) [oldTo, newTo] = [oldTo + 1, newTo + 1];
    const old = flatten(before, oldFrom, oldTo);
    const now = flatten(after, newFrom, newTo);
    // Some steps change nothing, and nothing must become of them: no marker, no step of undo.
    if (equal(old, now) && !now.odd) return;
    this.#materialise(before, oldFrom);
    const from = this.#outline.locateNode(oldFrom);
    const to = this.#outline.locateNode(oldTo);
    if (from.between && to.between && now.text === '') {
      this.#removeBlocks(this.#outline.nextShown(from.row + 1), to.row);
      return;
    }
    if (
      old.text === '' &&
      now.text === MARKER &&
      !from.between &&
      from.offset === 0 &&
      this.#outline.at(from.row).size > 0
    ) {
      this.#insertBefore(before, from.row, now.parts[0]);
      return;
    }
    this.#replace({ row: from.row, position: this.#outline.position(from) }, old, now);
  }

  #replace(cursor: Cursor, old: Flat, now: Flat): void {
    const { head, tail } = common(old, now);
    this.#keep(cursor, old, 0, now, 0, head);
    this.#delete(cursor, old, head, old.text.length - tail);
    this.#insert(cursor, now, head, now.text.length - tail);
    this.#keep(cursor, old, old.text.length - tail, now, now.text.length - tail, tail);
    if (now.odd && cursor.row >= 0) this.odd.add(this.#outline.at(cursor.row));
  }

  /** Gives a marker to the first block if it has none and is to be written into. */
  #materialise(before: Node, from: number): void {
    const [first] = this.#outline.rows;
    if (this.#outline.virtual) {
      const row = this.#newRow(before.child(0));
      this.#out.insert(this.#outline.length, MARKER);
      this.#unmark(
        this.#outline.length,
        this.#text.sliceDelta(this.#outline.length, this.#outline.length + 1)[0]?.attributes ?? {},
      );
      this.#outline.splice(this.#outline.rows.length, 0, [row]);
    } else if (first?.marker === false && from < first.size + 2) {
      const row = this.#newRow(before.child(0));
      row.size = first.size;
      this.#out.insert(0, MARKER);
      this.#outline.splice(0, 1, [row]);
    }
  }

  #newRow(node: Node): Row {
    const row = { id: newBlockId(), marker: true, initial: attributesOf(node), size: 0, shown: true };
    this.#fresh.add(row);
    return row;
  }

  /** Goes over what stays: only markup and marks can differ. */
  #keep(cursor: Cursor, old: Flat, oldFrom: number, now: Flat, newFrom: number, length: number): void {
    let done = 0;
    while (done < length) {
      const was = partAt(old, oldFrom + done);
      const is = partAt(now, newFrom + done);
      if (was === undefined || is === undefined) throw new RangeError('a place outside its stretch');
      const step = Math.min(length - done, was.to - oldFrom - done, is.to - newFrom - done);
      if (was.kind === 'block' || is.kind === 'block') {
        cursor.row = this.#outline.nextShown(cursor.row + 1);
        cursor.position = this.#outline.textStart(cursor.row);
        if (is.kind === 'block' && was.kind === 'block' && is.node !== was.node) this.#retype(cursor.row, is.node);
      } else {
        if (was.marks !== is.marks) {
          // Marks are put on whole characters.
          const [before, after] = [splitsPair(now.text, newFrom + done), splitsPair(now.text, newFrom + done + step)];
          const range = { start: cursor.position - Number(before), end: cursor.position + step + Number(after) };
          if (this.#remark(cursor.row, range, was.marks, is.marks) && (before || after))
            this.odd.add(this.#outline.at(cursor.row));
        }
        cursor.position += step;
      }
      done += step;
    }
  }

  /** Brings the marks of a stretch from what they were to what they are. Returns whether there was anything to do. */
  #remark(index: number, range: { start: number; end: number }, was: readonly Mark[], is: readonly Mark[]): boolean {
    const before = valuesOf(was);
    const after = valuesOf(is);
    const row = this.#outline.at(index);
    let changed = false;
    for (const [key, value] of after) {
      if (before.has(key) && same(before.get(key), value)) continue;
      this.#out.mark(range, key, asJson(value));
      changed = true;
    }
    for (const key of before.keys()) {
      if (after.has(key)) continue;
      changed = true;
      if (isKnownKey(this.#schema, key)) this.#out.mark(range, key, null);
      else this.odd.add(row);
    }
    if (!changed) return false;
    this.#revive(index);
    if (after.size !== is.length || is.some((mark) => !mark.type.excludes(mark.type))) this.odd.add(row);
    return true;
  }

  #delete(cursor: Cursor, old: Flat, from: number, to: number): void {
    if (from === to) return;
    let last = cursor.row;
    let markers = 0;
    let after = from;
    for (const part of old.parts) {
      if (part.kind !== 'block' || part.from < from || part.from >= to) continue;
      last = this.#outline.nextShown(last + 1);
      markers++;
      after = part.to;
    }
    if (markers === 0) {
      this.#out.delete(cursor.position, to - from);
      this.#outline.resize(cursor.row, from - to);
    } else {
      if (cursor.row < 0) throw new RangeError('a text cannot lose its first marker');
      // With the markers go those of the hidden blocks between them, or the text would land in one of these.
      const end = this.#outline.textStart(last) + to - after;
      const head = cursor.position - this.#outline.textStart(cursor.row);
      const rest = this.#outline.at(last).size - (to - after);
      for (const row of this.#outline.rows.slice(cursor.row + 1, last + 1)) this.#forget(row);
      this.#out.delete(cursor.position, end - cursor.position);
      this.#outline.resize(cursor.row, head + rest - this.#outline.at(cursor.row).size);
      this.#outline.splice(cursor.row + 1, last - cursor.row, []);
      // Source and prose write line breaks in different ways, and the step may have moved them from one to the other.
      this.odd.add(this.#outline.at(cursor.row));
    }
    this.#revive(cursor.row);
  }

  #insert(cursor: Cursor, now: Flat, from: number, to: number): void {
    if (from === to) return;
    const { position } = cursor;
    this.#out.insert(position, now.text.slice(from, to));
    const odd = this.#fitMarks(position, now, from, to) || now.odd;
    const markers = now.parts.filter((part) => part.kind === 'block' && part.from >= from && part.from < to);
    const first = (markers[0]?.from ?? to) - from;
    let rest = 0;
    if (cursor.row >= 0) {
      if (markers.length > 0) rest = this.#outline.textStart(cursor.row) + this.#outline.at(cursor.row).size - position;
      this.#outline.resize(cursor.row, first - rest);
      if (first > 0 || rest > 0) this.#revive(cursor.row);
      if (odd) this.odd.add(this.#outline.at(cursor.row));
    } else if (first > 0) {
      throw new RangeError('text in front of the first marker');
    }
    const rows = markers.map((marker, index) => {
      const { node } = marker as Part & { kind: 'block' };
      const row = this.#newRow(node);
      const next = markers[index + 1]?.from;
      row.size = next === undefined ? to - marker.to + rest : next - marker.to;
      if (odd || rest > 0 || node.attrs.rest !== null) this.odd.add(row);
      return row;
    });
    if (rows.length > 0) this.#outline.splice(cursor.row + 1, 0, rows);
    cursor.row += rows.length;
    cursor.position = position + to - from;
  }

  /** Puts an empty block in front of one, whose marker and id stay with its text. */
  #insertBefore(before: Node, index: number, second: Part | undefined): void {
    const node = before.nodeAt(this.#outline.nodeStart(index));
    if (node === null || second?.kind !== 'block') throw new RangeError('no block to stand in front of');
    const position = this.#outline.start(index);
    this.#out.insert(position, MARKER);
    this.#unmark(position, this.#text.sliceDelta(position, position + 1)[0]?.attributes ?? {});
    this.#outline.splice(index, 0, [this.#newRow(node)]);
    this.#revive(index + 1);
    this.#retype(index + 1, second.node);
  }

  /** Hides whole blocks: their text goes, their markers stay for whoever types in them meanwhile. */
  #removeBlocks(first: number, last: number): void {
    for (let index = last; index >= first; index--) {
      const row = this.#outline.at(index);
      if (!row.shown) continue;
      if (this.#fresh.has(row)) {
        this.#out.delete(this.#outline.start(index), 1 + row.size);
        this.#forget(row);
        this.#outline.splice(index, 1, []);
        continue;
      }
      if (row.size > 0) this.#out.delete(this.#outline.textStart(index), row.size);
      this.#outline.resize(index, -row.size);
      if (this.#attributes(row).x !== true) this.#write(index, new Map([['x', true]]));
      this.#outline.show(index, false);
    }
  }

  /**
   * Makes inserted text carry the marks it is to carry: Loro gave it those of its neighbours that expand.
   * Returns whether some stay that the editor did not expect.
   */
  #fitMarks(position: number, now: Flat, from: number, to: number): boolean {
    let at = position;
    let odd = false;
    for (const { insert, attributes } of segments(this.#text, position, position + to - from)) {
      const end = at + insert.length;
      while (at < end) {
        const part = partAt(now, at - position + from);
        if (part === undefined) throw new RangeError('a place outside its stretch');
        const stop = Math.min(end, position - from + part.to);
        odd = this.#fitPart({ start: at, end: stop }, part, attributes ?? {}) || odd;
        at = stop;
      }
    }
    return odd;
  }

  #fitPart(range: { start: number; end: number }, part: Part, got: Readonly<Record<string, unknown>>): boolean {
    if (part.kind === 'block') {
      this.#unmark(range.start, got);
      return false;
    }
    const wanted = valuesOf(part.marks);
    if (part.kind === 'embed') this.#out.markNew(range, EMBED_KEY, asJson(part.data));
    for (const [key, value] of wanted) if (!same(got[key], value)) this.#out.markNew(range, key, asJson(value));
    let odd =
      part.marks.some((mark) => !mark.type.excludes(mark.type)) || (part.kind === 'embed' && part.data === null);
    for (const [key, value] of Object.entries(got)) {
      if (wanted.has(key) || value === null || key === BLOCK_KEY || key === EMBED_KEY) continue;
      if (isKnownKey(this.#schema, key)) this.#out.markNew(range, key, null);
      else odd = true;
    }
    return odd;
  }

  /** Takes the marks of its neighbours off a new marker: text typed behind it would inherit them. */
  #unmark(position: number, got: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(got)) {
      if (value !== null && isKnownKey(this.#schema, key))
        this.#out.markNew({ start: position, end: position + 1 }, key, null);
    }
  }

  #attributes(row: Row): Attributes {
    return this.#changes.effective(row.id, row.initial);
  }

  #retype(index: number, node: Node): void {
    const row = this.#outline.at(index);
    this.odd.add(row);
    if (this.#fresh.has(row)) row.initial = attributesOf(node);
    else this.#write(index, attributeChanges(this.#attributes(row), node));
  }

  /** A shown ghost that is edited is a block like any other from then on. */
  #revive(index: number): void {
    const row = this.#outline.at(index);
    if (!this.#fresh.has(row) && this.#attributes(row).x !== undefined) this.#write(index, new Map([['x', null]]));
  }

  #write(index: number, attributes: ReadonlyMap<string, Json>): void {
    if (attributes.size === 0) return;
    const { id } = this.#outline.at(index);
    if (id === null) this.#rename(index);
    else if (this.#outline.hasTwin(id)) {
      for (const twin of this.#outline.find((other) => other === id).slice(1)) this.#rename(twin);
    }
    for (const [name, value] of attributes) {
      const key = `${this.#outline.at(index).id ?? ''}/${name}`;
      this.#out.set(key, value);
      this.#changes.set(key, value);
    }
  }

  /** Gives an id of its own to a block that has none or shares it. The one case where a marker is marked again. */
  #rename(index: number): void {
    const row = this.#outline.at(index);
    row.initial = this.#attributes(row);
    this.#outline.rename(index, newBlockId());
    const position = this.#outline.start(index);
    this.#out.mark({ start: position, end: position + 1 }, BLOCK_KEY, { id: row.id, ...row.initial });
  }

  #forget(row: Row): void {
    this.#fresh.delete(row);
    this.odd.delete(row);
  }
}
