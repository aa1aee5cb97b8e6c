import { expect, test } from 'vitest';
import { editSelectedBlock, moveBlockSelection, selectBlock } from './block-selection';
import { enter, insertLineBreak, leaveSource, leaveSourceAbove, leaveSourceBelow } from './enter';
import { backspace, deleteForward } from './erase';
import { selectAll, setBlockKind, toggleList, toggleTasks } from './format';
import {
  duplicateBlocks,
  indentBlocks,
  indentSource,
  moveBlocks,
  outdentBlocks,
  outdentSource,
} from './structure';
import { after, page, shown } from './testing';

test.each([
  ['divides a paragraph', ['p he|llo'], ['p he', 'p |llo']],
  ['divides a heading into two', ['h2 he|llo'], ['h2 he', 'h2 |llo']],
  ['goes on with a paragraph after a heading', ['h1 hello|'], ['h1 hello', 'p |']],
  ['leaves a text alone whose start it is at', ['h1 |hello'], ['p ', 'h1 |hello']],
  ['puts an item above an item', ['[x] |done'], ['[ ] ', '[x] |done']],
  ['goes on with a list, unticked', ['[x] done|'], ['[x] done', '[ ] |']],
  ['divides an item at its depth', ['- a', '  1. b|c'], ['- a', '  1. b', '  1. |c']],
  ['starts with the first child below a parent', ['- a|', '  - b'], ['- a', '  - |', '  - b']],
  ['takes an empty item out', ['- a', '  - |'], ['- a', '- |']],
  ['ends a list', ['- a', '- |'], ['- a', 'p |']],
  ['takes an empty paragraph out', ['- a', '  p |'], ['- a', 'p |']],
  ['goes on with a quotation', ['> a|'], ['> a', '> |']],
  ['ends a quotation', ['> |'], ['p |']],
  ['keeps an empty heading', ['h1 |'], ['h1 ', 'p |']],
  ['breaks the line in source', ['code a|b'], ['code a\n|b']],
  ['goes on below an image', ['img cap|'], ['img cap', 'p |']],
  ['cuts a caption', ['img c|ap'], ['img c', 'p |ap']],
  ['replaces what is selected', ['h1 a^b', 'p c|d'], ['h1 a', 'h1 |d']],
] as const)('Enter %s', (_name, before, wanted) => {
  expect(after(enter, before)).toEqual(wanted);
});

test('Enter in a box leaves the box from an empty paragraph', () => {
  let state = page(['p a', 'p |']);
  state = state.apply(state.tr.setNodeAttribute(3, 'in', ['outer', 'inner']));
  for (const wanted of [['outer'], null]) {
    enter(state, (tr) => {
      state = state.apply(tr);
    });
    expect(state.doc.child(1).attrs.in).toEqual(wanted);
  }
});

test('a new item has the sign of its imported neighbour and nothing else of what this version does not know', () => {
  let state = page(['- a|']);
  state = state.apply(state.tr.setNodeAttribute(0, 'rest', { md: { marker: '*', loose: true }, colour: 'red' }));
  enter(state, (tr) => {
    state = state.apply(tr);
  });
  expect(state.doc.child(1).attrs.rest).toEqual({ md: { marker: '*' } });
});

test.each([
  ['in text', insertLineBreak, ['p a|b'], ['p a\n|b']],
  ['in source', insertLineBreak, ['code a|b'], ['code a\n|b']],
  ['leaves source', leaveSource, ['code a|b'], ['code ab', 'p |']],
  ['leaves source below', leaveSourceBelow, ['code a\nb|'], ['code a\nb', 'p |']],
  ['leaves source above', leaveSourceAbove, ['code a|\nb'], ['p |', 'code a\nb']],
] as const)('a line break %s', (_name, command, before, wanted) => {
  expect(after(command, before)).toEqual(wanted);
});

test('arrows stay in source but at the ends of the page', () => {
  expect(after(leaveSourceAbove, ['code a\nb|'])).toBeNull();
  expect(after(leaveSourceAbove, ['p a', 'code b|'])).toBeNull();
  expect(after(leaveSourceBelow, ['code a|\nb'])).toBeNull();
  expect(after(leaveSourceBelow, ['code a|', 'p b'])).toBeNull();
});

