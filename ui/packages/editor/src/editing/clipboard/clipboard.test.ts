import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Slice } from 'prosemirror-model';
import { TextSelection } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { afterEach, expect, test, vi } from 'vitest';
import { editing, type EditingOptions } from '../index';
import { close, open, press, random, shown } from '../testing';
import { withoutStyleSheets } from './read-html';
import { toMarkdown, toPlainText } from './write-text';

afterEach(close);

function edit(before: readonly string[], more: Partial<EditingOptions> = {}): EditorView {
  const given = { undo: () => false, redo: () => false, openLink: () => undefined, onError: () => undefined, ...more };
  return open(before, editing(given));
}

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');

function pasted(before: readonly string[], html: string): EditorView {
  const view = edit(before);
  view.pasteHTML(html);
  view.state.doc.check();
  return view;
}

/** Pastes as the web view does. Returns whether the editor took it. */
function pasteData(view: EditorView, type: string, text: string): boolean {
  const data = new DataTransfer();
  data.setData(type, text);
  const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
  view.dom.dispatchEvent(event);
  return event.defaultPrevented;
}

/** The marks of each piece of text that has any. */
function marksOf(view: EditorView): Record<string, string> {
  const found: Record<string, string> = {};
  view.state.doc.descendants((node) => {
    const names = node.marks.map((mark) => (mark.type.name === 'link' ? String(mark.attrs.value) : mark.type.name));
    if (node.isText && names.length > 0) found[node.text ?? ''] = names.toSorted().join(' ');
  });
  return found;
}

test('Word', () => {
  const view = pasted(['p |'], fixture('word.txt'));
  expect(shown(view.state)).toEqual([
    'h1 Ferry timetable',
    'p The boat leaves every hour, wind permitting, see the times.',
    '- Adults',
    '  - with a bicycle',
    '1. Children',
    String.raw`raw | Island | Fare |
| --- | --- |
| North \| South | 4 |`,
    '> Mind the gap|',
  ]);
  expect(marksOf(view)).toEqual({
    'every hour': 'bold',
    'wind permitting': 'italic',
    'the times': 'https://ferry.example/times',
  });
});

test('Google Docs', () => {
  const view = pasted(['p |'], fixture('google-docs.txt'));
  expect(shown(view.state)).toEqual([
    'h2 Packing list',
    'p Bring water and a hat',
    '- Boots',
    '  - Laces',
    '1. Tent',
    '[x] Tickets|',
  ]);
  expect(view.state.doc.child(4).attrs.start).toBe(3);
  expect(marksOf(view)).toEqual({ water: 'bold', ' and a hat': 'italic underline', Tent: 'strike' });
});

test('GitHub', () => {
  const view = pasted(['p |'], fixture('github.txt'));
  expect(shown(view.state)).toEqual([
    'h2 Install',
    'p Run make in the repository, then this:',
    'code make all # everything\n  make test',
    '[x] compiled',
    '[ ] tested',
    '  - on both systems',
    '> It works here.',
    '> And there.',
    '--- ',
    'img build state',
    'p after it',
    'p last|',
  ]);
  expect(view.state.doc.child(2).attrs.lang).toBe('shell');
  expect(view.state.doc.child(9).attrs.src).toBe('https://host.example/badge.png');
  expect(marksOf(view)).toEqual({ make: 'code', repository: 'https://host.example/repo', both: 'bold' });
  expect(view.dom.querySelector('script, iframe, [onclick], img')).toBeNull();
});

test.each([
  ['text goes into the text', ['p a|b'], '<b>x</b>', ['p ax|b']],
  ['one paragraph goes into the text', ['p a|b'], '<p>x</p>', ['p ax|b']],
  ['several part it', ['p a|b'], '<p>x</p><h2>y</h2>', ['p ax', 'h2 y|b']],
  ['an empty block takes the first type', ['p |'], '<h2>y</h2>', ['h2 y|']],
  ['lists go on at the depth of the item', ['- a', '  - |'], '<ul><li>x<ul><li>y</li></ul></li></ul>', ['- a', '  - x', '    - y|']],
  ['paragraphs of an item', ['p |'], '<ul><li><p>x</p><p>y</p></li></ul>', ['- x', '  p y|']],
  [
    'a program editor',
    ['p |'],
    `<div style="font-family: Menlo, 'Courier New', monospace; white-space: pre;"><div><span>let</span> a;</div><br><div>  b</div></div>`,
    ['code let a;\n\n  b|'],
  ],
  ['line breaks', ['p |'], '<p>x<br>y<br></p>', ['p x\ny|']],
  ['a frame for a layout', ['p |'], '<table><tr><td><p>x</p></td></tr></table>', ['p x|']],
  ['hidden and empty parts', ['p |'], '<div style="display: none">x</div><p> </p><custom-tag>y</custom-tag>', ['p y|']],
  ['a picture in the HTML itself', ['p |'], '<p>x<img src="data:image/png;base64,AAAA" alt="z"></p>', ['p x|']],
] as const)('pasted HTML: %s', (_name, before, html, wanted) => {
  expect(shown(pasted(before, html).state)).toEqual(wanted);
});

