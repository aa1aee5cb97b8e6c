/** A value as it travels. Integers beyond 2^53 lose their last digits on the way into a page. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A row, or as much of one as was asked for: a read that names `fields` gives those and the id. */
export interface HasId {
  /** A UUID in lower case, minted by whoever wrote the row first; it never changes. */
  id: string;
}

/** A row: the fields that the manifest declares, and those that every row has. */
export interface Row extends HasId {
  /** RFC 3339. Provisional until the server has the row. */
  created_at: string;
  updated_at: string;
  /** The actor that wrote the row first. */
  created_by: string;
  /** When the row itself was put into the trash. */
  deleted_at: string | null;
  /** Null until a server has offered a space. */
  space: string | null;
  [field: string]: Json;
}

/**
 * Which rows: keys are fields and all must hold, a plain value means equality and null means that there is none.
 * `{"parent": null, "title": {"$not": "x"}, "$order": {"created_at": "desc"}}`; rows in the trash only come where
 * `deleted_at` is named.
 */
export type Filter = { $order?: Order | Order[] } & { [field: string]: Json | Test };

/** One key of an order: one field and its direction. Ties are broken by id. */
export type Order = { [field: string]: 'asc' | 'desc' };

/** What must hold of one field. */
export interface Test {
  $null?: boolean;
  $not?: Json;
}

/** How a read shows formatted texts: as plain text unless told. */
export type RichtextForm = 'plain' | 'markdown' | 'document';

/** A read that can be made live, named and shaped as at every other edge of the store. */
export type Read =
  | { op: 'get_by_id'; args: { entity: string; id: string; richtext?: RichtextForm } & Shown }
  | { op: 'list'; args: { entity: string; limit?: number } & Shown }
  | { op: 'list_after'; args: { entity: string; after?: string; limit?: number } & Shown }
  | { op: 'query_filtered'; args: { entity: string; filter?: Filter } & Shown }
  | { op: 'drafts'; args?: Record<string, never> };

/** What a read shows. */
export interface Shown {
  /** The fields that are wanted beside the id; all of them unless told. A live read is told of changes to no other. */
  fields?: string[];
}

/** A page of rows in the order of their ids. */
export interface Page<R extends HasId = Row> {
  rows: R[];
  /** What `after` is for the next page; null if this was the last. */
  next: string | null;
  has_more: boolean;
}

/** What a caller may say about a write. */
export interface WriteOptions {
  /** A label that the commit keeps: a session, an import, an agent. At most 256 bytes. */
  origin?: string;
  /** The same key again gets the same answer, and writes nothing. Kept for 30 days. */
  idempotency_key?: string;
}

/** The proof that a write is on this disk. */
export interface Receipt {
  /** The commit; null if there was nothing to write. */
  commit: string | null;
  /** The head of this device's log with the write in it. */
  seq: number;
  state: 'local' | 'server';
}

/** One operation of a transaction. `{"$ref": 0}` stands for the id of the row that an earlier one inserted. */
export type TransactOp =
  | { op: 'insert'; entity: string; data: Data }
  | { op: 'update'; entity: string; id: string | Ref; data: Data }
  | { op: 'delete' | 'restore'; entity: string; id: string | Ref };

export interface Ref {
  $ref: number;
}

/**
 * Values of fields. A tree's field takes a parent's id or null, or `{parent, after}` or `{parent, before}` with a
 * sibling's id (null: first or last). A formatted text takes plain text, `{markdown}` or `{document}`.
 */
export type Data = { [field: string]: Json | Ref };

/** A write that the server refused, kept for its author. */
export interface Draft {
  id: string;
  entity: string;
  row: string;
  field: string | null;
  status: string;
  code: string;
  reason: string;
  created_at: string;
}