test.each([
  ['makes a heading a paragraph', ['p a', 'h1 |b'], ['p a', 'p |b']],
  ['makes an item a paragraph where it is', ['- a', '  - |b'], ['- a', '  p |b']],
  ['takes a paragraph out', ['- a', '  p |b'], ['- a', 'p |b']],
  ['joins paragraphs', ['p a', 'p |b'], ['p a|b']],
  ['joins to an item', ['- a', 'p |b'], ['- a|b']],
  ['takes an empty paragraph away above', ['p ', 'p |b'], ['p |b']],
  ['takes an empty paragraph away', ['h1 a', 'p |'], ['h1 a|']],
  ['does nothing at the start of a page', ['p |a'], ['p |a']],
  ['selects a divider', ['--- ', 'p |b'], ['*--- ', 'p b']],
  ['selects an image, and takes the empty paragraph below', ['img a', 'p |'], ['*img a']],
  ['never changes a block of another version', ['p a', '? |b'], ['p a', '*? b']],
  ['goes back into source', ['code a', 'p |b'], ['code a|', 'p b']],
  ['keeps source', ['p a', 'code |b'], ['p a|', 'code b']],
  ['makes empty source a paragraph', ['p a', 'code |'], ['p a', 'p |']],
  ['joins source to source', ['code a', 'code |b'], ['code a|b']],
  ['takes the selected text', ['p a^b', 'h1 c|d'], ['p a|d']],
] as const)('Backspace %s', (_name, before, wanted) => {
  expect(after(backspace, before)).toEqual(wanted);
});

test('Backspace inside a text is left to the web view', () => {
  expect(after(backspace, ['p a|b'])).toBeNull();
});

test.each([
  ['joins the block below', ['h1 a|', 'p b'], ['h1 a|b']],
  ['joins an item below', ['p a|', '- b'], ['p a|b']],
  ['takes an empty paragraph away and keeps the type below', ['p |', 'h1 a'], ['h1 |a']],
  ['selects a divider', ['p a|', '--- '], ['p a', '*--- ']],
  ['selects a divider in place of the empty paragraph', ['p |', '--- '], ['*--- ']],
  ['takes an empty block below away', ['p a|', 'h2 '], ['p a|']],
  ['goes into source', ['p a|', 'code b'], ['p a', 'code |b']],
  ['does nothing at the end of a page', ['p a|'], ['p a|']],
] as const)('Delete %s', (_name, before, wanted) => {
  expect(after(deleteForward, before)).toEqual(wanted);
});

test.each([
  ['nests under the block above, children too', ['- a', '- b|', '  - c', '- d'], ['- a', '  - b|', '    - c', '- d']],
  ['nests several', ['- a', '- b^b', '- c|c'], ['- a', '  - b^b', '  - c|c']],
] as const)('Tab %s', (_name, before, wanted) => {
  expect(after(indentBlocks, before)).toEqual(wanted);
});

test('Tab goes at most one step deeper than the block above', () => {
  expect(after(indentBlocks, ['- a|'])).toBeNull();
  expect(after(indentBlocks, ['- a', '  - b|'])).toBeNull();
  expect(after(indentBlocks, ['h1 a', 'p b|'])).toBeNull();
  expect(after(indentBlocks, ['- a', '  code b', 'p c|'])).toEqual(['- a', '  code b', '  p c|']);
});

test('Shift+Tab takes a block and its children out', () => {
  expect(after(outdentBlocks, ['- a', '  - b|', '    - c'])).toEqual(['- a', '- b|', '  - c']);
  expect(after(outdentBlocks, ['- a|'])).toBeNull();
});

test.each([
  ['at the caret', indentSource, ['code a|b'], ['code a  |b']],
  ['of lines', indentSource, ['code a\nb^b\nc|c'], ['code a\n  b^b\n  c|c']],
  ['out', outdentSource, ['code   a\n\tb^b\n c|c'], ['code   a\nb^b\nc|c']],
  ['out, at the first empty line', outdentSource, ['code |\n  a'], ['code |\n  a']],
] as const)('Tab in source %s', (_name, command, before, wanted) => {
  expect(after(command, before)).toEqual(wanted);
});

test.each([
  ['up', ['p a', 'p b|b'], ['p b|b', 'p a']],
  ['up with children', ['p a', '- b|', '  - c'], ['- b|', '  - c', 'p a']],
  ['up over a family', ['- a', '  - x', '- b|'], ['- b|', '- a', '  - x']],
  ['up out of a family', ['- a', '  - b|'], ['- b|', '- a']],
  ['down', ['p a|a', 'p b'], ['p b', 'p a|a']],
  ['down over a family', ['p a|', '- b', '  - c'], ['- b', '  - c', 'p a|']],
  ['down into the next family', ['- a', '  - b|', '- c'], ['- a', '- c', '  - b|']],
  ['up, a long one', ['p a', 'h1 a long | text'], ['h1 a long | text', 'p a']],
  ['down, a short one over a long one', ['p |a', 'h1 a long text'], ['h1 a long text', 'p |a']],
] as const)('Alt+arrow moves %s', (name, before, wanted) => {
  expect(after(moveBlocks(name.startsWith('up') ? 'up' : 'down'), before)).toEqual(wanted);
});

