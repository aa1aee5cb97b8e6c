/** How long a notice stays when nobody looks at it. */
export const TOAST_MS = 7_000;
/** More would cover the page; the oldest goes first. */
const MOST = 3;

/** A short notice of what just happened. */
export interface Toast {
  id: number;
  text: string;
  /** Takes back what happened. */
  undo?: () => void;
  /** What somebody who wants to help needs to know. */
  details?: string;
}

type Notice = Omit<Toast, 'id'>;

/** Calls `run` after a time unless the function that it gives is called before. */
export type After = (ms: number, run: () => void) => () => void;

const afterTimeout: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** The notices on the screen. */
export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #next = 1;
  #timers = new Map<number, () => void>();
  readonly #after: After;

  constructor(after: After = afterTimeout) {
    this.#after = after;
  }

  show(notice: Notice): void {
    const toast = { ...notice, id: this.#next };
    this.#next += 1;
    for (const { id } of this.list.slice(0, Math.max(0, this.list.length + 1 - MOST))) this.dismiss(id);
    this.list = [...this.list, toast];
    this.#start(toast.id);
  }

  dismiss(id: number): void {
    this.#stop(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  undo(id: number): void {
    const toast = this.list.find((each) => each.id === id);
    this.dismiss(id);
    toast?.undo?.();
  }

  /** Takes back the latest of what can be taken back. */
  undoLatest(): void {
    const latest = this.list.findLast((toast) => toast.undo);
    if (latest) this.undo(latest.id);
  }

  get canUndo(): boolean {
    return this.list.some((toast) => toast.undo);
  }

  /** While somebody looks at the notices, none goes away. */
  hold(): void {
    for (const id of this.#timers.keys()) this.#stop(id);
  }

  release(): void {
    for (const { id } of this.list) this.#start(id);
  }

  #start(id: number): void {
    this.#stop(id);
    this.#timers.set(
      id,
      this.#after(TOAST_MS, () => this.dismiss(id)),
    );
  }

  #stop(id: number): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }
}