test('HTML in source is its text', () => {
  const view = edit(['code a|b']);
  view.pasteText('x\n  **y**\r\nz');
  expect(shown(view.state)).toEqual(['code ax\n  **y**\nz|b']);
});

test('deep and broken HTML ends in a page', () => {
  const view = pasted(['p |'], `${'<div>'.repeat(3000)}deep${'<ul><li>'.repeat(50)}list<table><tr><h1>x`);
  expect(view.state.doc.childCount).toBeGreaterThan(0);
});

const PIECES = [
  '<p>', '</p>', '<div>', '</div>', '<ul>', '</ul>', '<ol start="-3">', '<li>', '</li>', '<blockquote>', '<pre>', '</pre>', '<table>', '<tr>',
  '<td>', '</table>', '<h7>', '<h3>', '</h3>', '<br>', '<hr>', '<b style="font-weight:&">', '</b>', '<a href="java\nscript:x">', '<img src=x>',
  '<img src="https://x">', '<p style="mso-list:l0 level9 lfo1">', '<span style="mso-list:Ignore">1.', '<input type=checkbox>', '<li role=checkbox>',
  '<p data-pm-slice="9 9 [\'x\', null]" data-block=list_item data-attrs=\'{"indent":1e9,"in":[1]}\'>', '<span data-embed="{">', '<p data-block=unknown>',
  'text', ' ', '\n', '\u2028', '\uFFFC', '\uD800', '&nbsp;', '<!--', '-->', '<svg><p>', '<style>',
];

test('no HTML ends in a page that is none', () => {
  const next = random(7);
  for (let round = 0; round < 300; round += 1) {
    const html = Array.from({ length: 1 + next(25) }, () => PIECES[next(PIECES.length)] ?? '').join('');
    const view = edit(['p a', '  - b|c', 'p d']);
    expect(() => view.pasteHTML(html), html).not.toThrow();
    expect(() => view.state.doc.check(), html).not.toThrow();
    expect(() => copied(view), html).not.toThrow();
    close();
  }
});

test('style sheets are not even parsed', () => {
  expect(withoutStyleSheets('a<STYLE x>p{}</style >b<style>c')).toBe('ab');
  expect(shown(pasted(['p |'], '<style>p { display: none }</style><p>x</p>').state)).toEqual(['p x|']);
});

test('lines of text are blocks', () => {
  const view = edit(['p a|b']);
  view.pasteText('one\r\n\r\n  two\nthree\n');
  expect(shown(view.state)).toEqual(['p aone', 'p   two', 'p three|b']);
});

test('text that is Markdown is read as Markdown', () => {
  const view = edit(['p |']);
  pasteData(
    view,
    'text/plain',
    ['# One', 'text with **bold**, _italic_, `code` and [link](https://a.example)', '', '- a', '  1. b', '- [x] c', '> q', '```ts', '# no', ' x', '```', '---', 'snake_case_name', '| a | b |', '|---|---|', '![x](https://a.example/x.png)'].join('\n'),
  );
  // In the expected lines a bar would be the caret.
  expect(shown(view.state).map((line) => (line.startsWith('raw') ? line.replaceAll('|', ':') : line))).toEqual([
    'h1 One',
    'p text with bold, italic, code and link',
    '- a',
    '  1. b',
    '[x] c',
    '> q',
    'code # no\n x',
    '--- ',
    'p snake_case_name',
    'raw : a : b :\n:---:---:',
    'img x|',
  ]);
  expect(marksOf(view)).toEqual({ bold: 'bold', italic: 'italic', code: 'code', link: 'https://a.example' });
});

const copied = (view: EditorView): Record<string, string> => {
  const data = new DataTransfer();
  view.dom.dispatchEvent(new ClipboardEvent('copy', { clipboardData: data, bubbles: true, cancelable: true }));
  return Object.fromEntries(['text/html', 'text/plain', 'text/markdown'].map((type) => [type, data.getData(type)]));
};

const EVERYTHING = ['h2 ^T', 'p a\nb', '1. x', '  [x] y', '    p z', '1. w', '> q', 'code f(\n  1)', '--- ', 'img cap', 'raw :a:', '? chart', 'p end|'];

test('a copy that comes back is the same', () => {
  const view = edit(EVERYTHING);
  view.dispatch(view.state.tr.setNodeAttribute(3, 'rest', { colour: 'red' }));
  const before = view.state.doc;
  const html = copied(view)['text/html'] ?? '';
  view.dispatch(view.state.tr.deleteSelection());
  expect(view.state.doc.childCount).toBe(1);
  view.pasteHTML(html);
  expect(shown(view.state)).toEqual(EVERYTHING.map((line) => line.replace('^', '')));
  expect(view.state.doc.toJSON()).toEqual(before.toJSON());
});

