import { defaultSettings, type Settings, type Shell } from '../lib/shell';

/** A desktop that only remembers what it was asked. */
export interface FakeShell extends Shell {
  kept: Settings;
  opened: string[];
}

export function fakeShell(settings: Partial<Settings> = {}): FakeShell {
  const shell: FakeShell = {
    kept: { ...defaultSettings, ...settings },
    opened: [],
    settings: () => Promise.resolve(shell.kept),
    setSettings: async (changes) => void (shell.kept = { ...shell.kept, ...changes }),
    watchSettings: () => () => undefined,
    openPageWindow: async (id) => void shell.opened.push(`window ${id}`),
    openExternal: async (url) => void shell.opened.push(url),
  };
  return shell;
}
