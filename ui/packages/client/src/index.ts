/**
 * The typed DataStore API for the web UI of any Tauri app that uses `tauri-plugin-tombolo`.
 *
 * It knows operation names, their shapes and how an error looks; it does not know what the app's entities mean.
 *
 * ```ts
 * const store = createDataStore();
 * const { manifest } = await store.manifest();
 * ```
 */
export { createDataStore, type DataStore } from './data-store';
export { DataStoreError, type ErrorObject } from './error';
export type { Entity, Field, Manifest, OpenedManifest, Relation } from './manifest';
export { tauriTransport, type Transport } from './transport';
