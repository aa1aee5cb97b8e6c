import type { CommitNews, Receipt } from '@tombolo/client';
import { SvelteMap } from 'svelte/reactivity';

/** Writes that are kept in mind; beyond that, the oldest is forgotten. */
const MOST = 10_000;

/** Which pages hold writes of this window that the server does not have yet. */
export class Unsent {
  /** From the commit to its page. */
  readonly #pages = new Map<string, string>();
  /** How many such commits a page has. */
  readonly #counts = new SvelteMap<string, number>();
  /** Commits that were settled before their receipt came. */
  readonly #early = new Set<string>();

  has(page: string): boolean {
    return this.#counts.has(page);
  }

  wrote(page: string, { commit, state }: Receipt): void {
    if (commit === null || state === 'server' || this.#early.delete(commit)) return;
    this.#add(commit, page);
    if (this.#pages.size > MOST) this.#remove(this.#pages.keys().next().value ?? '');
  }

  heard(news: CommitNews): void {
    const commit = news.status === 'local' ? news.replaces : news.commit;
    const page = this.#pages.get(commit);
    if (page === undefined) {
      this.#early.add(commit);
      if (this.#early.size > MOST) this.#early.delete(this.#early.values().next().value ?? '');
      return;
    }
    this.#remove(commit);
    if (news.status === 'local') this.#add(news.commit, page);
  }

  #add(commit: string, page: string): void {
    if (this.#pages.has(commit)) return;
    this.#pages.set(commit, page);
    this.#counts.set(page, (this.#counts.get(page) ?? 0) + 1);
  }

  #remove(commit: string): void {
    const page = this.#pages.get(commit);
    if (page === undefined) return;
    this.#pages.delete(commit);
    const left = (this.#counts.get(page) ?? 1) - 1;
    if (left > 0) this.#counts.set(page, left);
    else this.#counts.delete(page);
  }
}
