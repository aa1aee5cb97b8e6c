/** Scripts that are written without spaces: each of their characters counts, as is usual there. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]/u;
const WORDS = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}]|[\p{L}\p{N}][\p{L}\p{N}\p{M}'’_-]*/gu;

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
