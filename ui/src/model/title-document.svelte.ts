import type { DocumentPiece, DocumentSource } from '@tombolo/editor';
import type { LoroDoc } from 'loro-crdt';
import { difference, mergeText } from '../lib/text-merge';

/** Where the title stands in a row's document. */
const TITLE = 'field:title';

/** Loro comes after the first paint, as the editor does. */
const loro = () => import('loro-crdt');

/**
 * A title that several people may type in at once.
 *
 * It is edited in its document, so that each change is the letters that were typed and nothing else: whatever others
 * write meanwhile stays. While a word is being composed nothing moves: neither is the half word written, nor does the
 * text change beneath it.
 */
export class TitleDocument {
  /** What the field shows. */
  text = $state.raw('');
  /** Why the latest text could not be kept; it is tried again with the next change. */
  error = $state.raw<unknown>();

  #doc: LoroDoc | undefined;
  /** What the field was made from: the document's text but for what is being composed, and before the document is there. */
  #base: string;
  /** How many of this peer's operations are on the disk, and the text with no others. */
  #saved = { operations: 0, text: '' };
  #pieces: DocumentPiece[] = [];
  #pushing = false;
  #composing = false;
  #opening = false;
  #ended = false;
  #stop: () => void = () => undefined;
  readonly #source: DocumentSource;

  /** @param text the title as it is known so far */
  constructor(text: string, source: DocumentSource) {
    this.text = text;
    this.#base = text;
    this.#saved.text = text;
    this.#source = source;
  }

  /** Follows the title until the function that it gives is called; what was typed until then is still written. */
  follow(): () => void {
    this.#source.follow((piece) => this.#take(piece)).then(
      (stop) => (this.#ended ? stop() : (this.#stop = stop)),
      (error: unknown) => (this.error = error),
    );
    return () => {
      this.#ended = true;
      this.#stop();
    };
  }

  typed(text: string): void {
    this.text = text;
    this.#write();
  }

  set composing(composing: boolean) {
    this.#composing = composing;
    if (composing) return;
    this.#write();
    void this.#read();
  }

  #take(piece: DocumentPiece): void {
    this.#pieces.push(piece);
    void this.#read();
  }

  /** Takes what has come, in its order. */
  async #read(): Promise<void> {
    if (this.#composing || this.#opening || this.#pieces.length === 0) return;
    this.#opening = true;
    const { LoroDoc } = await loro();
    this.#opening = false;
    // Whoever began to compose meanwhile is left alone.
    while (!this.#composing) {
      const piece = this.#pieces.shift();
      if (!piece) break;
      try {
        if (piece.kind === 'snapshot') this.#open(new LoroDoc(), piece.bytes, piece.peer);
        else this.#merge(piece.bytes);
      } catch (error) {
        this.error = error;
      }
    }
  }

  #open(doc: LoroDoc, bytes: Uint8Array, peer: bigint): void {
    doc.import(bytes);
    doc.setPeerId(peer);
    const theirs = textOf(doc);
    const wanted = mergeText(this.#saved.text, this.text, theirs);
    this.#doc?.free();
    this.#doc = doc;
    this.#base = theirs;
    this.#saved = { operations: 0, text: theirs };
    this.text = wanted;
    this.#write();
  }

  #merge(bytes: Uint8Array): void {
    if (!this.#doc) return;
    this.#doc.import(bytes);
    this.#base = textOf(this.#doc);
    this.text = this.#base;
  }

  /** Writes what the field shows and the document does not. */
  #write(): void {
    if (!this.#doc || this.#composing || this.text === this.#base) return;
    const { start, end, text } = difference(this.#base, this.text);
    this.#doc.getText(TITLE).splice(start, end - start, text);
    this.#doc.commit();
    this.#base = this.text;
    void this.#push();
  }

  /** One push at a time, until the disk has everything. */
  async #push(): Promise<void> {
    if (this.#pushing) return;
    this.#pushing = true;
    for (let doc = this.#doc; doc && made(doc) > this.#saved.operations; doc = this.#doc) {
      const to = made(doc);
      const text = textOf(doc);
      const id = { peer: doc.peerIdStr, counter: this.#saved.operations };
      const update = doc.export({ mode: 'updates-in-range', spans: [{ id, len: to - id.counter }] });
      try {
        await this.#source.push(update);
        this.error = undefined;
        if (this.#doc === doc) this.#saved = { operations: to, text };
      } catch (error) {
        this.error = error;
        // A document that was put in the place of this one is written all the same.
        if (this.#doc === doc) break;
      }
    }
    this.#pushing = false;
  }
}

function textOf(doc: LoroDoc): string {
  return doc.getText(TITLE).toString();
}

/** How many operations this peer has made. */
function made(doc: LoroDoc): number {
  return doc.oplogVersion().get(doc.peerIdStr) ?? 0;
}
