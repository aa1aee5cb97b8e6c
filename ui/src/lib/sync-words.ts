import type { SyncStatus } from '@tombolo/client';
import { messages } from './messages';

export type SyncGlyph = 'device' | 'done' | 'up' | 'down' | 'offline' | 'waiting' | 'attention' | 'failed';

/** A status for people: a sign, a short line, and one sentence that says what it means. */
export interface SyncWords {
  glyph: SyncGlyph;
  /** Set apart from the line: what must not be overlooked. */
  alarm: string | null;
  line: string;
  explanation: string;
}

const { sync } = messages;

function words(glyph: SyncGlyph, line: string, explanation: string): SyncWords {
  return { glyph, alarm: null, line, explanation };
}

/** Says no more than the status knows: only `synced` is called synced. */
export function syncWords(status: SyncStatus): SyncWords {
  const { waiting, retry_in_ms: retry } = status;
  switch (status.state) {
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
      if (status.drafts > 0) return words('attention', sync.needsYou(status.drafts), sync.explain.refused);
      return words('attention', waiting === 0 ? sync.signInRefused : sync.signInRefusedWaiting(waiting), sync.explain.signInRefused);
    case 'not_saved': {
      const line = status.code === 'STORAGE_FULL' ? sync.diskFull : sync.diskFailed;
      return { glyph: 'failed', alarm: sync.notSaved, line, explanation: sync.explain.not_saved };
    }
  }
}
