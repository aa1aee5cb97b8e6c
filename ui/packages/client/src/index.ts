/**
 * The typed DataStore API for the web UI of any Tauri app that uses `tauri-plugin-tombolo`.
 *
 * It knows operation names, their shapes and how an error looks; it does not know what the app's entities mean, and
 * no UI library: a live value has the store contract that Svelte knows, and any other page can call it as it is.
 *
 * ```ts
 * const store = createDataStore();
 * const { id } = await store.insert('Page', { title: 'Hello' });
 * const stop = store.subscribe({ op: 'list', args: { entity: 'Page' } }, ({ rows }) => show(rows));
 * ```
 */
export { createDataStore } from './create';
export type { DataStore, ResultListener } from './data-store';
export type { DocumentAddress, DocumentListener, Piece } from './document';
export { DataStoreError, type ErrorObject } from './error';
export {
  applyDifference,
  live,
  MISSING,
  type Coverage,
  type Difference,
  type Live,
  type Moved,
  type Removed,
  type Result,
  type Unsubscribe,
} from './live';
export type { Entity, Field, Manifest, OpenedManifest, Relation } from './manifest';
export type {
  Data,
  Draft,
  Filter,
  HasId,
  Json,
  Order,
  Page,
  Read,
  Receipt,
  Ref,
  RichtextForm,
  Row,
  Shown,
  Test,
  TransactOp,
  WriteOptions,
} from './rows';
export type { CommitNews, ServerAddress, Sync, SyncState, SyncStatus } from './sync';
export { tauriTransport } from './tauri';
export type { Args, Transport } from './transport';
