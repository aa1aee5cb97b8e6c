import type { Coverage, DataStore, DataStoreError, Receipt, Result, Unsubscribe } from '@tombolo/client';
import type { DocumentSource } from '@tombolo/editor';
import { documentSource } from './documents';
import { PageTree, type Page, type Place } from './page-tree';

const ENTITY = 'Page';
/** For so long after a write here, a change of that page is taken for what it did. */
const OWN_MS = 2_000;

/** What an open page shows besides its place in the tree. */
export interface OpenPage {
  id: string;
  title: string;
  updated_at: string;
}

/** A page that was put into the trash. */
export interface TrashedPage {
  id: string;
  title: string;
  deleted_at: string | null;
}

// Only these are read, and told of when they change: a keystroke in some page is no news to the tree, and a page's text
// comes to its editor as a document.
const TREE_FIELDS = ['title', 'parent', 'parent_order', 'path'] satisfies (keyof Page)[];
const OPEN_FIELDS = ['title', 'updated_at'] satisfies (keyof OpenPage)[];
const TRASH_FIELDS = ['title', 'deleted_at'] satisfies (keyof TrashedPage)[];

/** The pages of the workspace, as the store has them now, and what can be done with them. */
export class Pages {
  tree = $state.raw(new PageTree([]));
  /** The tree to show: while it is held, changes from elsewhere wait. */
  shownTree = $state.raw(this.tree);
  /** The pages that were put into the trash, the latest first; what was inside them is not listed. */
  trashed = $state.raw<readonly TrashedPage[]>([]);
  /** `missing` until the pages are known: an empty tree says nothing before. */
  coverage = $state.raw<Coverage>('missing');
  /** Why the pages cannot be followed any longer. */
  error = $state.raw<DataStoreError | null>(null);

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
    const filter = { deleted_at: { $null: false }, $order: { deleted_at: 'desc' } } as const;
    const stops = [
      this.#store
        .live<Page>({ op: 'query_filtered', args: { entity: ENTITY, fields: TREE_FIELDS } })
        .subscribe((result) => this.#take(result)),
      this.#store
        .live<TrashedPage>({ op: 'query_filtered', args: { entity: ENTITY, filter, fields: TRASH_FIELDS } })
        .subscribe(({ rows }) => (this.trashed = rows)),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** Follows one page wherever it is, also in the trash; null if it is not on this device. */
  followPage(id: string, listener: (page: OpenPage | null) => void): Unsubscribe {
    return this.#store
      .live<OpenPage>({ op: 'get_by_id', args: { entity: ENTITY, id, fields: OPEN_FIELDS } })
      .subscribe(({ rows, coverage }) => coverage !== 'missing' && listener(rows[0] ?? null));
  }

  /** A new page at a place, last unless told; answers with its id. */
  async create(title: string, place: Place = { parent: null, before: null }): Promise<string> {
    const { id, receipt } = await this.#store.insert(ENTITY, { title, parent: place });
    this.#own.set(id, this.#clock());
    this.#told(id, receipt);
    return id;
  }

  /** A page's title to be typed in; `ended` hears why it can be followed no longer. */
  titleSource(id: string, ended: (error: DataStoreError) => void): DocumentSource {
    const wrote = (receipt: Receipt) => {
      this.#own.set(id, this.#clock());
      this.#told(id, receipt);
    };
    return documentSource(this.#store, id, undefined, wrote, ended);
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

  #take({ rows, coverage, error }: Result<Page>): void {
    this.coverage = coverage;
    this.error = error;
    const before = this.tree;
    const changed = differences(before, rows);
    if (changed.length === 0) return;
    this.tree = new PageTree(rows);
    if (!this.#held || changed.every((id) => this.#isOwn(id, before))) this.shownTree = this.tree;
  }

  /** Whether a change of a page, or of one that it was or is in, was made here a moment ago. */
  #isOwn(id: string, before: PageTree): boolean {
    const since = this.#clock() - OWN_MS;
    return [id, ...before.ancestors(id), ...this.tree.ancestors(id)].some((page) => (this.#own.get(page) ?? -Infinity) >= since);
  }
}

/** The pages by which the tree looks different now. */
function differences(before: PageTree, rows: readonly Page[]): string[] {
  const changed = rows.filter((row) => {
    const old = before.get(row.id);
    return old !== row && (old === undefined || !looksAlike(old, row));
  });
  const ids = changed.map(({ id }) => id);
  const came = ids.filter((id) => before.get(id) === undefined).length;
  if (before.size + came === rows.length) return ids;
  const here = new Set(rows.map(({ id }) => id));
  return [...ids, ...[...before.pages()].flatMap(({ id }) => (here.has(id) ? [] : id))];
}

function looksAlike(one: Page, other: Page): boolean {
  return one.title === other.title && one.parent === other.parent && one.parent_order === other.parent_order && one.path === other.path;
}
