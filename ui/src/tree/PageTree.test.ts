import { afterEach, expect, test } from 'vitest';
import { closeWindow, openWindow, type TestWindow } from '../testing/window';

afterEach(closeWindow);

const id = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** One, with Two and Three inside; Four. */
const pages = [
  { id: id(1), title: 'One' },
  { id: id(2), title: 'Two', parent: id(1) },
  { id: id(3), title: 'Three', parent: id(1) },
  { id: id(4), title: 'Four' },
];

const top = (line: HTMLElement) => Number(/\d+/.exec(line.style.getPropertyValue('inset-block-start'))?.[0]);

/** The tree as it is shown: a dash for each level below the first. */
function lines(window: TestWindow): string[] {
  return window
    .all('treeitem')
    .toSorted((a, b) => top(a) - top(b))
    .map((line) => '-'.repeat(Number(line.getAttribute('aria-level')) - 1) + (line.getAttribute('aria-label') ?? ''));
}

const focused = () => document.activeElement?.getAttribute('aria-label');

async function openTree(): Promise<TestWindow> {
  const window = await openWindow({ pages });
  window.get('treeitem', 'One').focus();
  return window;
}

test('arrows walk, open and close; Home and End go to the ends', async () => {
  const window = await openTree();
  expect(lines(window)).toEqual(['One', 'Four']);
  await window.press('ArrowRight');
  expect(lines(window)).toEqual(['One', '-Two', '-Three', 'Four']);
  expect(focused()).toBe('One');
  await window.press('ArrowRight');
  expect(focused()).toBe('Two');
  await window.press('End');
  expect(focused()).toBe('Four');
  await window.press('ArrowUp');
  expect(focused()).toBe('Three');
  await window.press('ArrowLeft');
  expect(focused()).toBe('One');
  await window.press('ArrowLeft');
  expect(lines(window)).toEqual(['One', 'Four']);
  await window.press('Home');
  expect(focused()).toBe('One');
  expect(window.all('treeitem').filter((line) => line.tabIndex === 0)).toHaveLength(1);
});

test('letters find a title and Enter opens it', async () => {
  const window = await openTree();
  await window.press('f');
  expect(focused()).toBe('Four');
  await window.press('Enter');
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Four');
  expect(window.get('treeitem', 'Four').getAttribute('aria-current')).toBe('page');
});

test('F2 renames in place; Escape keeps the old title', async () => {
  const window = await openTree();
  await window.press('F2');
  await window.type(window.get('textbox', 'Page title'), 'Uno');
  await window.press('Enter');
  expect(lines(window)).toEqual(['Uno', 'Four']);
  expect(focused()).toBe('Uno');

  await window.press('F2');
  await window.type(window.get('textbox', 'Page title'), 'Eins');
  await window.press('Escape');
  expect(lines(window)).toEqual(['Uno', 'Four']);
});

test('a rename joins what was typed elsewhere meanwhile', async () => {
  const window = await openTree();
  await window.press('F2');
  await window.store.update('Page', id(1), { title: 'One more' });
  await window.settled();
  await window.type(window.get('textbox', 'Page title'), 'No. One');
  await window.press('Enter');
  expect(lines(window)).toEqual(['No. One more', 'Four']);
});

test('new pages come at the end, or inside the page in hand', async () => {
  const window = await openTree();
  await window.press('Control+Shift+N');
  expect(lines(window)).toEqual(['One', '-Two', '-Three', '-Untitled', 'Four']);
  expect(focused()).toBe('Title');
  await window.press('Control+N');
  expect(lines(window).at(-1)).toBe('Untitled');
});

test('Delete moves to the trash and leaves the next page in hand; undo brings all back', async () => {
  const window = await openTree();
  await window.press('Delete');
  expect(lines(window)).toEqual(['Four']);
  expect(focused()).toBe('Four');
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Four');
  await window.press('Control+Z');
  expect(lines(window)).toEqual(['One', 'Four']);
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'One');
});

test('Alt and arrows move a page among its siblings, in and out', async () => {
  const window = await openTree();
  await window.press('End');
  await window.press('Alt+ArrowUp');
  expect(lines(window)).toEqual(['Four', 'One']);
  await window.press('Alt+ArrowDown');
  await window.press('Alt+ArrowRight');
  expect(lines(window)).toEqual(['One', '-Two', '-Three', '-Four']);
  expect(focused()).toBe('Four');
  await window.press('Alt+ArrowLeft');
  expect(lines(window)).toEqual(['One', '-Two', '-Three', 'Four']);
});

