/** Scripts that are written without spaces: each of their characters counts, as is usual there. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;
const WORDS = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[\p{L}\p{N}][\p{L}\p{N}\p{M}'’_-]*/gu;

/** A piece of a page, the same object for as long as its text stays the same. */
interface Block {
  readonly textContent: string;
}

/** Counts the words of a page again and again, and reads only the blocks that it has not seen. */
export class WordCounter {
  readonly #counts = new WeakMap<Block, number>();

  count(blocks: readonly Block[]): number {
    return blocks.reduce((sum, block) => sum + this.#of(block), 0);
  }

  #of(block: Block): number {
    let count = this.#counts.get(block);
    if (count === undefined) this.#counts.set(block, (count = countWords(block.textContent)));
    return count;
  }
}

/** How many words a text has. */
export function countWords(text: string): number {
  let count = 0;
  for (const [word] of text.matchAll(WORDS)) {
    if (word.length < 2 || !UNSPACED.test(word)) count += 1;
    // A run that began with a letter or a number may go on in such a script.
    else count += [...word].filter((letter) => UNSPACED.test(letter)).length + 1;
  }
  return count;
}
