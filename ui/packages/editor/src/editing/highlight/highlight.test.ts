import type { EditorView } from 'prosemirror-view';
import { afterEach, expect, test } from 'vitest';
import { close, open } from '../testing';
import { grammarOf, load, tokenize } from './grammars';
import { highlight } from './index';

afterEach(close);

/** A view whose code has its colours. */
async function coloured(lines: readonly string[], lang: string): Promise<{ view: EditorView; loads: Promise<void>[] }> {
  const loads: Promise<void>[] = [];
  const view = open(lines, [highlight((loaded) => loads.push(loaded))]);
  view.dispatch(view.state.tr.setNodeAttribute(0, 'lang', lang));
  await Promise.all(loads);
  return { view, loads };
}

const colours = (view: EditorView): string[] =>
  [...view.dom.querySelectorAll('[class^=hljs]')].map((found) => `${found.className}: ${found.textContent}`);

test.each([
  ['ts', 'typescript'],
  ['C++', 'cpp'],
  ['rust,ignore', 'rust'],
  [' python {1,3}', 'python'],
  ['constructor', null],
  ['klingon', null],
  ['', null],
])('code in %j is coloured by %s', (lang, grammar) => {
  expect(grammarOf(lang)).toBe(grammar);
});

test('tokens are the text’s own positions, whatever is in it', async () => {
  await load('javascript');
  const text = 'if (a < b && c) return "<&\'>";';
  const tokens = tokenize(text, 'javascript');
  expect(tokens.map(({ from, to, classes }) => [text.slice(from, to), classes])).toEqual([
    ['if', 'hljs-keyword'],
    ['return', 'hljs-keyword'],
    [`"<&'>"`, 'hljs-string'],
  ]);
});

test('code has colours once its grammar is there, and a block of another language has others', async () => {
  const { view, loads } = await coloured(['code let a = 1;', 'p let'], 'rust');
  expect(colours(view)).toContain('hljs-keyword: let');
  expect(view.state.doc.child(0).firstChild?.marks).toEqual([]);
  view.dispatch(view.state.tr.setNodeAttribute(0, 'lang', 'python'));
  await Promise.all(loads);
  expect(colours(view)).not.toContain('hljs-keyword: let');
  view.dispatch(view.state.tr.setNodeAttribute(0, 'lang', null));
  expect(colours(view)).toEqual([]);
});

test('what is typed is coloured at once, and the colours of others move', async () => {
  const { view } = await coloured(['code le;', 'p b'], 'rust');
  expect(colours(view)).toEqual([]);
  view.dispatch(view.state.tr.insertText('t', 3));
  expect(colours(view)).toEqual(['hljs-keyword: let']);
  view.dispatch(view.state.tr.insert(0, view.state.schema.node('paragraph')));
  expect(colours(view)).toEqual(['hljs-keyword: let']);
  view.dispatch(view.state.tr.delete(2, view.state.doc.content.size));
  expect(colours(view)).toEqual([]);
});

test('long code stays in one colour', async () => {
  const { view } = await coloured([`code let a = "${'x'.repeat(10_000)}";`], 'rust');
  expect(colours(view)).toEqual([]);
});

test('a grammar with others nested in it', async () => {
  await load('xml');
  expect(tokenize('<style>a { color: red }</style>', 'xml').map(({ classes }) => classes)).toContain('hljs-attribute');
});