test('a drag shows where the page would land and moves it there; undo takes it back', async () => {
  const window = await openTree();
  await window.press('ArrowRight');
  const four = window.get('treeitem', 'Four');
  const pointer = (type: string, clientY: number) =>
    four.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, clientX: 10, clientY, pointerId: 1 }));
  pointer('pointerdown', 3 * 28 + 14);
  pointer('pointermove', 3 * 28 + 10);
  pointer('pointermove', 28 + 3);
  await window.settled();
  expect(window.get('treeitem', 'Two').classList.contains('before')).toBe(true);
  pointer('pointerup', 28 + 3);
  four.click();
  await window.settled();
  expect(lines(window)).toEqual(['One', '-Four', '-Two', '-Three']);
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'One');

  await window.click(window.get('button', 'Undo'));
  expect(lines(window)).toEqual(['One', '-Two', '-Three', 'Four']);
});

test('a press without a move is a click, and Escape lets a dragged page go', async () => {
  const window = await openTree();
  const four = window.get('treeitem', 'Four');
  const pointer = (type: string, clientY: number) =>
    four.dispatchEvent(new PointerEvent(type, { bubbles: true, button: 0, clientX: 10, clientY, pointerId: 1 }));
  pointer('pointerdown', 30);
  pointer('pointermove', 3);
  await window.press('Escape');
  pointer('pointerup', 3);
  await window.settled();
  expect(lines(window)).toEqual(['One', 'Four']);
  pointer('pointerdown', 30);
  pointer('pointerup', 30);
  await window.click(four);
  expect(window.get('textbox', 'Title')).toHaveProperty('value', 'Four');
});

test('nothing under the pointer moves by itself', async () => {
  const window = await openTree();
  const tree = window.get('tree');
  tree.dispatchEvent(new PointerEvent('pointerenter'));
  await window.store.insert('Page', { title: 'Zero', parent: { parent: null, after: null } });
  await window.settled();
  expect(lines(window)).toEqual(['One', 'Four']);
  tree.dispatchEvent(new PointerEvent('pointerleave'));
  await window.settled();
  expect(lines(window)).toEqual(['Zero', 'One', 'Four']);

  tree.dispatchEvent(new PointerEvent('pointerenter'));
  await window.press('Alt+ArrowDown');
  expect(lines(window)).toEqual(['Zero', 'Four', 'One']);
});

test('what is seen stays where it is when lines come above it', async () => {
  const many = Array.from({ length: 500 }, (_, n) => ({ id: id(n + 1), title: `Page ${n + 1}` }));
  const window = await openWindow({ pages: many });
  const tree = window.get('tree');
  tree.scrollTop = 1_000;
  tree.dispatchEvent(new Event('scroll'));
  await window.store.insert('Page', { title: 'Zero', parent: { parent: null, after: null } });
  await window.settled();
  expect(tree.scrollTop).toBe(1_028);
});

test('what is open stays open the next time', async () => {
  let window = await openTree();
  await window.press('ArrowRight');
  const kept = localStorage.getItem('expanded');
  await closeWindow();
  localStorage.setItem('expanded', kept ?? '');
  window = await openWindow({ pages });
  expect(lines(window)).toEqual(['One', '-Two', '-Three', 'Four']);
});

test('of thousands of pages only those in sight are drawn', async () => {
  const many = Array.from({ length: 3_000 }, (_, n) => ({ id: id(n + 1), title: `Page ${n + 1}` }));
  const window = await openWindow({ pages: many });
  expect(window.all('treeitem').length).toBeLessThan(60);
  expect(window.get('treeitem', 'Page 1').getAttribute('aria-setsize')).toBe('3000');
  window.get('treeitem', 'Page 1').focus();
  await window.press('End');
  expect(focused()).toBe('Page 3000');
});

test('the menu of a page offers what can be done, and goes back to the line', async () => {
  const window = await openTree();
  await window.click(window.get('button', 'Actions for Four'));
  expect(window.all('menuitem').map((item) => item.querySelector('span')?.textContent)).toEqual([
    'Rename',
    'New page inside',
    'Open in a new window',
    'Move up',
    'Move into the page above',
    'Move to trash',
  ]);
  expect(await window.barriers()).toEqual([]);
  await window.press('ArrowDown');
  await window.press('ArrowDown');
  expect(document.activeElement?.textContent).toContain('Open in a new window');
  await window.press('Escape');
  expect(window.all('menu')).toEqual([]);

  await window.click(window.get('button', 'Actions for Four'));
  await window.click(window.get('menuitem', /^Open in a new window/));
  expect(window.shell.opened).toEqual([`window ${id(4)}`]);
});

test('a write that fails says so in words, and nothing has changed', async () => {
  const window = await openTree();
  window.store.fake.failNext('update', 'STORAGE_FULL', 'no space left');
  await window.press('End');
  await window.press('Alt+ArrowUp');
  expect(lines(window)).toEqual(['One', 'Four']);
  expect(window.text()).toContain('The disk is full');
  expect(window.all('button', 'Copy details')).toHaveLength(1);
});
