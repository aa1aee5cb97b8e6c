/** Changes of a text with marks, in the shape Loro gives them, and what can be done with them. Lengths are UTF-16 units. */

/** Marks by key; in a retained stretch null takes one away. */
export type Attributes = Readonly<Record<string, unknown>>;

export type Op =
  | { readonly insert: string; readonly attributes?: Attributes | undefined }
  | { readonly delete: number }
  | { readonly retain: number; readonly attributes?: Attributes | undefined };

export type Delta = readonly Op[];

const lengthOf = (op: Op): number => ('insert' in op ? op.insert.length : 'delete' in op ? op.delete : op.retain);

const attributesOf = (op: Op): Attributes | undefined => ('delete' in op ? undefined : op.attributes);

/** Reads a delta piece by piece; after its end everything is retained. */
class Reader {
  readonly #delta: Delta;
  #index = 0;
  #offset = 0;

  constructor(delta: Delta) {
    this.#delta = delta;
  }

  get done(): boolean {
    return this.#index >= this.#delta.length;
  }

  get kind(): 'insert' | 'delete' | 'retain' {
    const op = this.#delta[this.#index];
    if (op === undefined) return 'retain';
    return 'insert' in op ? 'insert' : 'delete' in op ? 'delete' : 'retain';
  }

  /** How much is left of the current piece. */
  get left(): number {
    const op = this.#delta[this.#index];
    return op === undefined ? Number.POSITIVE_INFINITY : lengthOf(op) - this.#offset;
  }

  take(length = this.left): Op {
    const op = this.#delta[this.#index];
    if (op === undefined) return { retain: length };
    const from = this.#offset;
    this.#offset += length;
    if (this.#offset >= lengthOf(op)) {
      this.#index++;
      this.#offset = 0;
    }
    if ('insert' in op) return { insert: op.insert.slice(from, from + length), attributes: op.attributes };
    if ('delete' in op) return { delete: length };
    return { retain: length, attributes: op.attributes };
  }
}

/** Puts a delta together; what retains nothing at the end is left away. */
class Writer {
  readonly #ops: Op[] = [];

  push(op: Op): void {
    if (lengthOf(op) === 0) return;
    const last = this.#ops.at(-1);
    if (last !== undefined && 'delete' in last && 'delete' in op) {
      this.#ops[this.#ops.length - 1] = { delete: last.delete + op.delete };
    } else if (last !== undefined && 'retain' in last && 'retain' in op && !last.attributes && !op.attributes) {
      this.#ops[this.#ops.length - 1] = { retain: last.retain + op.retain };
    } else {
      this.#ops.push(op);
    }
  }

  end(): Delta {
    const last = this.#ops.at(-1);
    if (last !== undefined && 'retain' in last && !last.attributes) this.#ops.pop();
    return this.#ops;
  }
}

/** Both marks, the second ones on top; on inserted text nothing is left to take away. */
function merge(
  first: Attributes | undefined,
  second: Attributes | undefined,
  inserted: boolean,
): Attributes | undefined {
  if (second === undefined) return first;
  const entries = Object.entries({ ...first, ...second }).filter(
    ([, value]) => !inserted || (value !== null && value !== undefined),
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** One change that does what two do, one after the other. */
export function compose(first: Delta, second: Delta): Delta {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const [a, b, out] = [new Reader(first), new Reader(second), new Writer()];
  while (!a.done || !b.done) {
    if (b.kind === 'insert') out.push(b.take());
    else if (a.kind === 'delete') out.push(a.take());
    else {
      const length = Math.min(a.left, b.left);
      const [left, right] = [a.take(length), b.take(length)];
      if ('delete' in right) {
        if ('retain' in left) out.push(right);
      } else if ('insert' in left) {
        out.push({ insert: left.insert, attributes: merge(left.attributes, attributesOf(right), true) });
      } else {
        out.push({ retain: length, attributes: merge(attributesOf(left), attributesOf(right), false) });
      }
    }
  }
  return out.end();
}

/**
 * The second of two changes of one text, as it is after the first. Of two insertions at one place those of `left` stand
 * on the left; of two marks with one key the one of `marks` counts.
 */
export function transform(first: Delta, second: Delta, left: 'first' | 'second', marks: 'first' | 'second'): Delta {
  if (first.length === 0 || second.length === 0) return second;
  const [a, b, out] = [new Reader(first), new Reader(second), new Writer()];
  while (!b.done) {
    if (a.kind === 'insert' && (left === 'first' || b.kind !== 'insert')) {
      out.push({ retain: lengthOf(a.take()) });
    } else if (b.kind === 'insert') {
      out.push(b.take());
    } else {
      const length = Math.min(a.left, b.left);
      const [there, here] = [a.take(length), b.take(length)];
      if ('delete' in there) continue;
      if ('delete' in here) out.push(here);
      else
        out.push({
          retain: length,
          attributes: without(attributesOf(here), marks === 'first' ? attributesOf(there) : undefined),
        });
    }
  }
  return out.end();
}

function without(attributes: Attributes | undefined, taken: Attributes | undefined): Attributes | undefined {
  if (attributes === undefined || taken === undefined) return attributes;
  const entries = Object.entries(attributes).filter(([key]) => !Object.hasOwn(taken, key));
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** Where a place is after a change; what is inserted exactly there comes behind it. */
export function movePlace(delta: Delta, place: number): number {
  let at = 0;
  let moved = place;
  for (const op of delta) {
    if (at >= moved && !('delete' in op)) break;
    if ('insert' in op) {
      moved += op.insert.length;
      at += op.insert.length;
    } else if ('delete' in op) {
      moved -= Math.max(0, Math.min(op.delete, moved - at));
    } else {
      at += op.retain;
    }
  }
  return moved;
}
