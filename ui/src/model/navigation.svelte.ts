/** What the page column shows. */
export type View = { kind: 'none' } | { kind: 'page'; id: string } | { kind: 'trash' };

/** Steps that can be gone back. */
const MOST = 100;

/** Which view is open in this window, and those before and after it. */
export class Navigation {
  view = $state.raw<View>({ kind: 'none' });
  #before = $state.raw<readonly View[]>([]);
  #after = $state.raw<readonly View[]>([]);

  /** The open page's id. */
  get page(): string | null {
    return this.view.kind === 'page' ? this.view.id : null;
  }

  get canGoBack(): boolean {
    return this.#before.length > 0;
  }

  get canGoForward(): boolean {
    return this.#after.length > 0;
  }

  /** The pages that were open, each with how many others were since. */
  get visited(): ReadonlyMap<string, number> {
    const pages = [...this.#before, this.view].flatMap((view) => (view.kind === 'page' ? view.id : [])).toReversed();
    return new Map([...new Set(pages)].map((id, at) => [id, at]));
  }

  open(view: View): void {
    if (same(view, this.view)) return;
    if (this.view.kind !== 'none') this.#before = [...this.#before, this.view].slice(-MOST);
    this.#after = [];
    this.view = view;
  }

  /** Shows another view in place of this one, which there is no way back to. */
  replace(view: View): void {
    this.view = view;
  }

  back(): void {
    const view = this.#before.at(-1);
    if (!view) return;
    this.#before = this.#before.slice(0, -1);
    this.#after = [this.view, ...this.#after];
    this.view = view;
  }

  forward(): void {
    const [view, ...after] = this.#after;
    if (!view) return;
    this.#before = [...this.#before, this.view];
    this.#after = after;
    this.view = view;
  }
}

function same(one: View, other: View): boolean {
  return one.kind === other.kind && (one.kind !== 'page' || other.kind !== 'page' || one.id === other.id);
}
