/** A pasted table as Markdown source. */

/** Larger tables are read as text. */
const CELLS_MAX = 20_000;

/** Contents of a cell that a line of a Markdown table cannot hold. */
const TOO_RICH = 'ul, ol, pre, table, blockquote, h1, h2, h3, h4, h5, h6, hr, img';

/**
 * The table as Markdown, or null for one that is better read as text: a frame for a layout, a single row or column, or
 * cells with more than a line of text.
 */
export function readTable(table: Element): string | null {
  const rows = [...table.querySelectorAll('tr')].map((row) => [...row.children].filter((cell) => ['td', 'th'].includes(cell.localName)));
  const cells = rows.flat();
  const width = Math.max(0, ...rows.map((row) => row.length));
  if (rows.length < 2 || width < 2 || rows.length * width > CELLS_MAX) return null;
  if (cells.some((cell) => cell.querySelector(TOO_RICH) || cell.querySelectorAll('p').length > 1)) return null;
  const written = rows.map((row) => line(Array.from({ length: width }, (_, at) => cellText(row[at]))));
  const rule = line(Array.from({ length: width }, () => '---'));
  return [written[0], rule, ...written.slice(1)].join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function cellText(cell: Element | undefined): string {
  const text = (cell?.textContent ?? '').replace(/\s+/gu, ' ').trim();
  return text.replaceAll('\\', String.raw`\\`).replaceAll('|', String.raw`\|`);
}
