import type { Coverage, DataStore, DataStoreError, Receipt, Result, Row, Unsubscribe } from '@tombolo/client';
import { PageTree, type Page, type Place } from './page-tree';

const ENTITY = 'Page';
/** For so long after a write here, a change of that page is taken for what it did. */
const OWN_MS = 2_000;

type PageRow = Row & Page;

/** The pages of the workspace, as the store has them now, and what can be done with them. */
export class Pages {
  /** Changes only when a title or a place does, not with every keystroke in a page. */
  tree = $state.raw(new PageTree([]));
  /** The tree to show: while it is held, changes from elsewhere wait. */
  shownTree = $state.raw(this.tree);
  /** The pages that were put into the trash, the latest first; what was inside them is not listed. */
  trashed = $state.raw<readonly Page[]>([]);
  /** `missing` until the pages are known: an empty tree says nothing before. */
  coverage = $state.raw<Coverage>('missing');
  /** Why the pages cannot be followed any longer. */
  error = $state.raw<DataStoreError | null>(null);

  readonly #rows = new Map<string, Page>();
  /** Changes with every row: who reads one row asks again, which costs less than a signal for each of thousands. */
  #version = $state(0);
  /** When a page was last written here. */
  readonly #own = new Map<string, number>();
  #held = false;
  readonly #store: DataStore;
  readonly #told: (page: string, receipt: Receipt) => void;
  readonly #clock: () => number;

  /** `wrote` hears of every write with its receipt. */
  constructor(store: DataStore, wrote: (page: string, receipt: Receipt) => void, clock: () => number = Date.now) {
    this.#store = store;
    this.#told = wrote;
    this.#clock = clock;
  }

  /** Follows the pages until the function that it gives is called. */
  follow(): Unsubscribe {
    const order = { deleted_at: 'desc' } as const;
    const stops = [
      this.#store.live<PageRow>({ op: 'query_filtered', args: { entity: ENTITY } }).subscribe((result) => this.#take(result)),
      this.#store
        .live<PageRow>({ op: 'query_filtered', args: { entity: ENTITY, filter: { deleted_at: { $null: false }, $order: order } } })
        .subscribe(({ rows }) => (this.trashed = rows)),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** A page outside the trash, with its latest times. */
  get(id: string): Page | undefined {
    return this.#version === 0 ? undefined : this.#rows.get(id);
  }

  /** A page wherever it is: also inside one that is in the trash. */
  find(id: string): Promise<Page | null> {
    return this.#store.getById<PageRow>(ENTITY, id);
  }

  /** A new page at a place, last unless told; answers with its id. */
  async create(title: string, place: Place = { parent: null, before: null }): Promise<string> {
    const { id, receipt } = await this.#store.insert(ENTITY, { title, parent: place });
    this.#own.set(id, this.#clock());
    this.#told(id, receipt);
    return id;
  }

  setTitle(id: string, title: string): Promise<void> {
    return this.#write(id, this.#store.update(ENTITY, id, { title }));
  }

  move(id: string, place: Place): Promise<void> {
    return this.#write(id, this.#store.update(ENTITY, id, { parent: place }));
  }

  trash(id: string): Promise<void> {
    return this.#write(id, this.#store.delete(ENTITY, id));
  }

  restore(id: string): Promise<void> {
    return this.#write(id, this.#store.restore(ENTITY, id));
  }

  /** Keeps the shown tree as it is, but for what is done here: a pointer rests on it. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.shownTree = this.tree;
  }

  async #write(id: string, write: Promise<{ receipt: Receipt }>): Promise<void> {
    this.#own.set(id, this.#clock());
    const { receipt } = await write;
    this.#told(id, receipt);
  }

  #take({ rows, coverage, error }: Result<PageRow>): void {
    this.coverage = coverage;
    this.error = error;
    const changed = this.#update(rows);
    this.#version += 1;
    if (changed.length === 0) return;
    const before = this.tree;
    this.tree = new PageTree(rows);
    if (!this.#held || changed.every((id) => this.#isOwn(id, before))) this.shownTree = this.tree;
  }

  /** Whether a change of a page, or of one that it was or is in, was made here a moment ago. */
  #isOwn(id: string, before: PageTree): boolean {
    const since = this.#clock() - OWN_MS;
    return [id, ...before.ancestors(id), ...this.tree.ancestors(id)].some((page) => (this.#own.get(page) ?? -Infinity) >= since);
  }

  /** Takes the rows over; answers with the pages by which the tree looks different now. */
  #update(rows: readonly PageRow[]): string[] {
    const changed: string[] = [];
    for (const row of rows) {
      const before = this.#rows.get(row.id);
      if (before === row) continue;
      if (before === undefined || !looksAlike(before, row)) changed.push(row.id);
      this.#rows.set(row.id, row);
    }
    if (this.#rows.size === rows.length) return changed;
    const here = new Set(rows.map(({ id }) => id));
    const gone = [...this.#rows.keys()].filter((id) => !here.has(id));
    for (const id of gone) this.#rows.delete(id);
    return [...changed, ...gone];
  }
}

function looksAlike(one: Page, other: Page): boolean {
  return one.title === other.title && one.parent === other.parent && one.parent_order === other.parent_order;
}
