import type { DataStore, Unsubscribe } from '@tombolo/client';
import { createContext } from 'svelte';
import { SvelteSet } from 'svelte/reactivity';
import { messages } from '../lib/messages';
import { shown } from '../lib/titles';
import type { Shell } from '../lib/shell';
import { failure } from './failures';
import { Navigation } from './navigation.svelte';
import type { Place } from './page-tree';
import { Pages, type OpenPage } from './pages.svelte';
import { rememberedIds } from './remembered';
import { Session } from './session.svelte';
import { Settings } from './settings.svelte';
import { Toasts, type After } from './toasts.svelte';

/** What opens above the page. */
export type DialogName = 'palette' | 'sync' | 'connect' | 'settings' | 'shortcuts';

/** What a window is made with. */
export interface Surroundings {
  store: DataStore;
  shell: Shell;
  /** The page of a window that shows only that one. */
  onlyPage?: string | null;
  clock?: () => number;
  after?: After;
}

const expandedIds = rememberedIds('expanded');

/** Everything that a window shows, and what a person can do in it. */
export class Workspace {
  readonly store: DataStore;
  readonly shell: Shell;
  readonly onlyPage: string | null;
  readonly pages: Pages;
  readonly session: Session;
  readonly settings: Settings;
  readonly toasts: Toasts;
  readonly navigation = new Navigation();
  /** The pages whose inside is shown in the tree. */
  readonly expanded = new SvelteSet<string>(expandedIds.read());

  /** The workspace's name; undefined until the store is open. */
  name = $state.raw<string>();
  /** What is open above the page, the topmost last. */
  dialogs = $state.raw<readonly DialogName[]>([]);
  /** The page whose title is to take the keyboard as soon as it is there. */
  titleWanted = $state.raw<string | null>(null);
  /** The page whose text is to take the keyboard as soon as it is there. */
  textWanted = $state.raw<string | null>(null);
  /** The page that was made last, until the tree has it. */
  newest = $state.raw<string | null>(null);
  /** The open page as it is now; null if it is not on this device, undefined before that is known and where none is open. */
  opened = $state.raw<OpenPage | null>();
  /** How many words the open page has; null where none is open. Its editor counts them. */
  wordCount = $state.raw<number | null>(null);
  /** Whether the window is too narrow for a sidebar beside the page. */
  narrow = $state(false);
  /** Whether a sidebar that lies over the page is shown. */
  sidebarOver = $state(false);
  /** The time by which relative dates are told. */
  now = $state.raw(0);

  readonly #clock: () => number;

  constructor({ store, shell, onlyPage = null, clock = Date.now, after }: Surroundings) {
    this.store = store;
    this.shell = shell;
    this.onlyPage = onlyPage;
    this.#clock = clock;
    this.now = clock();
    this.toasts = new Toasts(after);
    this.session = new Session(store, clock);
    this.pages = new Pages(store, (page, receipt) => this.session.unsent.wrote(page, receipt), clock);
    this.settings = new Settings(shell, () => this.toasts.show({ text: messages.settings.notKept }));
  }

  /** Follows the store until the function that it gives is called. */
  follow(): Unsubscribe {
    const stops = [this.pages.follow(), this.session.follow(), this.shell.watchSettings((changes) => this.settings.preview(changes))];
    return () => stops.forEach((stop) => stop());
  }

  /** Follows the open page until the function that it gives is called. */
  followOpened(): Unsubscribe | undefined {
    const { page } = this.navigation;
    this.opened = undefined;
    this.wordCount = null;
    return page === null ? undefined : this.pages.followPage(page, (opened) => (this.opened = opened));
  }

  /** Shows the page that this window is for, the one that was open last, or the first. */
  openFirst(): void {
    const { last_page } = this.settings.values;
    const last = last_page !== null && this.pages.tree.get(last_page) ? last_page : undefined;
    const id = this.onlyPage ?? last ?? this.pages.tree.children(null)[0];
    if (id !== undefined) this.navigation.replace({ kind: 'page', id });
  }

  /** Whether the sidebar lies over the page and not beside it: in a narrow window, and in one for a single page. */
  get sidebarLiesOver(): boolean {
    return this.narrow || this.onlyPage !== null;
  }

