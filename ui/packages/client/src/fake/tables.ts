import type { Entity, Field, Manifest } from '../manifest';
import type { Json, Row } from '../rows';
import { compareValues, IMPLICIT, isObject, parseFilter } from './filter';
import { refuse } from './refuse';

/** The order key of a row that is placed first. */
const MIDDLE = 500_000;

/** The rows of a manifest's entities, checked and changed as the store does it, without merging. */
export class Tables {
  readonly #manifest: Manifest;
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #now: () => string;
  readonly #mint: () => string;

  constructor(manifest: Manifest, now: () => string, mint: () => string) {
    this.#manifest = manifest;
    this.#now = now;
    this.#mint = mint;
  }

  entity(name: unknown): Entity {
    const entity = this.#manifest.entities.find((declared) => declared.name === name);
    return entity ?? refuse('ENTITY_NOT_FOUND', `the manifest has no entity ${String(name)}`, { entity: name });
  }

  get(entity: Entity, id: unknown): Row | undefined {
    return typeof id === 'string' ? this.#table(entity).get(id) : undefined;
  }

  select(entity: Entity, filter: unknown): Row[] {
    const query = parseFilter(entity, filter);
    const seen = (row: Row) => query.trashed || !this.isTrashed(entity, row);
    return [...this.#table(entity).values()].filter((row) => seen(row) && query.matches(row)).toSorted(query.compare);
  }

  /** The row or one of those above it is in the trash. */
  isTrashed(entity: Entity, row: Row): boolean {
    return this.#path(entity, row).some((above) => above.deleted_at !== null);
  }

  insert(entity: Entity, data: Record<string, unknown>): string {
    const { id: given, ...values } = data;
    const id = given === undefined || given === null ? this.#mint() : given;
    if (typeof id !== 'string') return refuse('INVALID_DATA', 'an id is a string', { field: 'id' });
    if (this.#table(entity).has(id)) refuse('CONFLICT', `${entity.name} already has a row ${id}`, { id });
    const now = this.#now();
    const row: Row = {
      id,
      created_at: now,
      updated_at: now,
      created_by: 'fake',
      deleted_at: null,
      space: null,
    };
    const tree = treeField(entity);
    for (const field of entity.fields) {
      const value = values[field.name] ?? field.default ?? null;
      if (field.name !== tree) row[field.name] = checked(field, value);
    }
    this.#check(entity, row, values);
    if (tree !== undefined) Object.assign(row, this.#place(entity, tree, row, values[tree] ?? null, true));
    this.#table(entity).set(id, row);
    return id;
  }

  update(entity: Entity, id: string, patch: Record<string, unknown>): boolean {
    const old = this.get(entity, id);
    if (old === undefined) return false;
    const row: Row = { ...old };
    const tree = treeField(entity);
    for (const field of entity.fields.filter(({ name }) => name in patch)) {
      if (field.name === tree) Object.assign(row, this.#place(entity, tree, old, patch[tree] ?? null, false));
      else row[field.name] = checked(field, patch[field.name] ?? null);
    }
    this.#check(entity, row, patch);
    row.updated_at = this.#now();
    this.#table(entity).set(id, row);
    return true;
  }

  /** Says whether anything has changed. */
  trash(entity: Entity, id: string, into: boolean): boolean {
    const row = this.get(entity, id);
    if (row === undefined || (row.deleted_at !== null) === into) return false;
    const now = this.#now();
    this.#table(entity).set(id, { ...row, deleted_at: into ? now : null, updated_at: now });
    return true;
  }

  /** Takes a row out for good, as a refusal of the write that made it does. */
  remove(entity: Entity, id: string): void {
    this.#table(entity).delete(id);
  }

  /** Runs a transaction: if it throws, nothing has changed. */
  atomically<T>(run: () => T): T {
    const before = [...this.#rows].map(([name, rows]) => [name, new Map(rows)] as const);
    try {
      return run();
    } catch (error) {
      this.#rows.clear();
      for (const [name, rows] of before) this.#rows.set(name, rows);
      throw error;
    }
  }

  #table(entity: Entity): Map<string, Row> {
    let table = this.#rows.get(entity.name);
    if (table === undefined) this.#rows.set(entity.name, (table = new Map()));
    return table;
  }

  /** The row and those above it. */
  #path(entity: Entity, row: Row): Row[] {
    const tree = treeField(entity);
    const path: Row[] = [];
    for (let at: Row | undefined = row; at !== undefined && !path.includes(at); ) {
      path.push(at);
      at = tree === undefined ? undefined : this.get(entity, at[tree]);
    }
    return path;
  }

  #check(entity: Entity, row: Row, given: Record<string, unknown>) {
    const known = (name: string) => entity.fields.some((field) => field.name === name);
    const unknown = Object.keys(given).find((name) => !known(name));
    if (unknown !== undefined && IMPLICIT.includes(unknown)) {
      refuse('INVALID_DATA', `${unknown} cannot be written`, { field: unknown });
    }
    if (unknown !== undefined) refuse('FIELD_NOT_FOUND', `${entity.name} has no field ${unknown}`, { field: unknown });
    for (const { name } of entity.fields.filter(({ unique }) => unique === true)) {
      const twin = [...this.#table(entity).values()].find((other) => other.id !== row.id && other[name] === row[name]);
      if (twin !== undefined && row[name] !== null && !this.isTrashed(entity, twin)) {
        refuse('UNIQUE_VIOLATION', `${name} is taken`, { field: name });
      }
    }
  }

  /** A parent's id or null, or `{parent, after}` or `{parent, before}`. */
  #place(entity: Entity, tree: string, row: Row, wish: unknown, isNew: boolean): Record<string, Json> {
    const order = `${tree}_order`;
    const { parent = null, ...among } = isObject(wish) ? wish : { parent: wish };
    if (parent !== null && typeof parent !== 'string') return refuse('INVALID_DATA', 'no place', { field: tree });
    const above = parent === null ? undefined : this.get(entity, parent);
    if (parent !== null && above === undefined) refuse('INVALID_DATA', `there is no row ${parent}`, { field: tree });
    if (above !== undefined && this.#path(entity, above).some(({ id }) => id === row.id)) {
      refuse('INVALID_DATA', 'a row cannot be placed below itself', { field: tree });
    }
    if (!isNew && row[tree] === parent && Object.keys(among).length === 0) return {};
    const siblings = [...this.#table(entity).values()]
      .filter((other) => other[tree] === parent && other.id !== row.id)
      .toSorted((a, b) => compareValues(a[order] ?? '', b[order] ?? '') || compareValues(a.id, b.id));
    const place = (id: unknown) => {
      const at = siblings.findIndex((sibling) => sibling.id === id);
      return at < 0 ? refuse('INVALID_DATA', `${String(id)} is not among the rows there`, { field: tree }) : at;
    };
    let at = siblings.length;
    if ('after' in among) at = among['after'] === null ? 0 : place(among['after']) + 1;
    else if ('before' in among && among['before'] !== null) at = place(among['before']);
    return { [tree]: parent, [order]: between(siblings[at - 1]?.[order], siblings[at]?.[order]) };
  }
}

function treeField(entity: Entity): string | undefined {
  return entity.relations?.find(({ tree }) => tree === true)?.field;
}

/** A key between two others: numbers of one width, so that texts sort as they do. */
function between(after: Json | undefined, before: Json | undefined): string {
  const low = typeof after === 'string' ? Number(after) : undefined;
  const high = typeof before === 'string' ? Number(before) : undefined;
  let key = MIDDLE;
  if (low !== undefined && high !== undefined) key = (low + high) / 2;
  else if (low !== undefined) key = Math.floor(low) + 1;
  else if (high !== undefined) key = Math.ceil(high) - 1;
  return key.toFixed(9).padStart(16, '0');
}

function checked(field: Field, value: unknown): Json {
  if (value === null) {
    return field.optional === true || field.type === 'richtext'
      ? null
      : refuse('INVALID_DATA', `${field.name} needs a value`, { field: field.name });
  }
  const text = field.type === 'richtext' && isObject(value) ? (value['markdown'] ?? JSON.stringify(value)) : value;
  if (!fits(field, text)) refuse('INVALID_DATA', `${field.name} needs a value of type ${field.type}`, { field: field.name });
  if (typeof text === 'string' && [...text].length > (field.max_length ?? Infinity)) {
    refuse('INVALID_DATA', `${field.name} is too long`, { field: field.name, max_length: field.max_length });
  }
  return text as Json;
}

function fits(field: Field, value: unknown): boolean {
  switch (field.type) {
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return Number.isFinite(value);
    case 'bool':
      return typeof value === 'boolean';
    case 'enum':
      return typeof value === 'string' && (field.values ?? []).includes(value);
    default:
      // Lists, maps and whatever a later manifest declares are taken as they are.
      return typeof value === 'string' || !/^(string|richtext|datetime|bytes|id\(.*\))$/.test(field.type);
  }
}
