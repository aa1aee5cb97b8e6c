/** What floats over the page: elements, their place, and a rectangle to put them at. */
import type { EditorView } from 'prosemirror-view';

/** The distance between a floating element and what it belongs to, in CSS pixels. */
const GAP = 6;

/** A place in the window, in CSS pixels. */
export interface Rect {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** An element with attributes and children. Never takes markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A button that leaves the caret where it is when it is pressed with a pointer. */
export function button(label: string, press: () => void, attributes: Readonly<Record<string, string>> = {}): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, label);
  made.addEventListener('pointerdown', (event) => event.preventDefault());
  made.addEventListener('mousedown', (event) => event.preventDefault());
  made.addEventListener('click', press);
  return made;
}

let count = 0;

/** An id for an element, unique in the window. */
export function uniqueId(name: string): string {
  count += 1;
  return `editor-${name}-${count}`;
}

/** Where a stretch of the document is in the window. Null while nothing is laid out. */
export function rectOf(view: EditorView, from: number, to = from): Rect | null {
  try {
    const [start, end] = [view.coordsAtPos(from), view.coordsAtPos(to, -1)];
    return {
      left: Math.min(start.left, end.left),
      right: Math.max(start.right, end.right),
      top: Math.min(start.top, end.top),
      bottom: Math.max(start.bottom, end.bottom),
    };
  } catch {
    // The view reads the boxes of text, which are not there before the first layout.
    return null;
  }
}

/**
 * Puts a floating element beside a rectangle: below it or above it, whichever is asked for and has room, and inside the
 * window. Its style is `position: fixed`. It has the class `away` while the rectangle is scrolled out of the window.
 */
export function place(floating: HTMLElement, at: Rect | null, side: 'above' | 'below'): void {
  if (!at) return;
  const { offsetWidth: width, offsetHeight: height } = floating;
  const { clientWidth, clientHeight } = document.documentElement;
  floating.classList.toggle('away', at.bottom < 0 || at.top > clientHeight);
  const [above, below] = [at.top - GAP - height, at.bottom + GAP];
  const fits = { above: above >= 0, below: below + height <= clientHeight };
  const other = side === 'above' ? 'below' : 'above';
  const chosen = !fits[side] && fits[other] ? other : side;
  const rtl = getComputedStyle(floating).direction === 'rtl';
  const left = rtl ? at.right - width : at.left;
  floating.style.setProperty('left', `${Math.max(0, Math.min(left, clientWidth - width))}px`);
  floating.style.setProperty('top', `${Math.max(0, chosen === 'above' ? above : below)}px`);
}

/** Calls back when what is laid out may have moved under floating elements, until the signal ends it. */
export function whenMoved(view: EditorView, signal: AbortSignal, moved: () => void): void {
  const page = view.dom.ownerDocument;
  page.addEventListener('scroll', moved, { capture: true, passive: true, signal });
  page.defaultView?.addEventListener('resize', moved, { passive: true, signal });
}

/** Where surfaces are put: the element given by the app, or the one that holds the editor. */
export function surfaceParent(view: EditorView, surfaces: HTMLElement | undefined): HTMLElement {
  return surfaces ?? view.dom.parentElement ?? document.body;
}

/** Shows or hides an element; true if that changed anything. */
export function show(surface: HTMLElement, shown: boolean): boolean {
  if (surface.hidden === !shown) return false;
  surface.hidden = !shown;
  return true;
}
