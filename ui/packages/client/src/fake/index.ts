/**
 * A store in memory, for tests of pages: the same API and error codes over one device's rows, without merging.
 *
 * ```ts
 * const store = fakeStore(manifest, { Page: [{ title: 'Hello' }] });
 * store.fake.setSyncStatus({ state: 'offline', waiting: 3 });
 * ```
 */
import { createDataStore } from '../create';
import type { DataStore } from '../data-store';
import type { DocumentAddress } from '../document';
import { DataStoreError } from '../error';
import type { Manifest } from '../manifest';
import type { Data, Draft } from '../rows';
import type { CommitNews, ServerAddress, SyncStatus } from '../sync';
import type { Args } from '../transport';
import { Backend } from './backend';
import type { LoroLike } from './documents';

export type { LoroLike } from './documents';

/** The store, and what only a test may do to it. */
export type FakeStore = DataStore & { readonly fake: Fake };

/** What happens to a store from outside. Whoever listens is told a moment later: await {@link Fake.settled}. */
export interface Fake {
  /** What was called, in order, subscriptions included. */
  readonly calls: readonly [operation: string, args: Args][];
  /** How many subscriptions are open: a page that is gone leaves none. */
  readonly subscriptions: number;
  /** Changes the status, in part or as a whole. */
  setSyncStatus(status: Partial<SyncStatus>): void;
  setServer(server: Partial<ServerAddress>): void;
  tellCommit(news: CommitNews): void;
  addDraft(draft: Partial<Draft>): void;
  /** Takes a row out, as the refusal of the write that made it does. */
  removeRow(entity: string, id: string): void;
  /** Lets the next call of an operation fail. */
  failNext(operation: string, code: string, message?: string): void;
  /** A document's bytes; undefined if nothing was written to it. */
  document(address: DocumentAddress): Uint8Array | undefined;
  /** An update by somebody else. */
  remoteUpdate(address: DocumentAddress, bytes: Uint8Array): void;
  /** Puts another document in its place, as happens when the server refuses a write: followers begin anew. */
  rebuildDocument(address: DocumentAddress, snapshot: Uint8Array): void;
  /** Resolves once everything that has happened was told. */
  settled(): Promise<void>;
}

export interface FakeOptions {
  /** `() => new LoroDoc()`: then documents are real ones. */
  newDocument?: () => LoroLike;
}

/**
 * A store that holds `rows`, by entity, inserted in their order. Ids and times are the same in every run.
 *
 * It filters by equality, `$null`, `$not`, `$order` and the trash; a formatted text reads as it was written. Followers
 * of a document are also told their own updates, which Loro knows already.
 */
export function fakeStore(
  manifest: Manifest,
  rows: Record<string, Data[]> = {},
  { newDocument }: FakeOptions = {},
): FakeStore {
  const backend = new Backend(manifest, newDocument);
  for (const [entity, data] of Object.entries(rows)) {
    for (const row of data) backend.tables.insert(backend.tables.entity(entity), row);
  }
  return { ...createDataStore(backend), fake: fake(backend) };
}

function fake(backend: Backend): Fake {
  const { subscriptions } = backend;
  return {
    calls: backend.calls,
    get subscriptions() {
      return subscriptions.size;
    },
    setSyncStatus(status) {
      backend.status = { ...backend.status, ...status };
      subscriptions.changed();
    },
    setServer(server) {
      backend.server = { ...backend.server, ...server };
    },
    tellCommit: (news) => backend.tellCommit(news),
    addDraft(draft) {
      const id = (backend.drafts.length + 1).toString(16).padStart(32, 'd');
      const reason = { code: 'INVALID_DATA', reason: 'the server refused it', status: 'invalid' };
      const row = { entity: '', row: '', field: null, created_at: '2026-01-01T00:00:00.000Z' };
      backend.drafts.push({ id, ...row, ...reason, ...draft });
      subscriptions.changed();
    },
    removeRow(entity, id) {
      backend.tables.remove(backend.tables.entity(entity), id);
      subscriptions.changed();
    },
    failNext(operation, code, message = 'as the test wished') {
      backend.failures.set(operation, new DataStoreError({ code, message, details: {} }));
    },
    document: (address) => backend.documents.snapshot(address),
    remoteUpdate(address, bytes) {
      backend.documents.apply(address, bytes);
      backend.tellDocument(address, bytes);
    },
    rebuildDocument(address, snapshot) {
      backend.documents.replace(address, snapshot);
      backend.tellDocument(address);
    },
    // Everything that is told goes through microtasks.
    settled: () => new Promise((resolve) => setTimeout(resolve)),
  };
}
