import { DataStoreError } from './error';
import type { HasId, Row } from './rows';

/** A value that tells how it changes: the contract of Svelte's stores, so that `$value` works in a component. */
export interface Live<T> {
  /** Calls `run` at once with the value, then with every later one, until the function that it gives is called. */
  subscribe(run: (value: T) => void): Unsubscribe;
}

/** Ends a subscription. Calling it again does nothing. */
export type Unsubscribe = () => void;

/** How much of a result is on this device. */
export type Coverage = 'complete' | 'partial' | 'missing';

/** A live read's result as it stands. */
export interface Result<R extends HasId = Row> {
  /** In their order. A row that has not changed is the same object as before. */
  readonly rows: readonly R[];
  /** `missing` until the first result has come: an empty list says nothing before. */
  readonly coverage: Coverage;
  /** Why the read has ended; the rows are then those of before. */
  readonly error: DataStoreError | null;
}

/** How a result has changed since the revision before. */
export interface Difference<R extends HasId = Row> {
  revision: number;
  /** Rows that were not in the result; `moved` says where they go. */
  added: R[];
  /** Rows that read differently now. */
  changed: R[];
  removed: Removed[];
  /** The places of new rows and of those that are elsewhere now. */
  moved: Moved[];
}

export interface Removed {
  id: string;
  why: 'deleted' | 'no longer matches' | 'outside the window' | 'access lost';
}

export interface Moved {
  id: string;
  /** The row before it; null if it is the first. */
  after: string | null;
}

/** Before the first result. */
export const MISSING: Result<never> = { rows: [], coverage: 'missing', error: null };

/**
 * The rows after a difference: `removed` and every row of `moved` are taken out, `changed` replaced in place, then each
 * of `moved`, in order, is put right after `after`, or first.
 */
export function applyDifference<R extends HasId>(rows: readonly R[], difference: Difference<R>): R[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of [...difference.added, ...difference.changed]) byId.set(row.id, row);
  const leaving = new Set([...difference.removed, ...difference.moved].map(({ id }) => id));
  const next: Linked = new Map();
  let last: string | null = null;
  for (const { id } of rows) {
    if (leaving.has(id)) continue;
    next.set(last, id);
    last = id;
  }
  for (const { id, after } of difference.moved) {
    const behind = next.get(after);
    next.set(after, id);
    if (behind !== undefined) next.set(id, behind);
  }
  return inOrder(next).flatMap((id) => byId.get(id) ?? []);
}

/** Which row follows which; null is before the first. */
type Linked = Map<string | null, string>;

function inOrder(next: Linked): string[] {
  const ids: string[] = [];
  // A difference that names rows which are not here could make a ring.
  for (let id = next.get(null); id !== undefined && ids.length < next.size; id = next.get(id)) ids.push(id);
  return ids;
}

/** A value that one source feeds as long as somebody listens. */
export function live<T>(initial: T, start: (set: (value: T) => void) => Unsubscribe): Live<T> {
  const runs = new Set<{ run: (value: T) => void }>();
  let value = initial;
  let stop: Unsubscribe | undefined;
  function set(next: T) {
    value = next;
    for (const { run } of runs) run(value);
  }
  return {
    subscribe(run) {
      if (runs.size === 0) {
        value = initial;
        stop = start(set);
      }
      const entry = { run };
      runs.add(entry);
      run(value);
      return () => {
        if (!runs.delete(entry) || runs.size > 0) return;
        stop?.();
        stop = undefined;
      };
    },
  };
}
