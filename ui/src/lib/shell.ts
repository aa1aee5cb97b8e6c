import { invoke } from '@tauri-apps/api/core';

export type Theme = 'system' | 'light' | 'dark';

/** What is remembered about the app on this device; nothing of it is synced. */
export interface Settings {
  theme: Theme;
  /** In percent, from 50 to 200. */
  zoom: number;
  /** In pixels, from 200 to 400. */
  sidebar_width: number;
  sidebar_collapsed: boolean;
  /** The page that was open last. */
  last_page: string | null;
}

/** What the app may ask of the desktop around it: windows, its settings file, the web browser. */
export interface Shell {
  settings(): Promise<Settings>;
  /** Keeps the settings that are given, and zooms every window. */
  setSettings(changes: Partial<Settings>): Promise<void>;
  /** Hears of what other windows change, until the function that it gives is called. */
  watchSettings(listener: (changes: Partial<Settings>) => void): () => void;
  /** Shows a page in a window of its own, or brings that window to the front. */
  openPageWindow(id: string): Promise<void>;
  /** Opens a web or mail address outside the app. */
  openExternal(url: string): Promise<void>;
}

export const ZOOM = { least: 50, most: 200, step: 10, normal: 100 } as const;
export const SIDEBAR = { least: 200, most: 400, step: 16, normal: 248 } as const;

export const defaultSettings: Settings = {
  theme: 'system',
  zoom: ZOOM.normal,
  sidebar_width: SIDEBAR.normal,
  sidebar_collapsed: false,
  last_page: null,
};

/** Which of the settings are every window's; the others are each window's own. */
const shared = ['theme', 'zoom'] as const satisfies (keyof Settings)[];
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('settings');

/** The commands of the desktop app. */
export const tauriShell: Shell = {
  settings: async () => readSettings(await invoke('settings')),
  async setSettings(changes) {
    const told = Object.fromEntries(shared.filter((key) => key in changes).map((key) => [key, changes[key]]));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
    if (Object.keys(told).length > 0) channel?.postMessage(told);
    await invoke('set_settings', { changes });
  },
  watchSettings(listener) {
    const heard = ({ data }: MessageEvent<unknown>) => {
      const settings = readSettings(data);
      const named: object = typeof data === 'object' && data !== null ? data : {};
      listener(Object.fromEntries(shared.filter((key) => key in named).map((key) => [key, settings[key]])));
    };
    channel?.addEventListener('message', heard);
    return () => channel?.removeEventListener('message', heard);
  },
  openPageWindow: (id) => invoke('open_page_window', { id }),
  openExternal: (url) => invoke('open_external', { url }),
};

/** Takes what it understands from a settings file that people can edit; the rest is as usual. */
export function readSettings(foreign: unknown): Settings {
  const given: Partial<Record<keyof Settings, unknown>> = typeof foreign === 'object' && foreign !== null ? foreign : {};
  return {
    theme: given.theme === 'light' || given.theme === 'dark' ? given.theme : 'system',
    zoom: within(given.zoom, ZOOM),
    sidebar_width: within(given.sidebar_width, SIDEBAR),
    sidebar_collapsed: given.sidebar_collapsed === true,
    last_page: typeof given.last_page === 'string' ? given.last_page : null,
  };
}

function within(value: unknown, { least, most, normal }: { least: number; most: number; normal: number }): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, Math.round(value))) : normal;
}
