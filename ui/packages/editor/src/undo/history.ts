/** Undo and redo of this user's own changes, on Loro's undo manager. */
import { type Cursor, type LoroDoc, UndoManager } from 'loro-crdt';

/** Where a selection's two ends are in the text; they move with it. */
export type Caret = readonly Cursor[];

/** Changes that follow each other within this many milliseconds are undone together. */
const GROUP_PAUSE = 500;
const MOST_GROUPS = 200;

/** The origin of commits that are no changes of the user's. */
export const UNRECORDED = 'tombolo:unrecorded';

export class History {
  readonly #manager: UndoManager;
  readonly #now: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #caret: Caret = [];
  #popped: Caret = [];

  /** `now` gives milliseconds. The document's peer id must not change from here on. */
  constructor(doc: LoroDoc, now: () => number) {
    this.#now = now;
    this.#manager = new UndoManager(doc, {
      mergeInterval: 0,
      maxUndoSteps: MOST_GROUPS,
      excludeOriginPrefixes: [UNRECORDED],
      onPush: () => ({ value: null, cursors: [...this.#caret] }),
      onPop: (_isUndo, { cursors }) => {
        this.#popped = cursors;
      },
    });
  }

  get canUndo(): boolean {
    return this.#manager.canUndo();
  }

  get canRedo(): boolean {
    return this.#manager.canRedo();
  }

  /** To be called before the commit of a change; `caret` is where the selection was before it. */
  record(caret: Caret): void {
    const now = this.#now();
    // The manager merges by its own clock. Whether it may is decided here instead.
    this.#manager.setMergeInterval(now - this.#last < GROUP_PAUSE ? Number.MAX_SAFE_INTEGER : 0);
    this.#last = now;
    this.#caret = caret;
  }

  /** Ends the running group: the next change begins one of its own. */
  endGroup(): void {
    this.#last = Number.NEGATIVE_INFINITY;
  }

  /** Takes the last group back, or does the last undone one again. Returns where the selection was then, or null. */
  step(direction: 'undo' | 'redo', caret: Caret): Caret | null {
    if (direction === 'undo' ? !this.canUndo : !this.canRedo) return null;
    this.#caret = caret;
    this.#popped = [];
    this.endGroup();
    this.#manager.setMergeInterval(0);
    if (direction === 'undo') this.#manager.undo();
    else this.#manager.redo();
    return this.#popped;
  }

  destroy(): void {
    this.#manager.free();
  }
}
