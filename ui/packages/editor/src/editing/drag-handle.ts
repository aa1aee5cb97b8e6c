/**
 * The handle beside a block: it selects the block, and dragged it moves it with its children.
 *
 * For pointers only; `Alt-ArrowUp` and `Alt-ArrowDown` do the same by keyboard.
 */
import { Plugin } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { type BlockRange, deepestBelow, indentOf, positionOf, selectedBlocks, withChildren } from './blocks';
import { BlockSelection } from './block-selection';
import type { Editing } from './options';
import { moveRange } from './structure';
import { element, show, surfaceParent, whenMoved } from './surface';

/** How far beside the text the pointer still has the handle, and how far it moves before it drags, in CSS pixels. */
const REACH = 56;
const THRESHOLD = 4;
/** The distance from the handle to its block, and from an edge of what scrolls at which dragging scrolls. */
const GAP = 4;
const EDGE = 40;
const SCROLL = 16;

/** How many steps of depth the pointer moves sideways for one: nobody drags straight down. */
const STEPS_EARNED = 1.5;

const isRtl = (view: EditorView): boolean => getComputedStyle(view.dom).direction === 'rtl';

/** Where dragged blocks would go: before the block with this index, at this depth. */
export interface Drop {
  readonly index: number;
  readonly indent: number;
  /** The height of the line, and where it starts at that depth. */
  readonly top: number;
  readonly left: number;
  readonly right: number;
}

function rectOfBlock(view: EditorView, index: number): DOMRect | null {
  const dom = view.nodeDOM(positionOf(view.state.doc, index));
  return dom instanceof HTMLElement ? dom.getBoundingClientRect() : null;
}

