import type { Entity } from '../manifest';
import type { Json, Row } from '../rows';
import { refuse } from './refuse';

/** The fields that every row has without declaring them. */
export const IMPLICIT = ['id', 'created_at', 'updated_at', 'created_by', 'deleted_at', 'space'];

/** What a filter says, once it is understood. */
export interface Query {
  matches(row: Row): boolean;
  compare(a: Row, b: Row): number;
  /** It asks for rows in the trash, too. */
  trashed: boolean;
}

/** Understands a filter: equality, `$null`, `$not` and `$order`. */
export function parseFilter(entity: Entity, filter: unknown): Query {
  if (filter === null || filter === undefined) return { matches: () => true, compare: byId, trashed: false };
  if (!isObject(filter)) return refuse('INVALID_QUERY', 'a filter is an object');
  const tests: ((row: Row) => boolean)[] = [];
  let compare = byId;
  for (const [key, value] of Object.entries(filter)) {
    if (key === '$order') compare = parseOrder(entity, value);
    else if (key.startsWith('$')) refuse('INVALID_QUERY', `there is no operator ${key}`, { path: key });
    else {
      checkField(entity, key);
      tests.push(...parseTests(key, value));
    }
  }
  return { matches: (row) => tests.every((test) => test(row)), compare, trashed: 'deleted_at' in filter };
}

function parseTests(field: string, value: unknown): ((row: Row) => boolean)[] {
  if (!isObject(value)) return [(row) => (row[field] ?? null) === value];
  return Object.entries(value).map(([operator, operand]) => {
    if (operator === '$not') return (row: Row) => (row[field] ?? null) !== operand;
    if (operator === '$null' && typeof operand === 'boolean') {
      return (row: Row) => ((row[field] ?? null) === null) === operand;
    }
    return refuse('INVALID_QUERY', `there is no operator ${operator}`, { path: `${field}.${operator}` });
  });
}

function parseOrder(entity: Entity, order: unknown): (a: Row, b: Row) => number {
  const keys = (Array.isArray(order) ? order : [order]).map((key: unknown) => {
    const [entry, ...rest] = isObject(key) ? Object.entries(key) : [];
    if (entry === undefined || rest.length > 0 || (entry[1] !== 'asc' && entry[1] !== 'desc')) {
      return refuse('INVALID_QUERY', 'each key of $order is an object with one field', { path: '$order' });
    }
    const [field, direction] = entry;
    checkField(entity, field);
    return { field, sign: direction === 'asc' ? 1 : -1 };
  });
  return (a, b) => {
    for (const { field, sign } of keys) {
      const difference = compareValues(a[field] ?? null, b[field] ?? null) * sign;
      if (difference !== 0) return difference;
    }
    return byId(a, b);
  };
}

/** Refuses a name that is none of the entity's fields. */
export function checkField(entity: Entity, name: string) {
  const treeOrder = entity.relations?.some(({ tree, field }) => tree === true && name === `${field}_order`);
  if (IMPLICIT.includes(name) || treeOrder === true || entity.fields.some((field) => field.name === name)) return;
  refuse('INVALID_QUERY', `${entity.name} has no field ${name}`, { path: name });
}

function byId(a: Row, b: Row): number {
  return compareValues(a.id, b.id);
}

/** None before all others; texts as their code units stand. */
export function compareValues(a: Json, b: Json): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
