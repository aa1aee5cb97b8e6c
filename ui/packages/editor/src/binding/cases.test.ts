/** What happens to concurrent edits, case by case, with a real view for each peer. */
import { Peer, pair, sync } from './testing';
import { expect, it } from 'vitest';
import { LoroDoc } from 'loro-crdt';
import { TextSelection } from 'prosemirror-state';
import { createSchema, schema } from '../schema';

const heading = schema.node('heading').type;
const bold = schema.mark('bold');

it('a: a block that an older schema does not know is shown and kept', () => {
  const a = new Peer(1).write(['paragraph', 'one'], ['callout', 'PRECIOUS', { tone: 'warn' }]);
  const b = new Peer(2, { from: a, schema: createSchema(['callout']) });
  expect(b.page).toBe('p"one" | ?callout{tone:warn}"PRECIOUS"');
  b.edit((tr) => tr.insertText('x', 1));
  sync(a, b);
  expect(a.page).toBe('p"xone" | callout{tone:warn}"PRECIOUS"');
});

it('b: what comes from elsewhere is never written back', () => {
  const [a, b, synced] = pair(['paragraph', 'hello']);
  a.edit((tr) => tr.insertText('abc', 3))
    .edit((tr) => tr.split(5))
    .edit((tr) => tr.setNodeMarkup(0, heading, { level: 2 }));
  const count = a.doc.opCount();
  expect(synced()).toBe('heading{level:2}"heab" | p"cllo"');
  expect([a.doc.opCount(), b.doc.opCount()]).toEqual([count, count]);
});

it('c: both split at one place', () => {
  const [a, b, synced] = pair(['paragraph', 'helloworld']);
  a.edit((tr) => tr.split(6));
  b.edit((tr) => tr.split(6));
  expect(synced()).toBe('p"hello" | p"" | p"world"');
});

it('d: a split and typing in what is split off', () => {
  const [a, b, synced] = pair(['paragraph', 'helloworld']);
  a.edit((tr) => tr.split(6));
  b.edit((tr) => tr.insertText('!!!', 9));
  expect(synced()).toBe('p"hello" | p"wor!!!ld"');
});

it('e: both type in the empty page', () => {
  const [a, b, synced] = pair();
  a.edit((tr) => tr.insertText('from A', 1));
  b.edit((tr) => tr.insertText('from B', 1));
  expect(synced()).toBe('p"from A" | p"from B"');
});

it('f: a join and typing in what is joined', () => {
  const [a, b, synced] = pair(['paragraph', 'one'], ['paragraph', 'two']);
  a.edit((tr) => tr.join(5));
  b.edit((tr) => tr.insertText('!', b.at(1, 3)));
  expect(synced()).toBe('p"onetwo!"');
});

it('g: a new type, typing and a split', () => {
  const [a, b, synced] = pair(['paragraph', 'helloworld']);
  const c = new Peer(3, { from: a });
  a.edit((tr) => tr.setBlockType(1, 1, heading, { level: 1 }));
  b.edit((tr) => tr.insertText('!', 8));
  c.edit((tr) => tr.split(6));
  sync(a, b, c);
  expect(synced()).toBe('heading{level:1}"hello" | p"wo!rld"');
  expect(c.page).toBe(a.page);
});

it('h: both indent; one indents and the other checks', () => {
  const [a, b, synced] = pair(['list_item', 'x', { kind: 'task', indent: 1 }]);
  a.edit((tr) => tr.setNodeAttribute(0, 'indent', 2));
  b.edit((tr) => tr.setNodeAttribute(0, 'indent', 2));
  expect(synced()).toBe('list_item{kind:task,indent:2}"x"');
  a.edit((tr) => tr.setNodeAttribute(0, 'indent', 1));
  b.edit((tr) => tr.setNodeAttribute(0, 'checked', true));
  expect(synced()).toBe('list_item{kind:task,checked:true,indent:1}"x"');
});

