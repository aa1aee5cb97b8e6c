/** Writes to Loro and notes how to take it back. */
import type { LoroDoc, LoroMap, LoroText } from 'loro-crdt';
import { type Delta, type Op, compose } from './delta';
import { changesOf, same, segments, textOf } from '../format/document';
import type { Json } from '../schema';

/** A change of a later attribute: what to put there, if it is still as expected. Undefined: no entry. */
interface Value {
  readonly to: Json | undefined;
  readonly expected: Json | undefined;
}

/** A change of a document's text and of its blocks' later attributes. */
export interface Edit {
  readonly text: Delta;
  readonly values: ReadonlyMap<string, Value>;
}

export const isNothing = (edit: Edit): boolean => edit.text.length === 0 && edit.values.size === 0;

/** One edit that does what two do, one after the other. */
export function join(first: Edit, second: Edit): Edit {
  const values = new Map(first.values);
  for (const [key, value] of second.values)
    values.set(key, { to: value.to, expected: (first.values.get(key) ?? value).expected });
  return { text: compose(first.text, second.text), values };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

export class Recorder {
  readonly #text: LoroText;
  readonly #map: LoroMap;
  /** What takes back each change of the text, the last one first when it is done. */
  readonly #back: Delta[] = [];
  readonly #values = new Map<string, Value>();

  constructor(doc: LoroDoc) {
    this.#text = textOf(doc);
    this.#map = changesOf(doc);
  }

  /** What takes back everything so far. */
  get inverse(): Edit {
    let deltas = this.#back.toReversed();
    // In pairs, and the pairs in pairs: a change of thousands of blocks is not gone over for each of them.
    while (deltas.length > 1) {
      deltas = Array.from({ length: Math.ceil(deltas.length / 2) }, (_, index) =>
        compose(deltas[2 * index] ?? [], deltas[2 * index + 1] ?? []),
      );
    }
    return { text: deltas[0] ?? [], values: new Map(this.#values) };
  }

  /** Whether nothing was written so far. */
  get idle(): boolean {
    return this.#back.length === 0 && this.#values.size === 0;
  }

  insert(position: number, text: string): void {
    this.#text.insert(position, text);
    this.#note([{ retain: position }, { delete: text.length }]);
  }

  delete(position: number, length: number): void {
    if (length === 0) return;
    const gone = segments(this.#text, position, position + length);
    this.#text.delete(position, length);
    this.#note([{ retain: position }, ...gone.map(({ insert, attributes }): Op => ({ insert, attributes }))]);
  }

  /** Null takes the mark away. */
  mark(range: Range, key: string, value: Json): void {
    const before = segments(this.#text, range.start, range.end);
    this.markNew(range, key, value);
    const back = before.map(({ insert, attributes }): Op => ({
      retain: insert.length,
      attributes: { [key]: attributes?.[key] ?? null },
    }));
    this.#note([{ retain: range.start }, ...back]);
  }

  /** Marks text that this recorder inserted: nothing more has to be taken back. */
  markNew(range: Range, key: string, value: Json): void {
    if (value === null) this.#text.unmark(range, key);
    else this.#text.mark(range, key, value);
  }

  /** Undefined removes the entry. */
  set(key: string, value: Json | undefined): void {
    const to = this.#values.has(key) ? this.#values.get(key)?.to : (this.#map.get(key) as Json | undefined);
    if (value === undefined) this.#map.delete(key);
    else this.#map.set(key, value);
    this.#values.set(key, { to, expected: value });
  }

  /** Does an edit, as far as its attributes are still as it expects them. */
  apply({ text, values }: Edit): void {
    for (const [key, { to, expected }] of values) {
      if (same(this.#map.get(key), expected)) this.set(key, to);
    }
    let position = 0;
    for (const op of text) {
      if ('delete' in op) this.delete(position, op.delete);
      else if ('insert' in op) {
        this.insert(position, op.insert);
        this.#fit(position, op.insert.length, op.attributes ?? {});
        position += op.insert.length;
      } else {
        const range = { start: position, end: position + op.retain };
        for (const [key, value] of Object.entries(op.attributes ?? {})) this.mark(range, key, (value ?? null) as Json);
        position += op.retain;
      }
    }
  }

  /** Gives inserted text exactly these marks. */
  #fit(position: number, length: number, wanted: Readonly<Record<string, unknown>>): void {
    let start = position;
    for (const { insert, attributes } of segments(this.#text, position, position + length)) {
      const range = { start, end: start + insert.length };
      const got = attributes ?? {};
      for (const [key, value] of Object.entries(wanted))
        if (!same(got[key], value)) this.markNew(range, key, (value ?? null) as Json);
      for (const key of Object.keys(got))
        if (!Object.hasOwn(wanted, key) && got[key] !== null) this.markNew(range, key, null);
      start = range.end;
    }
  }

  #note(back: Delta): void {
    this.#back.push(back);
  }
}
