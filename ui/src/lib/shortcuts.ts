/**
 * A key with its modifiers, written as it is read: `Mod+Shift+N`, `Alt+ArrowUp`, `F2`.
 * `Mod` is Command on a Mac and Ctrl elsewhere.
 */
export type Shortcut = string;

type KeyPress = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

const onMac = typeof navigator !== 'undefined' && /mac/i.test(navigator.platform);

const names: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Delete: 'Del',
};

/** Keys that lie elsewhere, or need a modifier, on some layouts are known by their place, too. */
const places: Readonly<Record<string, string>> = {
  '\\': 'Backslash',
  '/': 'Slash',
  ',': 'Comma',
  '=': 'Equal',
  '-': 'Minus',
  '0': 'Digit0',
  '[': 'BracketLeft',
  ']': 'BracketRight',
};

/** Whether a key press is this shortcut, no modifier more and none less. */
export function matches(event: KeyPress, shortcut: Shortcut, mac = onMac): boolean {
  const { key, mod, shift, alt } = parse(shortcut);
  const [command, other] = mac ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
  if (command !== mod || other || event.altKey !== alt) return false;
  // Punctuation may itself need Shift.
  const isPlace = places[key] !== undefined;
  if (event.shiftKey !== shift && !(isPlace && event.key === key)) return false;
  return event.key.toLowerCase() === key.toLowerCase() || (isPlace && event.code === places[key]);
}

/** The shortcut as it is shown: `Ctrl+Shift+N`, or `⇧⌘N` on a Mac. */
export function label(shortcut: Shortcut, mac = onMac): string {
  const { key, mod, shift, alt } = parse(shortcut);
  const name = names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  if (mac) return `${alt ? '⌥' : ''}${shift ? '⇧' : ''}${mod ? '⌘' : ''}${name}`;
  return [mod && 'Ctrl', shift && 'Shift', alt && 'Alt', name].filter(Boolean).join('+');
}

/** The shortcut as `aria-keyshortcuts` takes it. */
export function aria(shortcut: Shortcut, mac = onMac): string {
  return shortcut.replace('Mod', mac ? 'Meta' : 'Control');
}

function parse(shortcut: Shortcut): { key: string; mod: boolean; shift: boolean; alt: boolean } {
  const parts = shortcut.split('+');
  const key = parts.pop() ?? '';
  return { key, mod: parts.includes('Mod'), shift: parts.includes('Shift'), alt: parts.includes('Alt') };
}
