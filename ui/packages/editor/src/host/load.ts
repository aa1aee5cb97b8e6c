/** Bringing a big document into memory without holding the event loop. */
import { type Block, BlockReader } from '../format/read';
import { type Clock, Slices } from './clock';
import { type Segment, changesOf, configure, segments, textOf } from '../format/document';
import { Changes } from '../format/attributes';
import { LoroDoc, type LoroText } from 'loro-crdt';
import type { Schema } from 'prosemirror-model';

/** Documents with fewer operations are imported as they are. */
const SMALL = 4000;

interface Span {
  readonly id: { readonly peer: `${number}`; readonly counter: number };
  readonly len: number;
}

/**
 * A document from a snapshot, under a peer id of its own.
 *
 * After a snapshot Loro builds the text at its first use, in a time that grows with the square of the number of marked
 * ranges, and each block has one: a second and more for five thousand. From updates it builds the text as they
 * come. So a big snapshot is taken apart into updates, in an order in which none waits for another.
 */
export async function loadDocument(bytes: Uint8Array, peer: bigint, clock: Clock): Promise<LoroDoc> {
  const whole = configure(new LoroDoc());
  whole.import(bytes);
  if (whole.opCount() < SMALL || whole.isShallow()) {
    whole.setPeerId(peer);
    return whole;
  }
  const doc = configure(new LoroDoc());
  doc.setPeerId(peer);
  const slices = new Slices(clock, 512, 2048);
  await clock.pause();
  const spans = spansOf(whole);
  for (let index = 0; index < spans.length;) {
    index = await slices.run((size) => {
      let [next, count] = [index, 0];
      const piece: Span[] = [];
      while (next < spans.length && count < size) {
        const span = spans[next];
        if (span === undefined) break;
        const len = Math.min(span.len, size - count);
        piece.push({ id: span.id, len });
        count += len;
        if (len < span.len)
          spans[next] = { id: { peer: span.id.peer, counter: span.id.counter + len }, len: span.len - len };
        else next++;
      }
      doc.import(whole.export({ mode: 'updates-in-range', spans: piece }));
      return next;
    });
  }
  whole.free();
  return doc;
}

/** All operations, each after those it builds on. */
function spansOf(doc: LoroDoc): Span[] {
  const all: { span: Span; lamport: number }[] = [];
  for (const [peer, changes] of doc.getAllChanges()) {
    for (const { counter, length, lamport } of changes)
      all.push({ span: { id: { peer, counter }, len: length }, lamport });
  }
  return all.toSorted((a, b) => a.lamport - b.lamport).map(({ span }) => span);
}

/** Reads a document's blocks; hands them on as they come, with the part that is done, from 0 to 1. */
export async function readInSlices(
  schema: Schema,
  doc: LoroDoc,
  clock: Clock,
  take: (blocks: readonly Block[], done: number) => void,
): Promise<void> {
  const text = textOf(doc);
  const { length } = text;
  const reader = new BlockReader(schema, new Changes(changesOf(doc)));
  const slices = new Slices(clock, 8192, 65_536);
  for (let from = 0; from < length;) {
    from = await slices.run((size) => {
      const [pieces, to] = cut(text, from, Math.min(length, from + size), length);
      take(reader.read(pieces), to / length);
      return to;
    });
  }
  take(reader.end(), 1);
}

/** The segments up to a place, or one more where it lies inside a surrogate pair. */
function cut(text: LoroText, from: number, to: number, length: number): [Segment[], number] {
  const end = to < length && /[\uDC00-\uDFFF]/u.test(text.charAt(to)) ? to + 1 : to;
  return [segments(text, from, end), end];
}