test('a part of a text comes back into a text', () => {
  const view = edit(['h1 o^n|e']);
  const html = copied(view)['text/html'] ?? '';
  view.dispatch(view.state.tr.setSelection(TextSelection.create(view.state.doc, 4)));
  press(view, 'Enter');
  view.pasteHTML(html);
  expect(shown(view.state)).toEqual(['h1 one', 'h1 n|']);
});

test('a copy is HTML that others understand', () => {
  const html = copied(edit(['- ^a', '  1. b', '- c', 'p d|']))['text/html'] ?? '';
  const bare = html.replace(/ data-[\w-]+="[^"]*"/gu, '');
  expect(bare).toBe('<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul><p>d</p>');
});

test('a copy is text to read and Markdown', () => {
  const { 'text/plain': plain, 'text/markdown': markdown } = copied(edit(EVERYTHING));
  expect(plain).toBe('T\na\nb\n1. x\n  - [x] y\n    z\n2. w\nq\nf(\n  1)\n---\ncap\n:a:\nchart\nend');
  expect(markdown).toBe(
    '## T\n\na\nb\n\n1. x\n   - [x] y\n\n     z\n\n2. w\n\n> q\n\n```\nf(\n  1)\n```\n\n---\n\n![cap]()\n\n:a:\n\nchart\n\nend',
  );
});

test('marks are written around the text', () => {
  const view = edit(['- a', 'p one two']);
  const { bold, link } = view.state.schema.marks;
  if (bold && link) view.dispatch(view.state.tr.addMark(4, 8, bold.create()).addMark(8, 11, link.create({ value: 'https://a.example' })));
  const slice = new Slice(view.state.doc.content, 0, 0);
  expect(toMarkdown(slice)).toBe('- a\n\n**one** [two](https://a.example)');
  expect(toPlainText(slice)).toBe('- a\none two');
});

test('copied boxes are boxes of their own', () => {
  const view = edit(['p ^a', 'p b|']);
  view.dispatch(view.state.tr.setNodeAttribute(0, 'in', ['box']).setNodeAttribute(3, 'in', ['box', 'inner']));
  press(view, 'Escape');
  const html = copied(view)['text/html'] ?? '';
  view.pasteHTML(html);
  const boxes = [0, 1].map((index) => view.state.doc.child(index).attrs.in as string[]);
  expect(boxes[0]).toEqual([boxes[1]?.[0]]);
  expect(boxes[1]).toHaveLength(2);
  expect(boxes[0]?.[0]).toMatch(/^[a-z2-7]{8}$/u);
});

test('a page that claims to be a copy is taken for no more than the schema knows', () => {
  const view = pasted(
    ['p |'],
    '<p data-pm-slice="0 0 []" data-block="heading" data-attrs=\'{"level":3,"onclick":"x","__proto__":{"y":1}}\'>a</p><p data-block="doc">b</p><p data-block="__proto__" data-attrs="{">c</p>',
  );
  expect(shown(view.state).slice(0, 3)).toEqual(['h3 a', 'p b', 'p c|']);
});

test('an address over selected text becomes its link', () => {
  const view = edit(['p ^one|']);
  pasteData(view, 'text/plain', ' https://a.example/x ');
  expect(marksOf(view)).toEqual({ one: 'https://a.example/x' });
});

test('an address alone is a link of its own, but in source it is text', () => {
  for (const [before, marks] of [['p a|', { 'https://a.example': 'https://a.example' }], ['code a|', {}]] as const) {
    const view = edit([before]);
    pasteData(view, 'text/plain', 'https://a.example');
    expect(view.state.doc.textContent).toBe('ahttps://a.example');
    expect(marksOf(view)).toEqual(marks);
  }
});

test('a paste of more than a million characters is refused', () => {
  const onError = vi.fn<EditingOptions['onError']>();
  const view = edit(['p a|'], { onError });
  expect(pasteData(view, 'text/html', 'x'.repeat(1_000_001))).toBe(true);
  expect(shown(view.state)).toEqual(['p a|']);
  expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'PASTE_TOO_LARGE', details: { size: 1_000_001, limit: 1_000_000 } });
});

test('files go to the app', () => {
  const onFiles = vi.fn<(files: readonly File[]) => void>();
  const view = edit(['p a|'], { onFiles });
  const data = new DataTransfer();
  data.items.add(new File(['x'], 'a.png', { type: 'image/png' }));
  view.dom.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  expect(onFiles.mock.calls[0]?.[0].map((file) => file.name)).toEqual(['a.png']);
});
