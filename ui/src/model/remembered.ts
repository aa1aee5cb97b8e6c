/** Ids that are kept; a list of open pages that grows for years stays small. */
const MOST = 2_000;

/** A set of ids that outlives the window, where the web view can keep something; elsewhere it lasts as long as the window. */
export function rememberedIds(name: string): { read(): string[]; keep(ids: Iterable<string>): void } {
  return {
    read() {
      try {
        const ids: unknown = JSON.parse(localStorage.getItem(name) ?? '[]');
        return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string').slice(0, MOST) : [];
      } catch {
        return [];
      }
    },
    keep(ids) {
      try {
        localStorage.setItem(name, JSON.stringify([...ids].slice(-MOST)));
      } catch {
        // A full or forbidden store costs only what is open next time.
      }
    },
  };
}
