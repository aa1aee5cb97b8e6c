import type { DocumentAddress } from '../document';
import { refuse } from './refuse';

/** What the fake needs of a Loro document; `new LoroDoc()` is one. */
export interface LoroLike {
  import(bytes: Uint8Array): { pending?: unknown } | undefined;
  export(mode: { mode: 'snapshot' }): Uint8Array;
}

/**
 * The documents. With `newDocument` they are real ones that merge; without, a document is the updates that it was
 * given, put one behind the other, for tests that never look into them.
 */
export class Documents {
  readonly #newDocument: (() => LoroLike) | undefined;
  readonly #documents = new Map<string, { loro: LoroLike | undefined; bytes: Uint8Array }>();

  constructor(newDocument: (() => LoroLike) | undefined) {
    this.#newDocument = newDocument;
  }

  /** The document's bytes; undefined if nothing was written to it. */
  snapshot(address: DocumentAddress): Uint8Array | undefined {
    const document = this.#documents.get(keyOf(address));
    return document?.loro?.export({ mode: 'snapshot' }) ?? document?.bytes;
  }

  /** The bytes of an empty document. */
  empty(): Uint8Array {
    return this.#newDocument?.().export({ mode: 'snapshot' }) ?? new Uint8Array();
  }

  apply(address: DocumentAddress, bytes: Uint8Array): void {
    let document = this.#documents.get(keyOf(address));
    if (document === undefined) document = { loro: this.#newDocument?.(), bytes: new Uint8Array() };
    if (isPending(imported(document.loro, bytes))) {
      refuse('CRDT_APPLY_FAILED', 'the update builds on operations that are not here');
    }
    document.bytes = Uint8Array.from([...document.bytes, ...bytes]);
    this.#documents.set(keyOf(address), document);
  }

  /** Puts another document in its place. */
  replace(address: DocumentAddress, bytes: Uint8Array): void {
    this.#documents.delete(keyOf(address));
    this.apply(address, bytes);
  }
}

function imported(loro: LoroLike | undefined, bytes: Uint8Array) {
  try {
    return loro?.import(bytes);
  } catch (error) {
    return refuse('CRDT_DECODE_FAILED', error instanceof Error ? error.message : 'the bytes are no update');
  }
}

function isPending(status: { pending?: unknown } | undefined): boolean {
  return status?.pending !== undefined && status.pending !== null;
}

export function keyOf({ entity, id, field }: DocumentAddress): string {
  return JSON.stringify([entity, id, field ?? null]);
}