it('i: a deleted block comes back for what was typed in it meanwhile', () => {
  const [a, b, synced] = pair(['paragraph', 'before'], ['heading', 'doomed', { level: 2 }], ['paragraph', 'after']);
  a.edit((tr) => tr.delete(8, 16));
  expect(a.page).toBe('p"before" | p"after"');
  b.edit((tr) => tr.insertText('NEW', b.at(1, 3)));
  expect(synced()).toBe('p"before" | heading{level:2}"NEW" | p"after"');
});

it('i2: a deleted block stays away when nobody typed in it, also when its neighbours are joined', () => {
  const [a, b, synced] = pair(['paragraph', 'before'], ['heading', 'doomed', { level: 2 }], ['paragraph', 'after']);
  a.edit((tr) => tr.delete(8, 16));
  b.edit((tr) => tr.insertText('!', 4));
  expect(synced()).toBe('p"bef!ore" | p"after"');
  b.edit((tr) => tr.join(b.at(1) - 1));
  expect(synced()).toBe('p"bef!oreafter"');
});

it('i3: text typed in a range that is deleted stays where the range was', () => {
  const [a, b, synced] = pair(['paragraph', 'before'], ['paragraph', 'doomed'], ['paragraph', 'after']);
  a.edit((tr) => tr.delete(3, 19));
  b.edit((tr) => tr.insertText('NEW', b.at(1, 3)));
  expect(synced()).toBe('p"beNEWter"');
});

it('j: overlapping bold, a link, and typing at their edges', () => {
  const [a, b, synced] = pair(['paragraph', 'the quick brown fox']);
  a.edit((tr) => tr.addMark(1, 10, bold));
  b.edit((tr) => tr.addMark(5, 16, bold).addMark(5, 10, schema.mark('link', { value: 'u' })));
  expect(synced()).toBe('p"<bold>the </><link="u"+bold>quick</><bold> brown</> fox"');
  a.edit((tr) => tr.insertText('X', 10));
  a.edit((tr) => tr.insertText('Y', a.at(0, 16)));
  expect(synced()).toBe('p"<bold>the </><link="u"+bold>quick</><bold>X brownY</> fox"');
});

it('j2: a split at the end of bold, plain text behind it, bold in front of it', () => {
  const [a, , synced] = pair(['paragraph', 'abc']);
  a.edit((tr) => tr.addMark(1, 4, bold)).edit((tr) => tr.split(4));
  a.edit((tr) => tr.insert(6, schema.text('plain'))).edit((tr) => tr.insertText('d', 4));
  expect(synced()).toBe('p"<bold>abcd</>" | p"plain"');
});

it('k: undoing a split keeps what somebody typed in the part split off', () => {
  const [a, b, synced] = pair(['paragraph', 'helloworld']);
  a.edit((tr) => tr.split(6));
  synced();
  b.edit((tr) => tr.insertText('!', b.at(1, 2)));
  synced();
  a.binding.undo();
  expect(synced()).toBe('p"hellowo!rld"');
  a.binding.redo();
  expect(synced()).toBe('p"hello" | p"wo!rld"');
});

it('k2: undoing the deletion of a block keeps what somebody typed in it', () => {
  const [a, b, synced] = pair(['paragraph', 'a'], ['heading', 'doomed', { level: 2 }]);
  a.edit((tr) => tr.delete(3, 11));
  b.edit((tr) => tr.insertText('NEW', b.at(1, 3)));
  expect(synced()).toBe('p"a" | heading{level:2}"NEW"');
  a.binding.undo();
  expect(synced()).toBe('p"a" | heading{level:2}"doomedNEW"');
});

it('n: a caret stays with its text through a split and a new type from elsewhere', () => {
  const [a, b] = pair(['paragraph', 'helloworld']);
  b.view.dispatch(b.state.tr.setSelection(TextSelection.create(b.state.doc, 9)));
  a.edit((tr) => tr.split(6)).edit((tr) => tr.setBlockType(1, 1, heading, { level: 1 }));
  a.edit((tr) => tr.setBlockType(a.at(1), a.at(1), schema.node('code_block').type));
  sync(a, b);
  expect([b.state.selection.$head.index(0), b.state.selection.$head.parentOffset]).toEqual([1, 3]);
  a.edit((tr) => tr.join(a.at(1) - 1));
  sync(a, b);
  expect([b.state.selection.$head.index(0), b.state.selection.$head.parentOffset]).toEqual([0, 8]);
});