test('blocks at the ends move no further', () => {
  expect(after(moveBlocks('up'), ['p a|', 'p b'])).toBeNull();
  expect(after(moveBlocks('down'), ['p a', 'p b|'])).toBeNull();
});

test('a copy stands below the block with its children, and has the caret', () => {
  expect(after(duplicateBlocks, ['- a|b', '  - c', 'p d'])).toEqual(['- ab', '  - c', '- a|b', '  - c', 'p d']);
});

test.each([
  ['paragraph to heading', { type: 'heading', attrs: { level: 2 } }, ['  p a|'], ['  h2 a|']],
  ['several', { type: 'quote' }, ['p a^', 'h1 b|'], ['> a^', '> b|']],
  ['text to source', { type: 'code_block' }, ['p a\nb|'], ['code a\nb|']],
  ['source to text', { type: 'paragraph' }, ['code a\nb|'], ['p a\nb|']],
] as const)('block type: %s', (_name, kind, before, wanted) => {
  expect(after(setBlockKind(kind), before)).toEqual(wanted);
});

test('a block of another version keeps its type', () => {
  expect(after(setBlockKind({ type: 'heading' }), ['? a|'])).toBeNull();
  expect(after(setBlockKind({ type: 'paragraph' }), ['h1 a^', '? b', 'h1 c|'])).toEqual(['p a^', '? b', 'p c|']);
});

test('a list is put on and off', () => {
  expect(after(toggleList('bullet'), ['p a^', '1. b|'])).toEqual(['- a^', '- b|']);
  expect(after(toggleList('bullet'), ['- a^', '- b|'])).toEqual(['p a^', 'p b|']);
  expect(after(toggleList('task'), ['- a|'])).toEqual(['[ ] a|']);
});

test('tasks are ticked together', () => {
  expect(after(toggleTasks, ['[ ] a^', '[x] b', 'p c|'])).toEqual(['[x] a^', '[x] b', 'p c|']);
  expect(after(toggleTasks, ['[x] a|'])).toEqual(['[ ] a|']);
  expect(after(toggleTasks, ['- a|'])).toBeNull();
});

test('everything is selected in two steps', () => {
  expect(after(selectAll, ['p a', 'p b|c'])).toEqual(['p a', 'p ^bc|']);
  expect(after(selectAll, ['p a', 'p ^bc|'])).toEqual(['p a', 'p bc']);
  expect(after(selectAll, ['p a', 'p |'])).toEqual(['p a', 'p ']);
});

test('selected blocks are moved through, extended, edited and deleted', () => {
  let state = page(['p a', 'p b|', 'p c']);
  const run = (command: typeof selectBlock): string[] => {
    expect(command(state, (tr) => {
      state = state.apply(tr);
    })).toBe(true);
    return shown(state);
  };
  expect(run(selectBlock)).toEqual(['p a', '*p b', 'p c']);
  expect(run(moveBlockSelection(-1, true))).toEqual(['*p a', '*p b', 'p c']);
  expect(run(moveBlockSelection(1, true))).toEqual(['p a', '*p b', 'p c']);
  expect(run(moveBlockSelection(1, true))).toEqual(['p a', '*p b', '*p c']);
  expect(run(moveBlockSelection(-1, false))).toEqual(['*p a', 'p b', 'p c']);
  expect(run(moveBlocks('down'))).toEqual(['p b', '*p a', 'p c']);
  expect(run(duplicateBlocks)).toEqual(['p b', 'p a', '*p a', 'p c']);
  expect(run(backspace)).toEqual(['p b', 'p a', 'p |c']);
  expect(run(selectBlock)).toEqual(['p b', 'p a', '*p c']);
  expect(run(editSelectedBlock)).toEqual(['p b', 'p a', 'p c|']);
});

test('selected blocks are copied and deleted with their children', () => {
  let state = page(['- a|', '  - b', 'p c']);
  for (const command of [selectBlock, backspace]) {
    command(state, (tr) => {
      state = state.apply(tr);
    });
    if (command === selectBlock) expect(state.selection.content().content.childCount).toBe(2);
  }
  expect(shown(state)).toEqual(['p |c']);
});

test('a page whose blocks are all deleted is an empty paragraph', () => {
  let state = page(['h1 ^a', '? b', 'p c|']);
  for (const command of [selectBlock, backspace]) {
    command(state, (tr) => {
      state = state.apply(tr);
    });
  }
  expect(shown(state)).toEqual(['p |']);
});
