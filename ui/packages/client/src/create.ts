import type { DataStore } from './data-store';
import { decodePiece, type DocumentAddress, type Piece } from './document';
import { DataStoreError } from './error';
import { applyDifference, live, MISSING, type Coverage, type Difference, type Result } from './live';
import type { HasId } from './rows';
import { stream } from './stream';
import type { CommitNews, SyncStatus } from './sync';
import { tauriTransport } from './tauri';
import type { Args, Transport } from './transport';

/** A store reached through `transport`: the plugin's commands unless a test hands in its own. */
export function createDataStore(transport: Transport = tauriTransport): DataStore {
  async function call<Answer>(operation: string, args: Args = {}, bytes?: Uint8Array): Promise<Answer> {
    try {
      return (await transport.call(operation, args, bytes)) as Answer;
    } catch (rejection) {
      throw DataStoreError.from(rejection);
    }
  }

  const subscribe: DataStore['subscribe'] = <R extends HasId>(
    read: Parameters<DataStore['subscribe']>[0],
    listener: (result: Result<R>, difference: Difference<R> | null) => void,
  ) => {
    let result: Result<R> = MISSING;
    return stream(transport, 'subscribe', { ...read }, {
      message(message) {
        const told = message as ResultMessage<R>;
        const whole = 'rows' in told;
        const rows = whole ? told.rows : applyDifference(result.rows, told);
        result = { rows, coverage: told.coverage, error: null };
        listener(result, whole ? null : told);
      },
      failed(error) {
        result = { ...result, error };
        listener(result, null);
      },
    });
  };

  const inOrder = queues();

  return {
    manifest: () => call('manifest'),
    insert: (entity, data, options) => call('insert', given({ entity, data, options })),
    getById: (entity, id, shown) => call('get_by_id', given({ entity, id, ...shown })),
    list: (entity, shown) => call('list', given({ entity, ...shown })),
    listAfter: (entity, shown) => call('list_after', given({ entity, ...shown })),
    queryFiltered: (entity, filter, shown) => call('query_filtered', given({ entity, filter, ...shown })),
    update: (entity, id, patch, options) => call('update', given({ entity, id, patch, options })),
    delete: (entity, id, options) => call('delete', given({ entity, id, options })),
    restore: (entity, id, options) => call('restore', given({ entity, id, options })),
    transact: (ops, options) => call('transact', given({ ops, options })),
    drafts: () => call('drafts'),
    draftDiscard: (id) => call('draft_discard', { id }),
    async crdtSnapshot(document) {
      const answer = await call<ArrayBuffer | null>('crdt_snapshot', { ...document });
      return answer === null ? null : new Uint8Array(answer);
    },
    crdtApplyUpdate: (document, bytes, options) =>
      inOrder(JSON.stringify([document.entity, document.id, document.field]), () =>
        call('crdt_apply_update', given({ ...document, options }), bytes),
      ),
    subscribe,
    live: <R extends HasId>(read: Parameters<DataStore['subscribe']>[0]) =>
      live<Result<R>>(MISSING, (set) => subscribe<R>(read, set)),
    follow: (document, listener) => followDocument(transport, document, listener),
    syncStatus: live<SyncStatus | undefined>(undefined, (set) =>
      stream(transport, 'sync_status', {}, {
        message: (status) => set(status as SyncStatus),
        // Nothing is known then, and nothing is claimed.
        failed: () => set(undefined),
      }),
    ),
    commits: (listener) =>
      stream(transport, 'commits', {}, {
        message: (news) => (news as CommitNews[]).forEach(listener),
        failed: () => undefined,
      }),
    async connect({ url, token }) {
      await call('connect', { url, token });
    },
    async disconnect() {
      await call('disconnect');
    },
    serverAddress: () => call('server'),
    async retryNow() {
      await call('retry_now');
    },
  };
}

/** Runs work under one key one after the other: calls that are under way together may overtake each other. */
function queues() {
  const last = new Map<string, Promise<unknown>>();
  return <Answer>(key: string, work: () => Promise<Answer>): Promise<Answer> => {
    const answer = (last.get(key) ?? Promise.resolve()).then(work);
    // The next is tried whatever becomes of this.
    const settled = answer.then(
      () => undefined,
      () => undefined,
    );
    last.set(key, settled);
    void settled.then(() => last.get(key) === settled && last.delete(key));
    return answer;
  };
}

/** What a live read is told: first the whole result, then differences. */
type ResultMessage<R extends HasId> = ({ revision: number; rows: R[] } | Difference<R>) & { coverage: Coverage };

function followDocument(transport: Transport, document: DocumentAddress, listener: Parameters<DataStore['follow']>[1]) {
  let ended = false;
  const unsubscribe = stream(transport, 'follow', { ...document }, {
    message(message) {
      let piece: Piece;
      try {
        piece = decodePiece(message);
      } catch (error) {
        if (!ended) listener.ended(DataStoreError.from(error));
        ended = true;
        return unsubscribe();
      }
      if (!ended) listener.piece(piece);
    },
    failed(error) {
      if (!ended) listener.ended(error);
      ended = true;
    },
  });
  return unsubscribe;
}

/** The arguments that were given: a key without a value would be an argument that nobody meant. */
function given(args: Args): Args {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
}
