import type { Difference, Moved } from '../live';
import type { Row } from '../rows';

/** Rows that show only some fields are made anew for each result. */
function isSame(old: Row | undefined, row: Row): boolean {
  return old === row || JSON.stringify(old) === JSON.stringify(row);
}

/** How one result became another; null if they are equal. */
export function difference(old: readonly Row[], rows: readonly Row[], revision: number): Difference | null {
  const places = new Map(old.map((row, place) => [row.id, place]));
  const left = new Set(old.map(({ id }) => id));
  const added: Row[] = [];
  const changed: Row[] = [];
  const moved: Moved[] = [];
  let furthest = -1;
  let after: string | null = null;
  for (const row of rows) {
    const place = places.get(row.id);
    left.delete(row.id);
    if (place === undefined) added.push(row);
    else if (!isSame(old[place], row)) changed.push(row);
    if (place === undefined || place < furthest) moved.push({ id: row.id, after });
    else furthest = place;
    after = row.id;
  }
  const removed = [...left].map((id) => ({ id, why: 'no longer matches' as const }));
  const same = added.length + changed.length + removed.length + moved.length === 0;
  return same ? null : { revision, added, changed, removed, moved };
}