/** The index of the block at a height in the window: the last one that begins above it. */
export function blockAtHeight(view: EditorView, y: number): number {
  let [low, high] = [0, view.state.doc.childCount - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const rect = rectOfBlock(view, middle);
    if (rect && rect.top <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The place for dragged blocks under a pointer at a height that was moved by `way` towards the end of the line; null where
 * they are already, or inside themselves.
 */
export function dropAt(view: EditorView, range: BlockRange, y: number, way: number): Drop | null {
  const { doc } = view.state;
  const over = blockAtHeight(view, y);
  const rect = rectOfBlock(view, over);
  const page = view.dom.getBoundingClientRect();
  if (!rect) return null;
  const below = y > rect.top + rect.height / 2;
  const index = below ? over + 1 : over;
  if (index > range.start && index < range.end) return null;
  // Beside the blocks themselves only their depth can change; their neighbours are those around them.
  const inPlace = index === range.start || index === range.end;
  const [above, next] = inPlace ? [range.start - 1, range.end] : [index - 1, index];
  const deepest = deepestBelow(doc, above);
  const least = next < doc.childCount ? Math.min(indentOf(doc.child(next)), deepest) : 0;
  const step = Number.parseFloat(getComputedStyle(view.dom).getPropertyValue('--indent-step')) || 24;
  const rtl = isRtl(view);
  const wanted = indentOf(doc.child(range.start)) + Math.trunc(way / (step * STEPS_EARNED));
  const indent = Math.max(least, Math.min(wanted, deepest));
  if (inPlace && indent === indentOf(doc.child(range.start))) return null;
  const offset = indent * step;
  return {
    index: inPlace ? range.start : index,
    indent,
    top: below ? rect.bottom : rect.top,
    left: page.left + (rtl ? 0 : offset),
    right: page.right - (rtl ? offset : 0),
  };
}

class DragHandle {
  readonly #view: EditorView;
  readonly #handle: HTMLElement;
  readonly #line: HTMLElement;
  readonly #abort = new AbortController();
  /** The block that the handle is at. */
  #index = -1;
  #start: { readonly x: number; readonly y: number } | null = null;
  #dragging = false;
  #drop: Drop | null = null;

  constructor({ texts, surfaces }: Editing, view: EditorView) {
    this.#view = view;
    this.#handle = element('div', { class: 'editor-handle', title: texts.moveBlock, 'aria-hidden': 'true' });
    this.#line = element('div', { class: 'editor-drop-line', 'aria-hidden': 'true' });
    this.#handle.hidden = true;
    this.#line.hidden = true;
    surfaceParent(view, surfaces).append(this.#handle, this.#line);
    const { signal } = this.#abort;
    const page = view.dom.ownerDocument;
    page.addEventListener('pointermove', (event) => this.#hover(event), { passive: true, signal });
    page.addEventListener('keydown', (event) => this.#key(event), { capture: true, signal });
    view.dom.addEventListener('keydown', () => this.#hide(), { signal });
    whenMoved(view, signal, () => this.#hide());
    this.#handle.addEventListener('pointerdown', (event) => this.#press(event));
    this.#handle.addEventListener('pointermove', (event) => this.#drag(event));
    this.#handle.addEventListener('pointerup', () => this.#release(true));
    this.#handle.addEventListener('pointercancel', () => this.#release(false));
  }

  update(): void {
    // The block that it was at may be another one now.
    if (this.#start === null) this.#hide();
  }

  #hide(): void {
    if (this.#start === null) show(this.#handle, false);
  }

  #hover(event: PointerEvent): void {
    if (this.#start !== null || event.pointerType === 'touch' || event.buttons !== 0) return;
    const page = this.#view.dom.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    const near = x >= page.left - REACH && x <= page.right + REACH && y >= page.top && y <= page.bottom;
    if (!near || !this.#view.editable) return this.#hide();
    const index = blockAtHeight(this.#view, y);
    const dom = this.#view.nodeDOM(positionOf(this.#view.state.doc, index));
    if (!(dom instanceof HTMLElement)) return this.#hide();
    this.#index = index;
    show(this.#handle, true);
    const rect = dom.getBoundingClientRect();
    const style = getComputedStyle(dom);
    const side =
      style.direction === 'rtl' ? rect.right + GAP : rect.left - this.#handle.offsetWidth - GAP;
    this.#handle.style.setProperty('left', `${side}px`);
    this.#handle.style.setProperty('top', `${rect.top + (Number.parseFloat(style.paddingTop) || 0)}px`);
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    const { state } = this.#view;
    const selected = state.selection instanceof BlockSelection ? selectedBlocks(state.selection) : null;
    // One of several selected blocks drags all of them.
    if (!selected || this.#index < selected.start || this.#index >= selected.end) {
      const one = { start: this.#index, end: this.#index + 1 };
      this.#view.dispatch(state.tr.setSelection(BlockSelection.blocks(state.doc, one)));
    }
    this.#view.focus();
    this.#start = { x: event.clientX, y: event.clientY };
    this.#handle.setPointerCapture?.(event.pointerId);
  }

  #drag(event: PointerEvent): void {
    if (this.#start === null) return;
    const { clientX: x, clientY: y } = event;
    this.#dragging ||= Math.hypot(x - this.#start.x, y - this.#start.y) > THRESHOLD;
    if (!this.#dragging) return;
    this.#scroll(y);
    const { state } = this.#view;
    const way = (x - this.#start.x) * (isRtl(this.#view) ? -1 : 1);
    this.#drop = dropAt(this.#view, withChildren(state.doc, selectedBlocks(state.selection)), y, way);
    show(this.#line, this.#drop !== null);
    if (!this.#drop) return;
    const { top, left, right } = this.#drop;
    this.#line.style.setProperty('top', `${top}px`);
    this.#line.style.setProperty('left', `${left}px`);
    this.#line.style.setProperty('width', `${Math.max(0, right - left)}px`);
  }

  /** Scrolls what the editor is in while the pointer is at its edge. */
  #scroll(y: number): void {
    let parent = this.#view.dom.parentElement;
    while (parent && parent.scrollHeight <= parent.clientHeight) parent = parent.parentElement;
    if (!parent) return;
    const root = parent === document.documentElement;
    const rect = parent.getBoundingClientRect();
    const [top, bottom] = root ? [0, parent.clientHeight] : [rect.top, rect.bottom];
    if (y < top + EDGE) parent.scrollBy(0, -SCROLL);
    else if (y > bottom - EDGE) parent.scrollBy(0, SCROLL);
  }

  #release(drop: boolean): void {
    const [target, dragging] = [this.#drop, this.#dragging];
    this.#start = null;
    this.#dragging = false;
    this.#drop = null;
    show(this.#line, false);
    if (!drop || !dragging || !target) return;
    const { state } = this.#view;
    const range = withChildren(state.doc, selectedBlocks(state.selection));
    // Somebody else may have changed the page meanwhile.
    if (target.index > state.doc.childCount || (target.index > range.start && target.index < range.end)) return;
    this.#view.dispatch(moveRange(state.tr, range, target.index, target.indent).scrollIntoView());
  }

  #key(event: KeyboardEvent): void {
    if (!this.#dragging || event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    this.#release(false);
  }

  destroy(): void {
    this.#abort.abort();
    this.#handle.remove();
    this.#line.remove();
  }
}

/** The handle as a plugin. */
export function dragHandle(editing: Editing): Plugin {
  return new Plugin({ view: (view) => new DragHandle(editing, view) });
}
