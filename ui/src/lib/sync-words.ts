import { messages } from './messages';

/** What is known about the way from this device to the server, as the store reports it. */
export interface SyncReport {
  state: 'local' | 'offline' | 'connecting' | 'sending' | 'saved' | 'synced' | 'refused' | 'not_saved';
  /** Changes that the server does not have yet. */
  waiting: number;
  /** Refused changes that wait for their author. */
  drafts: number;
  /** Until the next attempt. */
  retry_in_ms: number | null;
  code: string | null;
  message: string | null;
}

export type SyncGlyph = 'device' | 'done' | 'up' | 'down' | 'offline' | 'waiting' | 'attention' | 'failed';

/** A report for people: a sign, a short line, and one sentence that says what it means. */
export interface SyncWords {
  glyph: SyncGlyph;
  /** Set apart from the line: what must not be overlooked. */
  alarm: string | null;
  line: string;
  explanation: string;
}

const { sync } = messages;

/** Says no more than the report knows: only `synced` is called synced. */
export function syncWords(report: SyncReport): SyncWords {
  const { waiting, retry_in_ms: retry } = report;
  const words = (glyph: SyncGlyph, line: string, explanation: string): SyncWords => ({ glyph, alarm: null, line, explanation });
  switch (report.state) {
    case 'local':
      return words('device', sync.local, sync.explain.local);
    case 'synced':
      return words('done', sync.synced, sync.explain.synced);
    case 'saved':
      return words('done', sync.saved, sync.explain.saved);
    case 'sending':
      if (waiting === 0) return words('down', sync.receiving, sync.explain.receiving);
      return words('up', sync.sending(waiting), sync.explain.sending);
    case 'offline': {
      if (retry === null) return words('offline', waiting === 0 ? sync.offline : sync.offlineWaiting(waiting), sync.explain.offline);
      const seconds = Math.ceil(retry / 1000);
      const line = waiting === 0 ? sync.reconnecting(seconds) : sync.reconnectingWaiting(seconds, waiting);
      return words('offline', line, sync.explain.offline);
    }
    case 'connecting':
      return words('waiting', waiting === 0 ? sync.connecting : sync.connectingWaiting(waiting), sync.explain.connecting);
    case 'refused':
      if (report.drafts > 0) return words('attention', sync.needsYou(report.drafts), sync.explain.refused);
      return words('attention', waiting === 0 ? sync.signInRefused : sync.signInRefusedWaiting(waiting), sync.explain.signInRefused);
    case 'not_saved': {
      const line = report.code === 'STORAGE_FULL' ? sync.diskFull : sync.diskFailed;
      return { glyph: 'failed', alarm: sync.notSaved, line, explanation: sync.explain.not_saved };
    }
  }
}
