/** A page as the tree knows it; `parent` is the effective one, so that the pages of a workspace form a tree. */
export interface Page {
  id: string;
  title: string;
  parent: string | null;
  /** Siblings stand in the order of these, then of their ids. */
  parent_order: string;
  /** The file that it came from, in the folder that was imported. */
  path: string | null;
}

/** Where a page goes: below a parent (null is the top), right after or before a sibling; null is the end it names. */
export type Place = { parent: string | null } & ({ after: string | null } | { before: string | null });

/** A line of the tree as it is shown, with what a screen reader says about it. */
export interface TreeRow {
  id: string;
  title: string;
  parent: string | null;
  /** 1 at the top. */
  level: number;
  position: number;
  siblings: number;
  hasChildren: boolean;
  expanded: boolean;
}

/** Beside a line, into its page, or below all lines. */
export type Drop = 'before' | 'after' | 'into' | 'end';

/** The pages of a workspace as a tree. It never changes; a change of the pages makes another one. */
export class PageTree {
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #children = new Map<string | null, string[]>();

  constructor(pages: Iterable<Page>) {
    const sorted = [...pages].toSorted(bySiblingOrder);
    this.#pages = new Map(sorted.map((page) => [page.id, page]));
    for (const { id } of sorted) {
      const parent = this.parent(id);
      const siblings = this.#children.get(parent);
      if (siblings) siblings.push(id);
      else this.#children.set(parent, [id]);
    }
  }

  get size(): number {
    return this.#pages.size;
  }

  get(id: string): Page | undefined {
    return this.#pages.get(id);
  }

  pages(): Iterable<Page> {
    return this.#pages.values();
  }

  /** The page above; null at the top, and for a page whose parent is not here. */
  parent(id: string): string | null {
    const parent = this.#pages.get(id)?.parent ?? null;
    return parent !== null && this.#pages.has(parent) ? parent : null;
  }

  children(parent: string | null): readonly string[] {
    return this.#children.get(parent) ?? [];
  }

  /** The pages above, the top one first. */
  ancestors(id: string): string[] {
    const above = new Set<string>();
    for (let at = this.parent(id); at !== null && !above.has(at); at = this.parent(at)) above.add(at);
    return [...above].toReversed();
  }

  /** Whether a page is another one or lies below it. */
  isWithin(id: string, ancestor: string): boolean {
    return id === ancestor || this.ancestors(id).includes(ancestor);
  }

  /** The lines to show, top to bottom, with those below pages that are expanded. */
  rows(expanded: ReadonlySet<string>): TreeRow[] {
    const rows: TreeRow[] = [];
    // A stack and not recursion: a chain of pages may be longer than the call stack.
    const open: { parent: string | null; next: number; level: number }[] = [{ parent: null, next: 0, level: 1 }];
    for (let list = open.at(-1); list !== undefined; list = open.at(-1)) {
      const siblings = this.children(list.parent);
      const id = siblings[list.next];
      if (id === undefined) {
        open.pop();
        continue;
      }
      list.next += 1;
      const hasChildren = this.children(id).length > 0;
      const isExpanded = hasChildren && expanded.has(id);
      rows.push({
        id,
        title: this.#pages.get(id)?.title ?? '',
        parent: list.parent,
        level: list.level,
        position: list.next,
        siblings: siblings.length,
        hasChildren,
        expanded: isExpanded,
      });
      if (isExpanded) open.push({ parent: id, next: 0, level: list.level + 1 });
    }
    return rows;
  }

  /** Where a page is, told by the sibling before it: enough to bring it back. */
  place(id: string): Place {
    const parent = this.parent(id);
    const siblings = this.children(parent);
    return { parent, after: siblings[siblings.indexOf(id) - 1] ?? null };
  }

  /** One step up or down among the siblings; undefined at the end. */
  step(id: string, direction: -1 | 1): Place | undefined {
    const parent = this.parent(id);
    const siblings = this.children(parent);
    const neighbour = siblings[siblings.indexOf(id) + direction];
    if (neighbour === undefined) return undefined;
    return direction === 1 ? { parent, after: neighbour } : { parent, before: neighbour };
  }

  /** Into the sibling above, as its last child; undefined for the first sibling. */
  indent(id: string): Place | undefined {
    const siblings = this.children(this.parent(id));
    const parent = siblings[siblings.indexOf(id) - 1];
    return parent === undefined ? undefined : { parent, before: null };
  }

  /** Out of its parent, right after it; undefined at the top. */
  outdent(id: string): Place | undefined {
    const parent = this.parent(id);
    return parent === null ? undefined : { parent: this.parent(parent), after: parent };
  }

  /** Where a page dropped at a line goes; undefined if it would lie below itself or stay where it is. */
  drop(id: string, at: TreeRow, drop: Drop): Place | undefined {
    if (drop === 'end') return this.children(null).at(-1) === id ? undefined : { parent: null, before: null };
    if (this.isWithin(at.id, id)) return undefined;
    // Below an open page, the place that the line shows is that of its first child.
    if (drop === 'after' && at.expanded) return this.#unlessThere(id, { parent: at.id, after: null });
    if (drop === 'into') return { parent: at.id, before: null };
    return this.#unlessThere(id, drop === 'after' ? { parent: at.parent, after: at.id } : { parent: at.parent, before: at.id });
  }

  /** Where to look once a page is gone: at the next sibling, the one before, or the page above. */
  neighbour(id: string): string | null {
    const parent = this.parent(id);
    const siblings = this.children(parent);
    const at = siblings.indexOf(id);
    return siblings[at + 1] ?? siblings[at - 1] ?? parent;
  }

  #unlessThere(id: string, place: Place): Place | undefined {
    if (this.parent(id) !== place.parent) return place;
    const siblings = this.children(place.parent);
    const at = siblings.indexOf(id);
    const stays = 'after' in place ? (siblings[at - 1] ?? null) === place.after : (siblings[at + 1] ?? null) === place.before;
    return stays ? undefined : place;
  }
}

/** By code units, as the store compares: never by a language's rules. */
function bySiblingOrder(a: Page, b: Page): number {
  if (a.parent_order !== b.parent_order) return a.parent_order < b.parent_order ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
