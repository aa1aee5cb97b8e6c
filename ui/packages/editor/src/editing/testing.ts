/**
 * Pages as lines of text, for tests.
 *
 * Two spaces for each step of depth, a sign for the type, a space, the text: `p text`, `h2 text`, `- text`, `1. text`,
 * `[ ] text`, `[x] text`, `> text`, `code text`, `raw text`, `--- `, `img text`, `? text`. In the text `|` is the caret,
 * and `^` the other end of a selection; `\n` is a line break.
 */
import { Fragment, type Node } from 'prosemirror-model';
import { type Command, EditorState, NodeSelection, type Plugin, TextSelection } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';
import { schema } from '../schema';
import { indentOf, listKind } from './blocks';
import { BlockSelection } from './block-selection';
import { element } from './surface';

const SIGNS: Readonly<Record<string, readonly [type: string, attrs: Record<string, unknown>]>> = {
  p: ['paragraph', {}],
  '-': ['list_item', { kind: 'bullet' }],
  '1.': ['list_item', { kind: 'ordered' }],
  '[ ]': ['list_item', { kind: 'task' }],
  '[x]': ['list_item', { kind: 'task', checked: true }],
  '>': ['quote', {}],
  '!': ['callout', {}],
  code: ['code_block', {}],
  raw: ['raw', {}],
  '---': ['divider', {}],
  img: ['image', {}],
  '?': ['unknown', { type: 'chart' }],
};

interface Reading {
  readonly block: Node;
  readonly caret: number;
  readonly anchor: number;
}

function read(line: string): Reading {
  const [, spaces = '', sign = '', text = ''] = /^( *)(\[[ x]\]|\S+) ?([^]*)$/u.exec(line) ?? [];
  const level = /^h([1-6])$/u.exec(sign)?.[1];
  const [type, attrs] = level ? ['heading', { level: Number(level) }] : (SIGNS[sign] ?? ['', {}]);
  const nodeType = schema.nodes[type];
  if (!nodeType) throw new Error(`no block is written ${sign}`);
  const indent = spaces.length / 2 || null;
  const plain = text.replace(/[|^]/u, '').replace(/[|^]/u, '');
  const source = type === 'code_block' || type === 'raw';
  const content = source ? (plain ? [schema.text(plain)] : []) : inline(plain);
  const place = (mark: string, other: string): number => {
    const at = text.indexOf(mark);
    return at > text.indexOf(other) && text.includes(other) ? at - 1 : at;
  };
  return {
    block: nodeType.create({ ...attrs, indent }, Fragment.from(content)),
    caret: place('|', '^'),
    anchor: place('^', '|'),
  };
}

function inline(text: string): Node[] {
  return text.split(/(\n)/u).flatMap((part) => {
    if (part === '\n') return [schema.node('hard_break')];
    return part === '' ? [] : [schema.text(part)];
  });
}

/** A state with the given page and, if a line has a caret, selection. */
export function page(written: readonly string[], plugins: readonly Plugin[] = []): EditorState {
  const readings = written.map(read);
  const doc = schema.node('doc', null, readings.map(({ block }) => block));
  let [head, anchor, pos] = [-1, -1, 0];
  for (const { block, caret, anchor: other } of readings) {
    if (caret >= 0) head = pos + 1 + caret;
    if (other >= 0) anchor = pos + 1 + other;
    pos += block.nodeSize;
  }
  const state = EditorState.create({ doc, plugins: [...plugins] });
  if (head < 0) return state;
  return state.apply(state.tr.setSelection(TextSelection.create(doc, anchor < 0 ? head : anchor, head)));
}

/** The page of a state as lines; with selected blocks, `*` stands before each of them. */
export function shown(state: EditorState): string[] {
  const { selection } = state;
  const out: string[] = [];
  state.doc.forEach((block, pos) => {
    let text = block.textBetween(0, block.content.size, undefined, (leaf) => (leaf.type.name === 'hard_break' ? '\n' : '\uFFFC'));
    const whole = selection instanceof BlockSelection || selection instanceof NodeSelection;
    if (!whole) {
      const marks: [number, string][] = [[selection.head, '|']];
      if (!selection.empty) marks.push([selection.anchor, '^']);
      for (const [at, sign] of marks.toSorted(([a], [b]) => b - a)) {
        const offset = at - pos - 1;
        if (offset >= 0 && offset <= block.content.size) text = text.slice(0, offset) + sign + text.slice(offset);
      }
    }
    const selected = whole && selection.from <= pos && selection.to >= pos + block.nodeSize ? '*' : '';
    out.push(`${'  '.repeat(indentOf(block))}${selected}${signOf(block)} ${text}`);
  });
  return out;
}

function signOf(block: Node): string {
  if (block.type.name === 'heading') return `h${String(block.attrs.level ?? 1)}`;
  if (block.type.name === 'list_item') {
    if (listKind(block) === 'task') return block.attrs.checked === true ? '[x]' : '[ ]';
    return listKind(block) === 'ordered' ? '1.' : '-';
  }
  return Object.entries(SIGNS).find(([, [type]]) => type === block.type.name)?.[0] ?? block.type.name;
}

/** The page after a command, or null where the command does not apply. */
export function after(command: Command, before: readonly string[]): string[] | null {
  let state = page(before);
  const applies = command(state, (tr) => {
    state = state.apply(tr);
  });
  state.doc.check();
  return applies ? shown(state) : null;
}

const views: EditorView[] = [];

/** A view in the test's document. */
export function open(before: readonly string[], plugins: readonly Plugin[] = []): EditorView {
  const view = new EditorView(document.body.appendChild(element('main')), { state: page(before, plugins) });
  views.push(view);
  return view;
}

/** Closes all views, after a test. */
export function close(): void {
  for (const view of views.splice(0)) if (!view.isDestroyed) view.destroy();
  document.body.replaceChildren();
}

/** Presses a key: `Enter`, `Mod-b`, `Shift-Tab`, … Returns whether the editor took it. */
export function press(view: EditorView, keys: string): boolean {
  const parts = keys.split('-');
  const key = parts.pop() ?? '';
  const event = new KeyboardEvent('keydown', {
    key,
    ctrlKey: parts.includes('Mod'),
    shiftKey: parts.includes('Shift'),
    altKey: parts.includes('Alt'),
    bubbles: true,
    cancelable: true,
  });
  return view.someProp('handleKeyDown', (handle) => handle(view, event)) ?? false;
}

/** Types text as an input method does: each character is offered to the plugins first. */
export function write(view: EditorView, text: string): void {
  for (const character of text) {
    const { from, to } = view.state.selection;
    const insert = (): ReturnType<typeof view.state.tr.insertText> => view.state.tr.insertText(character, from, to);
    const taken = view.someProp('handleTextInput', (handle) => handle(view, from, to, character, insert));
    if (!taken) view.dispatch(insert().scrollIntoView());
  }
}

/** A generator of numbers below a bound, from a seed (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
