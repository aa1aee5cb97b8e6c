/** Gives the next message; undefined if there is nothing to tell. One that throws ends its subscription. */
export type Source = () => unknown;

interface Subscription {
  next: Source;
  receive: (message: unknown) => void;
  /** A message is under way that was not acknowledged. */
  busy: boolean;
}

/** Subscriptions that tell one message at a time, each a moment after what it tells of, as the store's do. */
export class Subscriptions {
  readonly #open = new Map<number, Subscription>();
  #last = 0;
  #looking = false;

  add(next: Source, receive: (message: unknown) => void): number {
    this.#last += 1;
    this.#open.set(this.#last, { next, receive, busy: false });
    this.changed();
    return this.#last;
  }

  get size(): number {
    return this.#open.size;
  }

  acknowledge(name: unknown): void {
    const subscription = this.#open.get(Number(name));
    if (subscription === undefined) return;
    subscription.busy = false;
    this.changed();
  }

  remove(name: unknown): boolean {
    return this.#open.delete(Number(name));
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#looking) return;
    this.#looking = true;
    queueMicrotask(() => {
      this.#looking = false;
      for (const [name, subscription] of this.#open) this.#tell(name, subscription);
    });
  }

  #tell(name: number, subscription: Subscription) {
    if (subscription.busy) return;
    let message: unknown;
    try {
      message = subscription.next();
    } catch (error) {
      this.#open.delete(name);
      message = { error };
    }
    if (message === undefined) return;
    subscription.busy = true;
    subscription.receive(message);
  }
}
