import type { DocumentAddress } from '../document';
import { DataStoreError } from '../error';
import type { Entity, Manifest } from '../manifest';
import type { Draft, Row } from '../rows';
import type { CommitNews, ServerAddress, SyncStatus } from '../sync';
import type { Args, Transport } from '../transport';
import { difference } from './difference';
import { Documents, keyOf, type LoroLike } from './documents';
import { checkField, isObject } from './filter';
import { refuse } from './refuse';
import { Subscriptions, type Source } from './subscriptions';
import { Tables } from './tables';

/** When the fake's clock starts; each write takes a second. */
const START = Date.UTC(2026, 0, 1);
const DEFAULT_LIMIT = 1_000;
const SNAPSHOT = 0;
const UPDATE = 1;

/** One operation of a transaction, or one by itself. */
type Op = { op: string; entity?: unknown; id?: unknown; data?: unknown; patch?: unknown };

/** A store in memory, behind the same transport as the real one. */
export class Backend implements Transport {
  readonly calls: [operation: string, args: Args][] = [];
  readonly failures = new Map<string, DataStoreError>();
  readonly subscriptions = new Subscriptions();
  readonly documents: Documents;
  readonly tables: Tables;
  readonly drafts: Draft[] = [];
  status: SyncStatus = { state: 'local', waiting: 0, drafts: 0, retry_in_ms: null, code: null, message: null };
  server: ServerAddress = { url: null, account: 'none', remembered: false };
  readonly #manifest: Manifest;
  readonly #news: CommitNews[] = [];
  readonly #followers = new Map<string, Set<Uint8Array[]>>();
  #writes = 0;
  #ids = 0;
  #peers = 0n;

