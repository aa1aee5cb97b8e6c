/** Keys, rules and pastes on a real document: every one of them is written, and two peers end with one page. */
import { TextSelection } from 'prosemirror-state';
import { afterEach, expect, test } from 'vitest';
import { Peer, sync } from '../binding/testing';
import { editing } from './index';
import { close, press, random, shown, write } from './testing';

const peers: Peer[] = [];
afterEach(() => {
  for (const peer of peers.splice(0)) peer.view.destroy();
  close();
});

function join(id: number, from?: Peer): Peer {
  let peer: Peer | null = null;
  const plugins = editing({
    undo: () => peer?.binding.undo() ?? false,
    redo: () => peer?.binding.redo() ?? false,
    endStep: () => peer?.binding.endUndoGroup(),
    openLink: () => undefined,
    onError: () => undefined,
  });
  peer = new Peer(id, { plugins, ...(from ? { from } : {}) });
  peers.push(peer);
  return peer;
}

test('a page is written by keys alone, and undo takes a rule back to the text as typed', () => {
  const peer = join(1);
  const { view } = peer;
  write(view, '# Title');
  press(view, 'Enter');
  write(view, '- one');
  press(view, 'Enter');
  press(view, 'Tab');
  write(view, '[x] two');
  press(view, 'Enter');
  press(view, 'Enter');
  press(view, 'Enter');
  write(view, '---```ts ');
  write(view, 'a');
  press(view, 'Enter');
  write(view, 'b');
  press(view, 'Mod-Enter');
  peer.time += 10_000;
  write(view, '**bold**');
  const page = ['h1 Title', '- one', '  [x] two', '--- ', 'code a\nb', 'p bold|'];
  expect(shown(view.state)).toEqual(page);
  peer.verify();
  press(view, 'Mod-z');
  expect(shown(view.state)).toEqual([...page.slice(0, 5), 'p **bold**|']);
  press(view, 'Mod-Shift-z');
  expect(shown(view.state)).toEqual(page);
  peer.verify();
});

test('what one moves keeps what the other one types in the neighbour', () => {
  const a = join(1);
  a.write(['paragraph', 'one'], ['paragraph', 'a much longer two']);
  const b = join(2, a);
  a.view.dispatch(a.state.tr.setSelection(TextSelection.create(a.state.doc, a.at(1))));
  press(a.view, 'Alt-ArrowUp');
  b.edit((tr) => tr.insertText('!', b.at(1, 6)));
  sync(a, b);
  expect(a.page).toBe('p"a much! longer two" | p"one"');
});

test('Enter at the start of a heading keeps its id', () => {
  const peer = join(1);
  peer.write(['heading', 'Title', { level: 1 }]);
  const id = peer.binding.blockId(0);
  peer.view.dispatch(peer.state.tr.setSelection(TextSelection.create(peer.state.doc, 1)));
  press(peer.view, 'Enter');
  expect(peer.page).toBe('p"" | heading{level:1}"Title"');
  expect(peer.binding.blockId(2)).toBe(id);
});

const KEYS = [
  'Enter', 'Enter', 'Enter', 'Shift-Enter', 'Mod-Enter', 'Backspace', 'Backspace', 'Backspace', 'Delete', 'Delete', 'Tab', 'Tab',
  'Shift-Tab', 'ArrowDown', 'Escape', 'Mod-a', 'Mod-b', 'Mod-i', 'Mod-e', 'Mod-Alt-0', 'Mod-Alt-2', 'Mod-Shift-7', 'Mod-Shift-8',
  'Mod-Shift-9', 'Alt-ArrowUp', 'Alt-ArrowDown', 'Mod-d', 'Mod-z', 'Mod-z', 'Mod-Shift-z',
];
const TEXTS = ['a', 'word ', '# ', '- ', '1. ', '[x] ', '> ', '```js ', '---', '**b**', '`c`', '[l](https://a.example)', '/head', '🎉'];
const PASTES = [
  '<ul><li>x<ol><li>y</li></ol></li></ul>',
  '<p>one <b>two</b></p><pre>code\n  more</pre><hr><blockquote>q</blockquote>',
  '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>',
  'plain <a href="https://a.example">link</a>',
];

function act(peer: Peer, next: (below: number) => number): void {
  const { view } = peer;
  const any = (): number => next(view.state.doc.content.size + 1);
  if (next(3) === 0) {
    const [anchor, head] = [view.state.doc.resolve(any()), view.state.doc.resolve(any())];
    view.dispatch(view.state.tr.setSelection(TextSelection.between(anchor, next(3) === 0 ? head : anchor)));
  }
  peer.time += next(3) * 400;
  const kind = next(20);
  if (kind < 10) press(view, KEYS[next(KEYS.length)] ?? 'Enter');
  else if (kind < 18) write(view, TEXTS[next(TEXTS.length)] ?? 'a');
  else if (kind < 19) view.pasteHTML(PASTES[next(PASTES.length)] ?? '');
  else view.pasteText('one\n two\nthree');
  // What somebody leaves selected for good would be all that the rest of the test edits.
  if (view.state.doc.childCount > 60) view.dispatch(view.state.tr.delete(0, view.state.doc.content.size));
}

test.each([1, 2, 3])('random keys of two peers, seed %i', (seed) => {
  const next = random(seed);
  const a = join(1);
  a.write(['heading', 'Title', { level: 1 }], ['paragraph', 'text'], ['list_item', 'item', { kind: 'bullet' }], ['code_block', 'x\ny']);
  const b = join(2, a);
  for (let round = 0; round < 20; round += 1) {
    for (const peer of [a, b]) {
      for (let step = next(6); step >= 0; step -= 1) {
        act(peer, next);
        peer.verify();
      }
    }
    sync(a, b);
    expect(a.page).toBe(b.page);
  }
});
