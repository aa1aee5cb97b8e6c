import { SIDEBAR, ZOOM, defaultSettings, type Settings as Values, type Shell } from '../lib/shell';

/** The device's settings as the window shows them; every change is kept at once. */
export class Settings {
  values = $state.raw<Values>(defaultSettings);
  /** Whether it is known what was kept: before, nothing is painted that might look otherwise a moment later. */
  loaded = $state(false);
  readonly #shell: Shell;
  readonly #failed: (error: unknown) => void;

  /** `failed` hears of changes that hold in this window but could not be kept. */
  constructor(shell: Shell, failed: (error: unknown) => void) {
    this.#shell = shell;
    this.#failed = failed;
  }

  /** Reads what was kept. Without it the window opens with the usual settings. */
  async load(): Promise<void> {
    try {
      this.values = await this.#shell.settings();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.loaded = true;
    }
  }

  /** Shows a change without keeping it: while the pointer drags. */
  preview(changes: Partial<Values>): void {
    this.values = inBounds({ ...this.values, ...changes });
  }

  change(changes: Partial<Values>): void {
    this.preview(changes);
    const kept = Object.fromEntries(Object.keys(changes).map((key) => [key, this.values[key as keyof Values]]));
    this.#shell.setSettings(kept).catch(this.#failed);
  }
}

function inBounds(values: Values): Values {
  return { ...values, zoom: clamp(values.zoom, ZOOM), sidebar_width: clamp(values.sidebar_width, SIDEBAR) };
}

function clamp(value: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}
