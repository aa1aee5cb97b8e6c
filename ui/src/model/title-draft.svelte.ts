import { distance, mergeText } from '../lib/text-merge';

/**
 * A title while somebody types in it.
 *
 * Every change is written at once, one write at a time, and what comes from elsewhere is merged into what stands here.
 * While a word is being composed nothing moves: neither is the half word written, nor does the text change beneath it.
 */
export class TitleDraft {
  /** What the field shows. */
  text = $state.raw('');
  /** Why the latest text could not be kept. */
  error = $state.raw<unknown>();

  /** The text in the store that `text` was made from. */
  #base: string;
  /** The latest text in the store that has not been merged yet. */
  #arrived: string | undefined;
  #writing = false;
  #composing = false;
  readonly #write: (text: string) => Promise<void>;

  constructor(text: string, write: (text: string) => Promise<void>) {
    this.text = text;
    this.#base = text;
    this.#write = write;
  }

  typed(text: string): void {
    this.text = text;
    this.#flush();
  }

  /** The store has this text now. */
  arrived(text: string): void {
    this.#arrived = text;
    this.#merge();
  }

  set composing(composing: boolean) {
    this.#composing = composing;
    if (composing) return;
    this.#merge();
    this.#flush();
  }

  #merge(): void {
    const theirs = this.#arrived;
    if (theirs === undefined || this.#writing || this.#composing) return;
    this.#arrived = undefined;
    this.text = mergeText(this.#base, this.text, theirs);
    this.#base = theirs;
    this.#flush();
  }

  #flush(): void {
    if (this.#writing || this.#composing || this.text === this.#base) return;
    this.#writing = true;
    const before = this.#base;
    const sent = this.text;
    void this.#send(before, sent);
  }

  async #send(before: string, sent: string): Promise<void> {
    try {
      await this.#write(sent);
      this.error = undefined;
      this.#written(before, sent);
    } catch (error) {
      this.error = error;
    }
    this.#writing = false;
    this.#merge();
    // A text that was refused is tried again only once it has changed.
    if (this.text !== sent) this.#flush();
  }

  /** The store had `sent` when the write was done. What arrived meanwhile may be of before it, or of after it. */
  #written(before: string, sent: string): void {
    const arrived = this.#arrived;
    this.#base = sent;
    if (arrived === undefined || distance(sent, arrived) < distance(before, arrived)) return;
    // The write has replaced what somebody else wrote: it is brought back.
    this.#arrived = undefined;
    this.text = mergeText(before, this.text, arrived);
  }
}
