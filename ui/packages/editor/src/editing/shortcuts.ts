/** The keys of the editor as a list to show. */
import { defaultTexts, type EditingTexts, fill } from './texts';

/** A key and what it does. */
export interface Shortcut {
  readonly label: string;
  /** `Mod+Shift+X`; `Mod` is Ctrl, on a Mac Command. */
  readonly keys: string;
}

/** All keys that are not what every text field has. */
export function shortcuts(own: Partial<EditingTexts> = {}): readonly Shortcut[] {
  const texts = { ...defaultTexts, ...own };
  const pairs: readonly (readonly [label: string, keys: string])[] = [
    [texts.menu, '/'],
    [texts.bold, 'Mod+B'],
    [texts.italic, 'Mod+I'],
    [texts.underline, 'Mod+U'],
    [texts.strike, 'Mod+Shift+X'],
    [texts.inlineCode, 'Mod+E'],
    [texts.highlight, 'Mod+Shift+H'],
    [texts.link, 'Mod+L'],
    [texts.paragraph, 'Mod+Alt+0'],
    ...[1, 2, 3, 4, 5, 6].map((n) => [fill(texts.heading, { n }), `Mod+Alt+${n}`] as const),
    [texts.orderedList, 'Mod+Shift+7'],
    [texts.bulletList, 'Mod+Shift+8'],
    [texts.taskList, 'Mod+Shift+9'],
    [texts.taskToggle, 'Mod+Enter'],
    [texts.lineBreak, 'Shift+Enter'],
    [texts.leaveCode, 'Mod+Enter'],
    [texts.indent, 'Tab'],
    [texts.outdent, 'Shift+Tab'],
    [texts.moveUp, 'Alt+ArrowUp'],
    [texts.moveDown, 'Alt+ArrowDown'],
    [texts.duplicate, 'Mod+D'],
    [texts.selectBlock, 'Escape'],
    [texts.toToolbar, 'Alt+F10'],
  ];
  return pairs.map(([label, keys]) => ({ label, keys }));
}
