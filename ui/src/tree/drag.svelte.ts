import type { Drop, TreeRow } from '../model/page-tree';

/** A press becomes a drag when the pointer has gone so far, in pixels. */
const THRESHOLD = 4;
/** The parts of a line, above and below, that mean beside it and not into it. */
const EDGE = 0.28;

/** Where a dragged page would land. */
export interface Target {
  row: TreeRow;
  drop: Drop;
}

/** A page that is dragged through the tree. */
export class Drag {
  /** The page, once it is really dragged. */
  page = $state.raw<string>();
  target = $state.raw<Target>();
  #pressed: { page: string; x: number; y: number } | undefined;

  press(page: string, { clientX, clientY }: PointerEvent): void {
    this.#pressed = { page, x: clientX, y: clientY };
  }

  /** Answers whether a page is dragged. */
  move({ clientX, clientY }: PointerEvent): boolean {
    const pressed = this.#pressed;
    if (!pressed) return false;
    if (this.page === undefined && Math.hypot(clientX - pressed.x, clientY - pressed.y) >= THRESHOLD) this.page = pressed.page;
    return this.page !== undefined;
  }

  /** Where the pointer is: over a line, as a fraction of its height from its top; more than 1 below the last. */
  over(row: TreeRow, fraction: number): void {
    this.target = { row, drop: dropAt(fraction) };
  }

  /** Ends it; answers with what was dragged where, if anything was. */
  end(): { page: string; target: Target } | undefined {
    const { page, target } = this;
    this.cancel();
    return page !== undefined && target ? { page, target } : undefined;
  }

  cancel(): void {
    this.#pressed = undefined;
    this.page = undefined;
    this.target = undefined;
  }
}

function dropAt(fraction: number): Drop {
  if (fraction > 1) return 'end';
  if (fraction < EDGE) return 'before';
  return fraction > 1 - EDGE ? 'after' : 'into';
}
