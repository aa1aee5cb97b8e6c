import type { EditorView } from 'prosemirror-view';
import { afterEach, expect, test, vi } from 'vitest';
import { enterFence, rules, undoRule } from './rules';
import { close, open, shown, write } from './testing';

afterEach(close);

function typed(before: readonly string[], text: string, endStep = (): void => undefined): EditorView {
  const view = open(before, [rules(endStep)]);
  write(view, text);
  return view;
}

const undone = (from: EditorView): string[] => {
  expect(undoRule(from.state, from.dispatch)).toBe(true);
  return shown(from.state);
};

test.each([
  ['# ', ['h1 |'], ['p # |']],
  ['###### ', ['h6 |'], ['p ###### |']],
  ['- ', ['- |'], ['p - |']],
  ['* ', ['- |'], ['p * |']],
  ['1. ', ['1. |'], ['p 1. |']],
  ['7) ', ['1. |'], ['p 7) |']],
  ['[] ', ['[ ] |'], ['p [] |']],
  ['[ ] ', ['[ ] |'], ['p [ ] |']],
  ['[x] ', ['[x] |'], ['p [x] |']],
  ['> ', ['> |'], ['p > |']],
  ['``` ', ['code |'], ['p ``` |']],
  ['```c++ ', ['code |'], ['p ```c++ |']],
  ['---', ['--- ', 'p |'], ['p ---|']],
] as const)('%s at the start of a paragraph', (text, wanted, literal) => {
  const after = typed(['p |'], text);
  expect(shown(after.state)).toEqual(wanted);
  expect(undone(after)).toEqual(literal);
});

test('what a block sign stands before stays', () => {
  expect(shown(typed(['p |text'], '## ').state)).toEqual(['h2 |text']);
});

test('attributes come with the sign', () => {
  expect(typed(['p |'], '```rust ').state.doc.child(0).attrs.lang).toBe('rust');
  expect(typed(['p |'], '4. ').state.doc.child(0).attrs.start).toBe(4);
  expect(typed(['p |'], '1. ').state.doc.child(0).attrs.start).toBeNull();
});

test('a bullet becomes a task, a heading a smaller one; source and other signs stay as they are', () => {
  expect(shown(typed(['- |'], '[x] ').state)).toEqual(['[x] |']);
  expect(shown(typed(['h1 |a'], '### ').state)).toEqual(['h3 |a']);
  expect(shown(typed(['h1 |a'], '- ').state)).toEqual(['h1 - |a']);
  expect(shown(typed(['code |'], '# ').state)).toEqual(['code # |']);
  expect(shown(typed(['p a|'], '# ').state)).toEqual(['p a# |']);
  expect(shown(typed(['p |a'], '---').state)).toEqual(['p ---|a']);
});

const mark = (name: string, value: unknown = true): string => `${name}:${String(value)}`;

/** The text of the first block in pieces, each with its marks. */
function pieces(of: EditorView): string[][] {
  const found: string[][] = [];
  of.state.doc.child(0).forEach((node) => found.push([node.textContent, ...node.marks.map((m) => mark(m.type.name, m.attrs.value))]));
  return found;
}

test.each([
  ['a **b c**', [['a '], ['b c', mark('bold')]]],
  ['a __b__', [['a '], ['b', mark('bold')]]],
  ['a *b*', [['a '], ['b', mark('italic')]]],
  ['a _b_', [['a '], ['b', mark('italic')]]],
  ['`b`', [['b', mark('code')]]],
  ['a ~~b~~', [['a '], ['b', mark('strike')]]],
  ['a ==b==', [['a '], ['b', mark('highlight')]]],
  ['see [b](https://c.org/d_(e))', [['see '], ['b', mark('link', 'https://c.org/d_(e)')]]],
  ['https://a.org ', [['https://a.org', mark('link', 'https://a.org')], [' ']]],
] as const)('%s', (text, wanted) => {
  const after = typed(['p |'], text);
  expect(pieces(after)).toEqual(wanted);
  undone(after);
  expect(pieces(after)).toEqual([[text]]);
});

test('text goes on without the mark', () => {
  expect(pieces(typed(['p |'], '**b** c'))).toEqual([['b', mark('bold')], [' c']]);
});

test.each(['snake_case_name', '2 * 3 * 4', 'a ** b **', String.raw`\*a*`, '`a', '[a](javascript:alert(1))', '==='])(
  '%s stays as typed',
  (text) => {
    expect(pieces(typed(['p |'], text))).toEqual([[text]]);
  },
);

test('signs inside code mean nothing', () => {
  expect(pieces(typed(['code |'], '**b**'))).toEqual([['**b**']]);
  const after = typed(['p |'], '`a **b`');
  expect(pieces(after)).toEqual([['a **b', mark('code')]]);
  write(after, '**');
  expect(pieces(after)).toEqual([['a **b', mark('code')], ['**']]);
});

test('a rule is a step of its own', () => {
  const endStep = vi.fn<() => void>();
  const after = typed(['p |'], '# ', endStep);
  expect(endStep).toHaveBeenCalledTimes(2);
  write(after, 'a');
  expect(undoRule(after.state)).toBe(false);
});

test('a fence and Enter', () => {
  const after = typed(['p |'], '```ts');
  expect(enterFence(() => undefined)(after.state, after.dispatch)).toBe(true);
  expect(shown(after.state)).toEqual(['code |']);
  expect(after.state.doc.child(0).attrs.lang).toBe('ts');
  expect(undone(after)).toEqual(['p ```ts|']);
});

test('what an input method composed is read after it', async () => {
  vi.useFakeTimers();
  const after = typed(['p |'], '#');
  after.dispatch(after.state.tr.insertText(' '));
  after.dom.dispatchEvent(new CompositionEvent('compositionend'));
  vi.runAllTimers();
  vi.useRealTimers();
  expect(shown(after.state)).toEqual(['h1 |']);
});
