/** Updates from elsewhere on their way into the document: at most once per frame, and not into a composition. */
import type { Clock } from './clock';
import type { EditorView } from 'prosemirror-view';

/** How long a composition holds updates back, in milliseconds. */
const LONGEST_COMPOSITION = 10_000;
/** How many bytes it holds back. */
const MOST_BYTES = 4 * 1024 * 1024;
/** After a composition ProseMirror still reads its result from the page. */
const AFTER_COMPOSITION = 60;

export class Inbox {
  readonly #view: EditorView;
  readonly #clock: Clock;
  readonly #apply: (updates: readonly Uint8Array[]) => void;
  readonly #onEnd = (): void => this.#compositionEnded();
  #updates: Uint8Array[] = [];
  #bytes = 0;
  #scheduled = false;
  #cancelFrame: (() => void) | null = null;
  #cancelTimer: (() => void) | null = null;

  /** `apply` gets all updates that came, in order. */
  constructor(view: EditorView, clock: Clock, apply: (updates: readonly Uint8Array[]) => void) {
    this.#view = view;
    this.#clock = clock;
    this.#apply = apply;
    view.dom.addEventListener('compositionend', this.#onEnd);
  }

  receive(update: Uint8Array): void {
    this.#updates.push(update);
    this.#bytes += update.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    const cancel = this.#clock.frame(() => {
      this.#scheduled = false;
      this.#due();
    });
    // A clock may call back at once.
    if (this.#scheduled) this.#cancelFrame = cancel;
  }

  /** Applies everything now. */
  flush(): void {
    this.#cancel();
    const updates = this.#updates;
    this.#updates = [];
    this.#bytes = 0;
    if (updates.length > 0) this.#apply(updates);
  }

  /** Forgets everything: it is part of what comes now. */
  clear(): void {
    this.#cancel();
    this.#updates = [];
    this.#bytes = 0;
  }

  destroy(): void {
    this.clear();
    this.#view.dom.removeEventListener('compositionend', this.#onEnd);
  }

  #due(): void {
    // While a composition ends there is a timer as well.
    if (this.#bytes > MOST_BYTES || (!this.#view.composing && this.#cancelTimer === null)) this.flush();
    else this.#cancelTimer ??= this.#clock.after(LONGEST_COMPOSITION, () => this.flush());
  }

  #compositionEnded(): void {
    if (this.#updates.length === 0) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(AFTER_COMPOSITION, () => {
      this.#cancelTimer = null;
      this.#due();
    });
  }

  #cancel(): void {
    this.#cancelFrame?.();
    this.#cancelTimer?.();
    this.#scheduled = false;
    this.#cancelFrame = null;
    this.#cancelTimer = null;
  }
}