  constructor(manifest: Manifest, newDocument: (() => LoroLike) | undefined) {
    this.#manifest = manifest;
    this.documents = new Documents(newDocument);
    const now = () => new Date(START + this.#writes * 1_000).toISOString();
    this.tables = new Tables(manifest, now, () => this.#mint());
  }

  async call(operation: string, args: Args, bytes?: Uint8Array): Promise<unknown> {
    this.calls.push([operation, args]);
    const failure = this.failures.get(operation);
    this.failures.delete(operation);
    if (failure !== undefined) throw failure;
    const answer = this.#answer(operation, args, bytes);
    // What a page holds is its own, as after a journey through another process.
    return answer instanceof ArrayBuffer ? answer : structuredClone(answer);
  }

  async open(operation: string, args: Args, receive: (message: unknown) => void): Promise<number> {
    this.calls.push([operation, args]);
    return this.subscriptions.add(this.#source(operation, args), receive);
  }

  tellCommit(news: CommitNews): void {
    this.#news.push(news);
    this.subscriptions.changed();
  }

  /** Tells all followers of a document; without an update, that it was made anew. */
  tellDocument(address: DocumentAddress, update?: Uint8Array): void {
    for (const pieces of this.#followers.get(keyOf(address)) ?? []) {
      if (update === undefined) pieces.splice(0, pieces.length, this.#snapshot(address));
      else pieces.push(Uint8Array.from([UPDATE, ...update]));
    }
    this.subscriptions.changed();
  }

  #mint(): string {
    this.#ids += 1;
    return `00000000-0000-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`;
  }

  #answer(operation: string, args: Args, bytes?: Uint8Array): unknown {
    switch (operation) {
      case 'manifest':
        return { manifest: this.#manifest, hash: '0'.repeat(64) };
      case 'list_after':
        return this.#page(args);
      case 'get_by_id':
        return this.#rows('get_by_id', args)[0] ?? null;
      case 'list':
      case 'query_filtered':
      case 'drafts':
        return this.#rows(operation, args);
      case 'insert':
      case 'update':
      case 'delete':
      case 'restore':
        return this.#written(() => this.#write({ ...args, op: operation }));
      case 'transact':
        return this.#written(() => ({ committed: true, results: this.#transact(args['ops']) }));
      case 'draft_discard':
        return { discarded: this.#discard(args['id']) };
      case 'crdt_snapshot':
        return this.documents.snapshot(this.#document(args))?.slice().buffer ?? null;
      case 'crdt_apply_update':
        return this.#written(() => this.#apply(this.#document(args), bytes));
      default:
        return this.#session(operation, args);
    }
  }

  #session(operation: string, args: Args): unknown {
    switch (operation) {
      case 'acknowledge':
        return this.subscriptions.acknowledge(args['subscription']);
      case 'unsubscribe':
        return { unsubscribed: this.subscriptions.remove(args['subscription']) };
      case 'connect':
        return this.#connect(args);
      case 'disconnect':
        this.server = { url: null, account: 'none', remembered: false };
        this.status = { ...this.status, state: 'local', retry_in_ms: null, code: null, message: null };
        return this.subscriptions.changed();
      case 'server':
        return this.server;
      case 'retry_now':
        return null;
      default:
        return refuse('INVALID_QUERY', `there is no operation ${operation}`, { op: operation });
    }
  }

  #connect({ url, token }: Args): null {
    if (typeof url !== 'string' || !/^(https?|wss?):\/\/[^\s@?#]+$/.test(url)) {
      return refuse('INVALID_QUERY', `${String(url)} is no server address`, { url });
    }
    if (typeof token !== 'string' || token.trim() === '') return refuse('INVALID_DATA', 'the token is empty', { field: 'token' });
    this.server = { url, account: 'unknown', remembered: true };
    this.status = { ...this.status, state: 'connecting' };
    this.subscriptions.changed();
    return null;
  }

  #source(operation: string, args: Args): Source {
    switch (operation) {
      case 'subscribe':
        return this.#liveRows(args);
      case 'follow':
        return this.#pieces(this.#document(args));
      case 'sync_status':
        return changes(() => this.status);
      case 'commits': {
        let told = this.#news.length;
        return () => {
          const news = this.#news.slice(told);
          told = this.#news.length;
          return news.length > 0 ? news : undefined;
        };
      }
      default:
        return refuse('INVALID_QUERY', `there is no subscription ${operation}`, { op: operation });
    }
  }

  #liveRows({ op, args }: Args): Source {
    const read = () => this.#rows(op, isObject(args) ? args : {});
    let rows = read();
    let revision = 0;
    return () => {
      if (revision === 0) {
        revision = 1;
        rows = read();
        return { revision, rows, coverage: 'complete' };
      }
      const changed = difference(rows, read(), revision + 1);
      if (changed === null) return undefined;
      rows = read();
      revision += 1;
      return { ...changed, coverage: 'complete' };
    };
  }

  #pieces(address: DocumentAddress): Source {
    const pieces = [this.#snapshot(address)];
    const followers = this.#followers.get(keyOf(address)) ?? new Set();
    this.#followers.set(keyOf(address), followers.add(pieces));
    return () => pieces.shift()?.buffer;
  }

  #snapshot(address: DocumentAddress): Uint8Array {
    this.#peers += 1n;
    const head = new DataView(new ArrayBuffer(9));
    head.setUint8(0, SNAPSHOT);
    head.setBigUint64(1, this.#peers, true);
    const bytes = this.documents.snapshot(address) ?? this.documents.empty();
    return Uint8Array.from([...new Uint8Array(head.buffer), ...bytes]);
  }

  #document({ entity, id, field }: Args): DocumentAddress {
    const declared = this.tables.entity(entity);
    if (field !== undefined && !declared.fields.some(({ name }) => name === field)) {
      refuse('FIELD_NOT_FOUND', `${declared.name} has no field ${String(field)}`, { field });
    }
    if (this.tables.get(declared, id) === undefined) refuse('ROW_NOT_FOUND', `there is no row ${String(id)}`, { id });
    const address = { entity: declared.name, id: String(id) };
    return typeof field === 'string' ? { ...address, field } : address;
  }

  #rows(op: unknown, args: Record<string, unknown>): Row[] {
    if (op === 'drafts') return this.drafts as unknown as Row[];
    const entity = this.tables.entity(args['entity']);
    const fields: unknown = args['fields'] ?? null;
    if (fields === null) return this.#found(op, entity, args);
    if (!Array.isArray(fields)) return refuse('INVALID_QUERY', 'fields: it is a list of names', { path: 'fields' });
    for (const field of fields) checkField(entity, String(field));
    const shown = (row: Row) => Object.entries(row).filter(([field]) => field === 'id' || fields.includes(field));
    return this.#found(op, entity, args).map((row) => Object.fromEntries(shown(row)) as Row);
  }

