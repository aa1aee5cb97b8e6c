import type { DocumentAddress, DocumentListener } from './document';
import type { Difference, Live, Result, Unsubscribe } from './live';
import type { OpenedManifest } from './manifest';
import type {
  Data,
  Draft,
  Filter,
  HasId,
  Page,
  Read,
  Receipt,
  RichtextForm,
  Row,
  Shown,
  TransactOp,
  WriteOptions,
} from './rows';
import type { Sync } from './sync';

/**
 * The store behind the window. Every promise rejects with a `DataStoreError`, whose code says why.
 *
 * A write is on this disk when its promise resolves. Unknown entities are `ENTITY_NOT_FOUND`; arguments that cannot be
 * understood `INVALID_QUERY`; values that break a constraint `INVALID_DATA` or `UNIQUE_VIOLATION`; what is too large
 * `TOO_LARGE`; a disk that does not take it `STORAGE_FULL` or `STORAGE_FAILED`.
 */
export interface DataStore extends Sync {
  /** The manifest that the store was opened with, and its hash. */
  manifest(): Promise<OpenedManifest>;

  /** Writes a new row. `data` may carry an id; one that is taken is `CONFLICT`. */
  insert(entity: string, data: Data, options?: WriteOptions): Promise<{ id: string; receipt: Receipt }>;
  /** The row, in the trash or not; null if there is none. */
  getById<R extends HasId = Row>(
    entity: string,
    id: string,
    shown?: { richtext?: RichtextForm } & Shown,
  ): Promise<R | null>;
  /** Rows by id: at most `limit`, 1,000 unless told, 10,000 at most. */
  list<R extends HasId = Row>(entity: string, shown?: { limit?: number } & Shown): Promise<R[]>;
  /** A page of rows by id. */
  listAfter<R extends HasId = Row>(
    entity: string,
    shown?: { after?: string | null; limit?: number } & Shown,
  ): Promise<Page<R>>;
  /** The rows that a filter lets through, in its order. */
  queryFiltered<R extends HasId = Row>(entity: string, filter?: Filter, shown?: Shown): Promise<R[]>;
  /** Changes the named fields. `updated` is false if there is no such row. */
  update(
    entity: string,
    id: string,
    patch: Data,
    options?: WriteOptions,
  ): Promise<{ updated: boolean; receipt: Receipt }>;
  /** Puts a row, and with it what is below it, into the trash. */
  delete(entity: string, id: string, options?: WriteOptions): Promise<{ deleted: boolean; receipt: Receipt }>;
  /** Takes a row out of the trash. */
  restore(entity: string, id: string, options?: WriteOptions): Promise<{ restored: boolean; receipt: Receipt }>;
  /** Several writes, all or nothing; the error's details name the `index` of the operation that failed. */
  transact(
    ops: TransactOp[],
    options?: WriteOptions,
  ): Promise<{ committed: true; results: Record<string, unknown>[]; receipt: Receipt }>;

  /** The writes that the server refused, oldest first. */
  drafts(): Promise<Draft[]>;
  draftDiscard(id: string): Promise<{ discarded: boolean }>;

  /** A document's bytes for Loro's `import`; null if there is no such document. */
  crdtSnapshot(document: DocumentAddress): Promise<Uint8Array | null>;
  /**
   * Applies an update that Loro exported, at most 1 MiB. What is no update is `CRDT_DECODE_FAILED`; one that builds on
   * operations that the document does not have, as after a refusal, `CRDT_APPLY_FAILED`. Updates of one document are
   * sent one after the other, whether the one before is awaited or not.
   */
  crdtApplyUpdate(document: DocumentAddress, bytes: Uint8Array, options?: WriteOptions): Promise<{ receipt: Receipt }>;

  /**
   * Follows a read: the listener is told the whole result after each change, and the difference where it is not the
   * first. Changes that come faster than the page takes them are merged into one.
   */
  subscribe<R extends HasId = Row>(read: Read, listener: ResultListener<R>): Unsubscribe;
  /** The same as a value: `const pages = store.live({op: 'list', args: {entity: 'Page'}})`, then `$pages.rows`. */
  live<R extends HasId = Row>(read: Read): Live<Result<R>>;
  /** Follows a document, so that it can be edited together with everybody else. */
  follow(document: DocumentAddress, listener: DocumentListener): Unsubscribe;
}

export type ResultListener<R extends HasId = Row> = (result: Result<R>, difference: Difference<R> | null) => void;
