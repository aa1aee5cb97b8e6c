import type { Attachment } from 'svelte/attachments';

/** F6 and Shift+F6 take the keyboard from one part of the window to the next: sidebar, page, status bar. */
export const regions: Attachment<HTMLElement> = (frame) => {
  function pressed(event: KeyboardEvent) {
    if (event.key !== 'F6' || event.defaultPrevented) return;
    const parts = [...frame.children].filter((part) => part.matches('nav, main, footer'));
    const current = parts.findIndex((part) => part.contains(document.activeElement));
    const step = event.shiftKey ? -1 : 1;
    event.preventDefault();
    enter(parts.at((current + step + parts.length) % parts.length));
  }

  frame.ownerDocument.addEventListener('keydown', pressed);
  return () => frame.ownerDocument.removeEventListener('keydown', pressed);
};

/** Where the keyboard belongs in a part: in the tree, in the text, else at its first control. */
function enter(part: Element | undefined): void {
  const wanted = ['[role=treeitem][tabindex="0"]', '[contenteditable=true]', 'textarea', 'button:enabled'];
  for (const selector of wanted) {
    const target = part?.querySelector<HTMLElement>(selector);
    if (target) return target.focus();
  }
  if (part instanceof HTMLElement) part.focus();
}