it('o: emoji', () => {
  const [a, b, synced] = pair(['paragraph', 'a😀b']);
  a.edit((tr) => tr.insertText('X', 4));
  b.edit((tr) => tr.delete(2, 4));
  expect(synced()).toBe('p"aXb"');
  b.edit((tr) => tr.insertText('👩‍👩‍👧', 2));
  expect(synced()).toBe('p"a👩‍👩‍👧Xb"');
});

it('p: a mark nobody here knows stays on its text and on what is typed in it', () => {
  const [a, b, synced] = pair(['paragraph', 'hello']);
  a.doc.getText('text').mark({ start: 1, end: 6 }, 'future', 7);
  a.doc.commit();
  a.receive(b);
  synced();
  b.edit((tr) => tr.insertText('XY', 3));
  expect(b.page).toBe('p"<future=7>heXYllo</>"');
});

it('q: a block that somebody drags away stays for what is typed in it', () => {
  const [a, b, synced] = pair(['paragraph', 'one'], ['paragraph', 'two'], ['paragraph', 'MOVED']);
  const moved = a.state.doc.child(2);
  a.edit((tr) => tr.delete(10, 17).insert(0, moved));
  b.edit((tr) => tr.insertText('!', b.at(2, 5)));
  expect(synced()).toBe('p"MOVED" | p"one" | p"two" | p"!"');
});

it('r: a block that two drag away is there twice', () => {
  const [a, b, synced] = pair(['paragraph', 'one'], ['paragraph', 'two'], ['paragraph', 'MOVED']);
  for (const [peer, to] of [
    [a, 0],
    [b, 5],
  ] as const) {
    const moved = peer.state.doc.child(2);
    peer.edit((tr) => tr.delete(10, 17).insert(to, moved));
  }
  expect(synced()).toBe('p"MOVED" | p"one" | p"MOVED" | p"two"');
});

it('s: a newline in code is no new block; Enter at the end beside a new type', () => {
  const [a, b, synced] = pair(['code_block', 'a\nb', { lang: 'js' }], ['paragraph', 'next']);
  a.edit((tr) => tr.insertText('\n', 4));
  a.edit((tr) => tr.split(a.state.doc.child(0).nodeSize - 1));
  b.edit((tr) => tr.setNodeMarkup(5, heading, { level: 1 }));
  expect(synced()).toBe('code_block{lang:js}"a\\nb\\n" | code_block{lang:js}"" | heading{level:1}"next"');
});

it('t: Enter at the start of a block; the type somebody gives it stays with its text', () => {
  const [a, b, synced] = pair(['paragraph', 'above'], ['paragraph', 'title']);
  const id = a.binding.blockId(a.at(1));
  a.edit((tr) => tr.split(8));
  b.edit((tr) => tr.setNodeMarkup(7, heading, { level: 1 }));
  expect(synced()).toBe('p"above" | p"" | heading{level:1}"title"');
  expect(a.binding.blockId(a.at(2))).toBe(id);
});

it('v: plain lines that another program writes are paragraphs; they get ids when somebody styles them', () => {
  const [a, , synced] = pair(['paragraph', 'one']);
  const other = new LoroDoc();
  other.import(a.doc.export({ mode: 'update' }));
  const text = other.getText('text');
  text.insert(text.length, '\nfrom Rust\nline 2');
  text.insert(0, 'before any marker');
  other.commit();
  a.doc.import(other.export({ mode: 'update' }));
  expect(synced()).toBe('p"before any marker" | p"one" | p"from Rust" | p"line 2"');
  a.edit((tr) => tr.setNodeMarkup(0, heading, { level: 2 }));
  a.edit((tr) => tr.setNodeMarkup(a.state.doc.content.size - 8, schema.node('quote').type));
  expect(synced()).toBe('heading{level:2}"before any marker" | p"one" | p"from Rust" | quote"line 2"');
});
