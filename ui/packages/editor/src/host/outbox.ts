/** This editor's own operations on their way to the disk: in order, one push at a time, until it has them. */
import type { Clock } from './clock';
import type { DocumentSource } from './source';
import type { LoroDoc } from 'loro-crdt';

const FIRST_RETRY = 500;
const LONGEST_RETRY = 30_000;

/** What the disk has: this editor's text up to here is durable. */
export interface Acknowledged {
  readonly commit: string | null;
  readonly seq: number;
  /** The version of the document that was pushed. */
  readonly frontiers: ReturnType<LoroDoc['frontiers']>;
}

export type SaveState =
  { readonly kind: 'saved' } | { readonly kind: 'saving' } | { readonly kind: 'not_saved'; readonly error: unknown };

interface Waiter {
  readonly upTo: number;
  resolve(): void;
}

export class Outbox {
  readonly #source: DocumentSource;
  readonly #clock: Clock;
  readonly #onState: (state: SaveState) => void;
  #doc: LoroDoc;
  #unsubscribe: () => void;
  /** How many of this peer's operations the disk has. */
  #saved: number;
  #flight: Promise<void> | null = null;
  #retry: (() => void) | null = null;
  #delay = FIRST_RETRY;
  #held = false;
  #waiters: Waiter[] = [];
  #state: SaveState = { kind: 'saved' };
  lastAcknowledged: Acknowledged | null = null;

  constructor(doc: LoroDoc, source: DocumentSource, clock: Clock, onState: (state: SaveState) => void) {
    this.#source = source;
    this.#clock = clock;
    this.#onState = onState;
    this.#doc = doc;
    this.#saved = this.#made();
    this.#unsubscribe = doc.subscribeLocalUpdates(() => this.#changed());
  }

  get state(): SaveState {
    return this.#state;
  }

  /** How many of this peer's operations the disk has. */
  get saved(): number {
    return this.#saved;
  }

  /** Resolves once everything that exists now is durable. */
  whenSaved(): Promise<void> {
    const upTo = this.#made();
    if (this.#saved >= upTo) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiters.push({ upTo, resolve });
    });
  }

  /** Tries at once, without waiting for the next attempt's time; rejects if the disk refuses again. */
  async flush(): Promise<void> {
    this.#cancelRetry();
    while (this.#saved < this.#made()) {
      await (this.#flight ?? this.#push());
      if (this.#state.kind === 'not_saved') throw this.#state.error;
    }
  }

  /** Pushes nothing more; resolves once nothing is under way. */
  async hold(): Promise<void> {
    this.#held = true;
    this.#cancelRetry();
    await this.#flight;
  }

  /** Goes on with another document, under the peer id it has there; the disk has `saved` of its operations. */
  reset(doc: LoroDoc, saved: number): void {
    this.#unsubscribe();
    this.#doc = doc;
    this.#saved = saved;
    this.#delay = FIRST_RETRY;
    this.#held = false;
    this.#unsubscribe = doc.subscribeLocalUpdates(() => this.#changed());
    // What they waited for is in the new document, or has been made anew in it.
    const upTo = this.#made();
    this.#waiters = this.#waiters.map((waiter) => ({ ...waiter, upTo }));
    if (saved < upTo) void this.#push();
    else this.#settle();
  }

  destroy(): void {
    this.#held = true;
    this.#cancelRetry();
    this.#unsubscribe();
  }

  /** How many operations this peer has made. */
  #made(): number {
    return this.#doc.oplogVersion().get(this.#doc.peerIdStr) ?? 0;
  }

  #changed(): void {
    if (this.#held) return;
    if (this.#flight === null && this.#retry === null) void this.#push();
  }

  #push(): Promise<void> {
    const flight = this.#send().finally(() => {
      this.#flight = null;
      if (this.#state.kind !== 'not_saved' && !this.#held && this.#saved < this.#made()) void this.#push();
    });
    this.#flight = flight;
    this.#report({ kind: 'saving' });
    return flight;
  }

  async #send(): Promise<void> {
    // Whatever the running task still writes goes with it; and Loro tells of a commit before it is quite done.
    await Promise.resolve();
    const from = this.#saved;
    const to = this.#made();
    const frontiers = this.#doc.frontiers();
    try {
      const id = { peer: this.#doc.peerIdStr, counter: from };
      const update = this.#doc.export({ mode: 'updates-in-range', spans: [{ id, len: to - from }] });
      const { commit, seq } = await this.#source.push(update);
      this.#saved = to;
      this.#delay = FIRST_RETRY;
      this.lastAcknowledged = { commit, seq, frontiers };
      this.#settle();
    } catch (error) {
      this.#report({ kind: 'not_saved', error });
      if (this.#held) return;
      this.#retry = this.#clock.after(this.#delay, () => {
        this.#retry = null;
        void this.#push();
      });
      this.#delay = Math.min(this.#delay * 2, LONGEST_RETRY);
    }
  }

  #settle(): void {
    const done = this.#waiters.filter((waiter) => waiter.upTo <= this.#saved);
    this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > this.#saved);
    this.#report(this.#saved >= this.#made() ? { kind: 'saved' } : { kind: 'saving' });
    for (const waiter of done) waiter.resolve();
  }

  #report(state: SaveState): void {
    if (this.#state.kind === state.kind && state.kind !== 'not_saved') return;
    this.#state = state;
    this.#onState(state);
  }

  #cancelRetry(): void {
    this.#retry?.();
    this.#retry = null;
  }
}
