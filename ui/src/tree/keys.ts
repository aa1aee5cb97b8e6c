import type { TreeRow } from '../model/page-tree';

/** What a key means in a tree: go to a line, or show or hide what is inside this one. */
export type Step = { line: number } | 'toggle';

/**
 * What an arrow, Home or End means at a line. Inwards opens a page and then enters it, outwards closes it and then
 * leaves it; `rtl` says that lines run from the right, where in and out change sides.
 */
export function stepAt(rows: readonly TreeRow[], line: number, key: string, rtl: boolean): Step | undefined {
  const row = rows[line];
  if (!row) return undefined;
  switch (key) {
    case 'ArrowDown':
      return { line: Math.min(rows.length - 1, line + 1) };
    case 'ArrowUp':
      return { line: Math.max(0, line - 1) };
    case 'Home':
      return { line: 0 };
    case 'End':
      return { line: rows.length - 1 };
    case rtl ? 'ArrowLeft' : 'ArrowRight':
      if (!row.hasChildren) return { line };
      return row.expanded ? { line: line + 1 } : 'toggle';
    case rtl ? 'ArrowRight' : 'ArrowLeft':
      return row.expanded ? 'toggle' : { line: parentLine(rows, line) };
    default:
      return undefined;
  }
}

/** The line of the page above; the line itself at the top. */
function parentLine(rows: readonly TreeRow[], line: number): number {
  const parent = rows[line]?.parent;
  const above = rows.findIndex(({ id }) => id === parent);
  return above < 0 ? line : above;
}
