/** How much of a text a search looks at: titles are short, and foreign ones may not be. */
const LOOKED_AT = 200;

/**
 * How well a text answers what is typed; 0 for not at all. The letters stand in the text in their order: best at its
 * beginning, well at the beginnings of words, and better together than apart.
 */
export function score(query: string, text: string): number {
  const wanted = fold(query).replaceAll(/\s+/g, '');
  if (wanted === '') return 1;
  const letters = fold(text.slice(0, LOOKED_AT));
  const whole = letters.indexOf(fold(query).trim());
  if (whole === 0) return 1000 - Math.min(letters.length, LOOKED_AT);
  if (whole > 0) return (isWordStart(letters, whole) ? 700 : 500) - Math.min(letters.length, LOOKED_AT);
  return scattered(wanted, letters);
}

/** The best of what answers, in the order of how well; equals stay in their order. */
export function best<Item>(query: string, items: readonly Item[], textOf: (item: Item) => string, most: number): Item[] {
  return items
    .map((item, at) => ({ item, at, score: score(query, textOf(item)) }))
    .filter((each) => each.score > 0)
    .toSorted((a, b) => b.score - a.score || a.at - b.at)
    .slice(0, most)
    .map(({ item }) => item);
}

function scattered(wanted: string, letters: string): number {
  let points = 0;
  let from = 0;
  for (const letter of wanted) {
    const at = letters.indexOf(letter, from);
    if (at < 0) return 0;
    if (at === from && from > 0) points += 2;
    else points += isWordStart(letters, at) ? 3 : 0;
    from = at + letter.length;
  }
  // Letters that are only somewhere are no answer.
  return points >= wanted.length * 2 - 1 ? points : 0;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /[\s\-_/.,:;()[\]“”"']/.test(text[at - 1] ?? '');
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
