/**
 * Undo and redo of this user's own changes.
 *
 * A list of edits that take back what the user did, the last one on top. What comes from elsewhere is noted beside the
 * edit it came after, and an edit is carried over it when its turn comes. So the work for each change does not
 * depend on the size of the document. (Loro's own undo manager compares whole versions instead, in a time that grows with
 * the square of the number of marked ranges; each block is one.)
 */
import { type Delta, compose, movePlace, transform } from './delta';
import { type Edit, isNothing, join } from './recorder';

/** A selection as two places in the text: anchor and head. */
export type Caret = readonly [number, number];

/** Changes that follow each other within this many milliseconds are taken back together. */
const GROUP_PAUSE = 500;
const MOST_ITEMS = 1000;
/** Pieces of what came from elsewhere since; beyond that the user's older changes cannot be taken back any more. */
const MOST_PIECES = 10_000;

interface Item {
  readonly edit: Edit;
  /** Where the selection was before the change that the edit takes back. */
  readonly caret: Caret;
  /** What came from elsewhere after that change. */
  readonly after: Delta;
  /** Whether it is taken back together with the one below. */
  readonly joined: boolean;
}

export class History {
  readonly #now: () => number;
  #undo: Item[] = [];
  #redo: Item[] = [];
  #last = Number.NEGATIVE_INFINITY;

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get canUndo(): boolean {
    return this.#undo.length > 0;
  }

  get canRedo(): boolean {
    return this.#redo.length > 0;
  }

  /** Notes a change of the user's: what takes it back, and where the selection was before it. */
  record(edit: Edit, caret: Caret): void {
    if (isNothing(edit)) return;
    const now = this.#now();
    const joined = now - this.#last < GROUP_PAUSE;
    this.#last = now;
    this.#redo = [];
    const top = this.#undo.at(-1);
    if (joined && top !== undefined && top.after.length === 0) {
      this.#undo[this.#undo.length - 1] = { ...top, edit: join(edit, top.edit) };
      return;
    }
    this.#undo.push({ edit, caret, after: [], joined: joined && top !== undefined });
    if (this.#undo.length > MOST_ITEMS) this.#undo.shift();
  }

  /** Notes a change that is not the user's. */
  follow(delta: Delta): void {
    for (const stack of [this.#undo, this.#redo]) addAfter(stack, delta);
  }

  /** The next change will be taken back by itself. */
  endGroup(): void {
    this.#last = Number.NEGATIVE_INFINITY;
  }

  clear(): void {
    this.#undo = [];
    this.#redo = [];
    this.endGroup();
  }

  /**
   * Takes the last group back, or does the last one taken back again. `apply` does an edit and returns what takes it back.
   * Returns where the selection was before, or null if there is nothing.
   */
  step(direction: 'undo' | 'redo', caret: Caret, apply: (edit: Edit) => Edit): Caret | null {
    const [from, to] = direction === 'undo' ? [this.#undo, this.#redo] : [this.#redo, this.#undo];
    this.endGroup();
    let was: Caret | null = null;
    for (let item = from.pop(); item !== undefined; item = item.joined ? from.pop() : undefined) {
      const { edit, after } = item;
      const text = transform(after, edit.text, 'second', 'first');
      const rest = transform(edit.text, after, 'first', 'second');
      addAfter(from, rest);
      const back = apply({ ...edit, text });
      to.push({ edit: back, caret, after: [], joined: was !== null });
      was = [movePlace(rest, item.caret[0]), movePlace(rest, item.caret[1])];
    }
    return was;
  }
}

function addAfter(stack: Item[], delta: Delta): void {
  const top = stack.at(-1);
  if (top === undefined || delta.length === 0) return;
  const after = compose(top.after, delta);
  if (after.length > MOST_PIECES) stack.length = 0;
  else stack[stack.length - 1] = { ...top, after };
}
