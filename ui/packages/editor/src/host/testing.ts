/** A clock that tests turn, and a source in memory. */
import type { DocumentPiece, DocumentSource } from './source';
import type { Clock } from './clock';
import { LoroDoc } from 'loro-crdt';

interface Timer {
  readonly at: number;
  readonly order: number;
  callback(): void;
}

export class TestClock implements Clock {
  #now = 0;
  #order = 0;
  #timers: Timer[] = [];
  /** How many milliseconds pass with each look at the clock: the cost of work. */
  cost = 0;
  pauses = 0;

  now(): number {
    this.#now += this.cost;
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  frame(callback: () => void): () => void {
    return this.after(16, callback);
  }

  pause(): Promise<void> {
    this.pauses++;
    return Promise.resolve();
  }

  /** Lets time pass; everything that falls due runs in its order, and what it promises as well. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (;;) {
      const [next] = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at || a.order - b.order);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settled();
    }
    this.#now = end;
  }
}

/** Lets all promises that are ready run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** A store in memory. Each follower gets what others pushed. */
export class TestSource implements DocumentSource {
  doc = new LoroDoc();
  readonly pushes: Uint8Array[] = [];
  /** Set: pushes reject with it. */
  refuse: Error | null = null;
  /** Set: pushes wait until it resolves. */
  gate: Promise<void> | null = null;
  #followers = new Map<number, (piece: DocumentPiece) => void>();
  #next = 1;

  follow(listener: (piece: DocumentPiece) => void): Promise<() => void> {
    const id = this.#next++;
    this.#followers.set(id, listener);
    listener(this.snapshot());
    return Promise.resolve(() => {
      this.#followers.delete(id);
    });
  }

  async push(update: Uint8Array): Promise<{ commit: string | null; seq: number }> {
    await this.gate;
    if (this.refuse !== null) throw this.refuse;
    this.doc.import(update);
    this.pushes.push(update);
    return { commit: `commit ${this.pushes.length}`, seq: this.pushes.length };
  }

  get following(): number {
    return this.#followers.size;
  }

  snapshot(): DocumentPiece {
    return { kind: 'snapshot', peer: BigInt(1000 + this.#next++), bytes: this.doc.export({ mode: 'snapshot' }) };
  }

  /** The same store for another follower; what one pushes, the others get after this many milliseconds. */
  shared(clock: Clock, delay: () => number): DocumentSource {
    let own = 0;
    let last = 0;
    return {
      follow: (listener) => {
        own = this.#next;
        return this.follow(listener);
      },
      push: async (update) => {
        const result = await this.push(update);
        for (const [id, listener] of this.#followers) {
          if (id === own) continue;
          // None overtakes another.
          last = Math.max(last, clock.now() + delay());
          clock.after(last - clock.now(), () => listener({ kind: 'update', bytes: update }));
        }
        return result;
      },
    };
  }

  /** Sends what somebody else did to all followers. */
  send(change: (doc: LoroDoc) => void): void {
    const other = new LoroDoc();
    other.setPeerId(BigInt(5000 + this.#next++));
    other.import(this.doc.export({ mode: 'snapshot' }));
    const from = other.version();
    change(other);
    other.commit();
    const bytes = other.export({ mode: 'update', from });
    this.doc.import(bytes);
    this.emit({ kind: 'update', bytes });
  }

  emit(piece: DocumentPiece): void {
    for (const listener of this.#followers.values()) listener(piece);
  }
}
