import type { DataStore, Draft, ServerAddress, SyncStatus, Unsubscribe } from '@tombolo/client';
import { syncWords, type SyncWords } from '../lib/sync-words';
import { Unsent } from './unsent.svelte';

const NO_SERVER: ServerAddress = { url: null, account: 'none', remembered: false };
const SECOND_MS = 1_000;

/** The way from this device to its server, as far as it is known. */
export class Session {
  status = $state.raw<SyncStatus>();
  server = $state.raw<ServerAddress>(NO_SERVER);
  drafts = $state.raw<readonly Draft[]>([]);
  readonly unsent = new Unsent();

  /** What the status counted down from, and when it came. */
  #since = 0;
  #now = $state(0);
  readonly #store: DataStore;
  readonly #clock: () => number;

  constructor(store: DataStore, clock: () => number = Date.now) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The status in words; undefined until something is known. */
  readonly words: SyncWords | undefined = $derived.by(() => {
    if (!this.status) return undefined;
    const { retry_in_ms: retry } = this.status;
    return syncWords({ ...this.status, retry_in_ms: retry === null ? null : Math.max(0, retry - (this.#now - this.#since)) });
  });

  /** Whether there is a server to sync with. */
  get hasServer(): boolean {
    return this.status !== undefined && this.status.state !== 'local';
  }

  /** Whether the server lacks something of a page that was written in this window. */
  isUnsent(page: string): boolean {
    return this.hasServer && (this.status?.waiting ?? 0) > 0 && this.unsent.has(page);
  }

  /** Follows the session until the function that it gives is called. */
  follow(): Unsubscribe {
    const stops = [
      this.#store.syncStatus.subscribe((status) => this.#take(status)),
      this.#store.commits((news) => this.unsent.heard(news)),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** Lets a countdown go on; to be called each second while one is shown. */
  tick(): void {
    this.#now = this.#clock();
  }

  readonly countsDown: boolean = $derived((this.status?.retry_in_ms ?? null) !== null);
  static readonly tickMs = SECOND_MS;

  async connect(url: string, token: string): Promise<void> {
    await this.#store.connect({ url, token });
    await this.#readServer();
  }

  async disconnect(): Promise<void> {
    await this.#store.disconnect();
    await this.#readServer();
  }

  retry(): Promise<void> {
    return this.#store.retryNow();
  }

  /** Reads again what is told besides the status. */
  refresh(): void {
    this.#follow(this.#readDrafts());
    this.#follow(this.#readServer());
  }

  async discard(draft: string): Promise<void> {
    await this.#store.draftDiscard(draft);
    this.drafts = this.drafts.filter(({ id }) => id !== draft);
  }

  #take(status: SyncStatus | undefined): void {
    const known = this.status;
    this.status = status;
    this.#since = this.#clock();
    this.#now = this.#since;
    if (!status) return;
    if (status.drafts !== (known?.drafts ?? 0)) this.#follow(this.#readDrafts());
    if (status.state !== known?.state) this.#follow(this.#readServer());
  }

  async #readDrafts(): Promise<void> {
    this.drafts = await this.#store.drafts();
  }

  async #readServer(): Promise<void> {
    this.server = await this.#store.serverAddress();
  }

  /** What only tells more about a status may fail: the status itself says what matters. */
  #follow(reading: Promise<void>): void {
    reading.catch(() => undefined);
  }
}
