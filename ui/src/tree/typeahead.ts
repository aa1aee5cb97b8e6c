/** Keys that follow each other within this time make one word. */
const PAUSE_MS = 700;

/** Finds the line whose title begins with what is typed, from the current line on and around. */
export class Typeahead {
  #typed = '';
  #last = -Infinity;

  /** The line to go to; -1 for none. `time` counts milliseconds, as an event's timestamp does. */
  find(key: string, time: number, titles: readonly string[], current: number): number {
    const goesOn = time - this.#last < PAUSE_MS;
    this.#typed = goesOn ? this.#typed + key : key;
    this.#last = time;
    const wanted = fold(this.#typed);
    // One letter goes to the next line; more letters may stay.
    const start = this.#typed.length === 1 ? current + 1 : Math.max(0, current);
    for (let n = 0; n < titles.length; n += 1) {
      const line = (start + n) % titles.length;
      if (fold(titles[line] ?? '').startsWith(wanted)) return line;
    }
    return -1;
  }
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
