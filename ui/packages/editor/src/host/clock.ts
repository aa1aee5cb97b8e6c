/** Time, and turns of the event loop; tests bring their own. */
export interface Clock {
  /** Milliseconds, from any beginning. */
  now(): number;
  /** Calls back after so many milliseconds, unless the returned function is called first. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Calls back once before the next picture is painted, unless the returned function is called first. */
  frame(callback: () => void): () => void;
  /** Resolves in a later task, so that input and painting have their turn. */
  pause(): Promise<void>;
}

/** A frame comes after this at the latest: a hidden window paints none. */
const LONGEST_FRAME = 250;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  frame(callback) {
    const run = (): void => {
      cancel();
      callback();
    };
    const frame = requestAnimationFrame(run);
    const timer = setTimeout(run, LONGEST_FRAME);
    const cancel = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    return cancel;
  },
  pause() {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.addEventListener('message', () => {
        port1.close();
        resolve();
      });
      port1.start();
      port2.postMessage(null);
    });
  },
};

/** The longest that work in slices holds the event loop, in milliseconds; a slice may go over it by its last piece. */
const SLICE = 12;

/** Work in slices: sizes its pieces by how long they take, and pauses in time. */
export class Slices {
  readonly #clock: Clock;
  #since: number;
  #size: number;
  readonly #most: number;

  /** `size` is that of the first piece, in whatever the work counts, `most` that of any. */
  constructor(clock: Clock, size: number, most: number) {
    this.#clock = clock;
    this.#size = size;
    this.#most = most;
    this.#since = clock.now();
  }

  get size(): number {
    return this.#size;
  }

  /** Does one piece, then pauses if the slice is over. */
  async run<T>(piece: (size: number) => T): Promise<T> {
    const from = this.#clock.now();
    const result = piece(this.#size);
    const to = this.#clock.now();
    if (to - from < SLICE / 4) this.#size = Math.min(this.#size * 2, this.#most);
    else if (to - from > SLICE / 2) this.#size = Math.max(1, this.#size >> 1);
    if (to - this.#since >= SLICE / 2) {
      await this.#clock.pause();
      this.#since = this.#clock.now();
    }
    return result;
  }
}
