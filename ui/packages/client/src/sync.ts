import type { Live, Unsubscribe } from './live';

/** The sync state in one word. */
export type SyncState =
  /** There is no server: everything is on this device only. */
  | 'local'
  /** No connection; the next attempt is `retry_in_ms` away. */
  | 'offline'
  | 'connecting'
  /** Connected, and something is on its way, in either direction. */
  | 'sending'
  /** Everything was sent, and everything that the server has is here. */
  | 'saved'
  /** The same, and proven equal. */
  | 'synced'
  /** The server refuses the session (`code` says why), or refused writes wait for their author as drafts. */
  | 'refused'
  /** This device's disk does not take what has to be written. */
  | 'not_saved';

/** How far the work on this device has come. */
export interface SyncStatus {
  state: SyncState;
  /** Writes that the server does not have. */
  waiting: number;
  /** Refused writes that are still open. */
  drafts: number;
  /** Until the next attempt, counted from when this status came. */
  retry_in_ms: number | null;
  /** The reason for `refused`, `not_saved` or `offline`, where there is one: `UNAUTHENTICATED`. */
  code: string | null;
  /** The same as a sentence. */
  message: string | null;
}

/** What became of a write of this device after its receipt. */
export type CommitNews =
  /** It is on the server's disk. */
  | { commit: string; seq: number; status: 'server'; server_seq: number }
  /** The server refused it, or one that it builds on: it is a draft now. */
  | { commit: string; seq: number; status: 'refused'; code: string; message: string }
  /** It was written again in place of `replaces`, after one before it had been refused. */
  | { commit: string; seq: number; status: 'local'; replaces: string };

/** The server that this device syncs with. */
export interface ServerAddress {
  /** As it was given to `connect`; null if there is none. */
  url: string | null;
  /**
   * What the server thinks of the sign-in: `none` without a server, `unknown` before it has answered. A sign-in that is
   * `refused` wants a new token.
   */
  account: 'none' | 'unknown' | 'accepted' | 'refused';
  /** Whether the app signs in by itself when it starts again. */
  remembered: boolean;
}

/** The session with a server. Editing never waits for it. */
export interface Sync {
  /** Undefined until it is known. */
  readonly syncStatus: Live<SyncStatus | undefined>;
  /** Tells what becomes of writes from here on; a page that lags far behind misses the oldest. */
  commits(listener: (news: CommitNews) => void): Unsubscribe;
  /**
   * Syncs with this server from here on, also after a restart where the app keeps sign-ins. The token goes to the
   * app's core and never comes back. Resolves once the address is understood and the sign-in is kept; whether the
   * server accepts it is told by {@link syncStatus}. Rejects with `INVALID_QUERY` for what is no address,
   * `INVALID_DATA` for what is no token.
   */
  connect(server: { url: string; token: string }): Promise<void>;
  /** Syncs with none, and forgets the sign-in. All data stays on this device. */
  disconnect(): Promise<void>;
  serverAddress(): Promise<ServerAddress>;
  /** Tries now what would be tried again later. */
  retryNow(): Promise<void>;
}