  get sidebarShown(): boolean {
    return this.sidebarLiesOver ? this.sidebarOver : !this.settings.values.sidebar_collapsed;
  }

  toggleSidebar(): void {
    if (this.sidebarLiesOver) this.sidebarOver = !this.sidebarOver;
    else this.settings.change({ sidebar_collapsed: this.sidebarShown });
  }

  refreshTime(): void {
    this.now = this.#clock();
  }

  openDialog(name: DialogName): void {
    this.dialogs = [...this.dialogs.filter((open) => open !== name), name];
  }

  closeDialog(name: DialogName): void {
    this.dialogs = this.dialogs.filter((open) => open !== name);
  }

  /** The title of a page as it is shown. */
  titleOf(id: string): string {
    const elsewhere = [this.opened, ...this.pages.trashed].find((page) => page?.id === id);
    return shown(this.pages.tree.get(id)?.title ?? elsewhere?.title);
  }

  openPage(id: string): void {
    this.navigation.open({ kind: 'page', id });
    this.sidebarOver = false;
    if (this.onlyPage === null) this.settings.change({ last_page: id });
  }

  openTrash(): void {
    this.navigation.open({ kind: 'trash' });
    this.sidebarOver = false;
  }

  openWindow(id: string): Promise<void> {
    return this.#attempt(() => this.shell.openPageWindow(id));
  }

  openExternal(url: string): Promise<void> {
    return this.#attempt(() => this.shell.openExternal(url));
  }

  /** A new page inside another one or at the top, opened with the keyboard in its title. */
  newPage(parent: string | null, title = ''): Promise<void> {
    return this.#attempt(async () => {
      if (parent !== null) this.expand(parent);
      const id = await this.pages.create(title, { parent, before: null });
      this.newest = id;
      this.titleWanted = id;
      this.openPage(id);
    });
  }

  rename(id: string, title: string): Promise<void> {
    return this.#attempt(() => this.pages.setTitle(id, title));
  }

  move(id: string, place: Place): Promise<void> {
    const before = this.pages.tree.place(id);
    return this.#attempt(async () => {
      // Opened first, so that the page is never out of sight on its way.
      if (place.parent !== null && place.parent !== before.parent) this.expand(place.parent);
      await this.pages.move(id, place);
      if (place.parent === before.parent) return;
      const undo = () => void this.#attempt(() => this.pages.move(id, before));
      this.toasts.show({ text: messages.tree.moved(this.titleOf(id)), undo });
    });
  }

  trash(id: string): Promise<void> {
    const title = this.titleOf(id);
    const next = this.pages.tree.neighbour(id);
    const { page } = this.navigation;
    const wasOpen = page !== null && this.pages.tree.isWithin(page, id);
    return this.#attempt(async () => {
      await this.pages.trash(id);
      if (wasOpen && next !== null) this.openPage(next);
      else if (wasOpen) this.navigation.open({ kind: 'none' });
      const undo = () =>
        void this.#attempt(async () => {
          await this.pages.restore(id);
          if (wasOpen) this.openPage(page);
        });
      this.toasts.show({ text: messages.tree.trashed(title), undo });
    });
  }

  restore(id: string): Promise<void> {
    const title = this.titleOf(id);
    return this.#attempt(async () => {
      await this.pages.restore(id);
      const undo = () => void this.#attempt(() => this.pages.trash(id));
      this.toasts.show({ text: messages.tree.restored(title), undo });
    });
  }

  expand(id: string): void {
    this.expanded.add(id);
    expandedIds.keep(this.expanded);
  }

  collapse(id: string): void {
    this.expanded.delete(id);
    expandedIds.keep(this.expanded);
  }

  disconnect(): Promise<void> {
    return this.#attempt(async () => {
      await this.session.disconnect();
      this.toasts.show({ text: messages.sync.disconnected });
    });
  }

  retry(): Promise<void> {
    return this.#attempt(() => this.session.retry());
  }

  discard(draft: string): Promise<void> {
    return this.#attempt(async () => {
      await this.session.discard(draft);
      this.toasts.show({ text: messages.sync.discarded });
    });
  }

  /** Does something; what goes wrong is told in words and changes nothing else. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { sentence, details } = failure(error);
      this.toasts.show({ text: sentence, details });
    }
  }
}

export const [useWorkspace, provideWorkspace] = createContext<Workspace>();
