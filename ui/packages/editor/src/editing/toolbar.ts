/**
 * The buttons over selected text.
 *
 * One stop for Tab, arrows inside (the toolbar pattern). `Alt-F10` leads into it, Escape back to the text.
 */
import { type Command, type EditorState, Plugin, TextSelection } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { isSourceBlock } from './blocks';
import { isActive, type Toggle, toggle } from './format';
import { editLink } from './link-popover';
import type { Editing } from './options';
import { button, element, place, rectOf, show, surfaceParent, whenMoved } from './surface';

interface Tool {
  readonly mark: string;
  readonly label: string;
  /** Keys with the Ctrl or Command key, in the notation of `aria-keyshortcuts`. */
  readonly keys: string;
  readonly command: Command;
}

const marking = (mark: Toggle, label: string, keys: string): Tool => ({ mark, label, keys, command: toggle(mark) });

function toolsOf({ texts }: Editing): readonly Tool[] {
  return [
    marking('bold', texts.bold, 'B'),
    marking('italic', texts.italic, 'I'),
    marking('underline', texts.underline, 'U'),
    marking('strike', texts.strike, 'Shift+X'),
    marking('code', texts.inlineCode, 'E'),
    marking('highlight', texts.highlight, 'Shift+H'),
    { mark: 'link', label: texts.link, keys: 'L', command: editLink },
  ];
}

/** Whether Command takes the place of Ctrl. */
const isMac = (): boolean => /Mac|iP(?:hone|ad)/u.test(navigator.platform);

/** Two links of a chain. The other tools show a letter, which the style sheet draws in the look of the mark. */
function linkIcon(): SVGSVGElement {
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  icon.setAttribute('viewBox', '0 0 16 16');
  icon.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M6.3 9.7 9.7 6.3 M7.4 4.7 9 3.1a2.75 2.75 0 0 1 3.9 3.9l-1.6 1.6 M8.6 11.3 7 12.9A2.75 2.75 0 0 1 3.1 9l1.6-1.6');
  icon.append(path);
  return icon;
}

/** Whether the selection is text that can be marked. */
function isMarkable({ selection }: EditorState): boolean {
  if (!(selection instanceof TextSelection) || selection.empty) return false;
  return !(selection.$from.sameParent(selection.$to) && isSourceBlock(selection.$from.parent));
}

class Toolbar {
  readonly #view: EditorView;
  readonly #bar: HTMLElement;
  readonly #tools: readonly { readonly tool: Tool; readonly button: HTMLButtonElement }[];
  readonly #abort = new AbortController();
  /** Whether a pointer is still selecting: the bar comes when it is done. */
  #selecting = false;

  constructor(editing: Editing, view: EditorView) {
    this.#view = view;
    this.#tools = toolsOf(editing).map((tool) => ({ tool, button: this.#button(tool) }));
    const label = { 'aria-label': editing.texts.toolbar, 'aria-orientation': 'horizontal' };
    this.#bar = element('div', { class: 'editor-toolbar', role: 'toolbar', ...label }, ...this.#tools.map((entry) => entry.button));
    this.#bar.hidden = true;
    this.#bar.addEventListener('keydown', (event) => this.#key(event));
    surfaceParent(view, editing.surfaces).append(this.#bar);
    const { signal } = this.#abort;
    whenMoved(view, signal, () => this.update());
    view.dom.addEventListener('pointerdown', () => this.#point(true), { signal });
    view.dom.ownerDocument.addEventListener('pointerup', () => this.#point(false), { signal });
    view.dom.ownerDocument.addEventListener('pointercancel', () => this.#point(false), { signal });
    view.dom.addEventListener('focusout', () => queueMicrotask(() => this.update()), { signal });
    view.dom.addEventListener('focusin', () => queueMicrotask(() => this.update()), { signal });
    this.#bar.addEventListener('focusout', () => queueMicrotask(() => this.update()), { signal });
  }

  #button(tool: Tool): HTMLButtonElement {
    const press = (): void => {
      const { state } = this.#view;
      tool.command(state, this.#view.dispatch, this.#view);
      if (tool.mark !== 'link') this.#view.focus();
    };
    const mac = isMac();
    const made = button('', press, {
      class: `tool tool-${tool.mark}`,
      title: `${tool.label} (${mac ? '⌘' : 'Ctrl+'}${tool.keys})`,
      'aria-label': tool.label,
      'aria-keyshortcuts': `${mac ? 'Meta' : 'Control'}+${tool.keys}`,
    });
    made.tabIndex = -1;
    if (tool.mark === 'link') made.append(linkIcon());
    return made;
  }

  #point(selecting: boolean): void {
    this.#selecting = selecting;
    // The view reads the selection after the event.
    if (!selecting) setTimeout(() => this.update());
  }

  update(): void {
    if (this.#view.isDestroyed) return;
    const { state } = this.#view;
    const inBar = this.#bar.contains(document.activeElement);
    const shown = isMarkable(state) && !this.#selecting && this.#view.editable && (this.#view.hasFocus() || inBar);
    if (shown) {
      for (const { tool, button: made } of this.#tools) {
        const type = state.schema.marks[tool.mark];
        made.setAttribute('aria-pressed', String(type !== undefined && isActive(state, type)));
      }
    }
    const changed = show(this.#bar, shown);
    if (changed) this.#stop(0);
    if (shown) place(this.#bar, rectOf(this.#view, state.selection.from, state.selection.to), 'above');
  }

  /** Makes one button the stop for Tab. */
  #stop(index: number): HTMLButtonElement | undefined {
    for (const [at, { button: made }] of this.#tools.entries()) made.tabIndex = at === index ? 0 : -1;
    return this.#tools[index]?.button;
  }

  /** Moves focus into the bar; false while it is not shown. */
  enter(): boolean {
    if (this.#bar.hidden) return false;
    this.#stop(0)?.focus();
    return true;
  }

  #key(event: KeyboardEvent): void {
    const last = this.#tools.length - 1;
    const at = this.#tools.findIndex((entry) => entry.button === document.activeElement);
    const rtl = getComputedStyle(this.#bar).direction === 'rtl';
    const step = rtl ? -1 : 1;
    const targets: Record<string, number> = {
      ArrowRight: (at + step + last + 1) % (last + 1),
      ArrowLeft: (at - step + last + 1) % (last + 1),
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target !== undefined) this.#stop(target)?.focus();
    else if (event.key === 'Escape') this.#view.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  destroy(): void {
    this.#abort.abort();
    this.#bar.remove();
  }
}

/** The toolbar as a plugin. */
export function toolbar(editing: Editing): Plugin {
  let bar: Toolbar | null = null;
  return new Plugin({
    props: {
      handleKeyDown: (_view, event) => event.altKey && event.key === 'F10' && (bar?.enter() ?? false),
    },
    view(view) {
      bar = new Toolbar(editing, view);
      return bar;
    },
  });
}