  #found(op: unknown, entity: Entity, args: Record<string, unknown>): Row[] {
    const limit = typeof args['limit'] === 'number' ? args['limit'] : DEFAULT_LIMIT;
    const after = String(args['after'] ?? '');
    switch (op) {
      case 'get_by_id':
        return [this.tables.get(entity, args['id']) ?? []].flat();
      case 'list':
        return this.tables.select(entity, null).slice(0, limit);
      case 'list_after':
        return this.tables.select(entity, null).filter(({ id }) => id > after).slice(0, limit);
      case 'query_filtered':
        return this.tables.select(entity, args['filter']);
      default:
        return refuse('NOT_SUPPORTED', 'only reads of rows can be subscribed to');
    }
  }

  #page(args: Args): unknown {
    const limit = typeof args['limit'] === 'number' ? args['limit'] : DEFAULT_LIMIT;
    const found = this.#rows('list_after', { ...args, limit: limit + 1 });
    const rows = found.slice(0, limit);
    const more = found.length > limit;
    return { rows, next: more ? (rows.at(-1)?.id ?? null) : null, has_more: more };
  }

  #written<Answer extends object>(write: () => Answer): Answer & { receipt: unknown } {
    const answer = this.tables.atomically(write);
    this.#writes += 1;
    this.subscriptions.changed();
    const commit = this.#writes.toString(16).padStart(32, '0');
    return { ...answer, receipt: { commit, seq: this.#writes, state: 'local' } };
  }

  #write({ op, entity: name, id: given, data, patch }: Op): Record<string, unknown> {
    const entity = this.tables.entity(name);
    const values = data ?? patch ?? {};
    if (!isObject(values)) return refuse('INVALID_QUERY', 'the values are an object', { path: 'data' });
    if (op === 'insert') return { id: this.tables.insert(entity, values) };
    const id = String(given);
    if (op === 'update') return { updated: this.tables.update(entity, id, values) };
    if (op === 'delete') return { deleted: this.tables.trash(entity, id, true) };
    if (op === 'restore') return { deleted: false, restored: this.tables.trash(entity, id, false) };
    return refuse('TX_INVALID_OP', `a transaction has no ${op}`);
  }

  #transact(ops: unknown): Record<string, unknown>[] {
    if (!Array.isArray(ops)) return refuse('INVALID_QUERY', 'ops: it is a list of operations', { path: 'ops' });
    const results: Record<string, unknown>[] = [];
    for (const [index, op] of ops.entries()) {
      try {
        results.push(this.#write(resolved(op, results) as Op));
      } catch (rejection) {
        const error = DataStoreError.from(rejection);
        throw new DataStoreError({ ...error, message: error.message, details: { ...Object(error.details), index } });
      }
    }
    return results;
  }

  #apply(address: DocumentAddress, bytes?: Uint8Array): Record<string, never> {
    if (bytes === undefined) return refuse('INVALID_QUERY', 'bytes: they are missing', { path: 'bytes' });
    this.documents.apply(address, bytes);
    this.tellDocument(address, bytes);
    return {};
  }

  #discard(id: unknown): boolean {
    const at = this.drafts.findIndex((draft) => draft.id === id);
    if (at < 0) return false;
    this.drafts.splice(at, 1);
    this.subscriptions.changed();
    return true;
  }
}

/** Tells a value at first and whenever it is another. */
function changes(value: () => unknown): Source {
  let told: unknown;
  return () => {
    const now = value();
    if (now === told) return undefined;
    told = now;
    return now;
  };
}

/** Replaces each `{"$ref": n}` by the id of the row that operation `n` made. */
function resolved(value: unknown, results: Record<string, unknown>[]): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, results));
  if (!isObject(value)) return value;
  if (typeof value['$ref'] === 'number') {
    return results[value['$ref']]?.['id'] ?? refuse('TX_INVALID_OP', '$ref names no earlier operation that made a row');
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, results)]));
}
