import { DataStoreError } from './error';
import type { OpenedManifest } from './manifest';
import { tauriTransport, type Transport } from './transport';

/** The operations of the store behind the window. Every one rejects with a {@link DataStoreError}. */
export interface DataStore {
  /** The manifest that the store was opened with, and its hash. */
  manifest(): Promise<OpenedManifest>;
}

/** A store reached through `transport`: the plugin's commands unless a test hands in its own. */
export function createDataStore(transport: Transport = tauriTransport): DataStore {
  async function call<Result>(operation: string, args: Record<string, unknown> = {}): Promise<Result> {
    try {
      return (await transport(operation, args)) as Result;
    } catch (rejection) {
      throw DataStoreError.from(rejection);
    }
  }

  return {
    manifest: () => call('manifest'),
  };
}
