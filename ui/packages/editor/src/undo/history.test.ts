import { describe, expect, it } from 'vitest';
import { Peer, pair } from '../binding/testing';
import { TextSelection } from 'prosemirror-state';
import { schema } from '../schema';

/** Types a text at the caret, so many milliseconds after the last edit. */
function type(peer: Peer, text: string, after: number): void {
  peer.time += after;
  peer.view.dispatch(peer.state.tr.insertText(text));
}

function caret(peer: Peer, at: number, head = at): void {
  peer.view.dispatch(peer.state.tr.setSelection(TextSelection.create(peer.state.doc, at, head)));
}

const selection = (peer: Peer): [number, number] => [peer.state.selection.anchor, peer.state.selection.head];

describe('undo', () => {
  it('takes back together what was typed without a pause', () => {
    const a = new Peer(1).write(['paragraph', '']);
    caret(a, 1);
    for (const character of 'one') type(a, character, 100);
    type(a, ' two', 499);
    type(a, '!', 500);
    expect(a.page).toBe('p"one two!"');
    a.binding.undo();
    expect(a.page).toBe('p"one two"');
    a.binding.undo();
    expect(a.page).toBe('p""');
    a.binding.redo();
    a.binding.redo();
    expect(a.page).toBe('p"one two!"');
    expect(a.binding.redo()).toBe(false);
    a.verify();
  });

  it('begins a new group where it is told to, and after an undo', () => {
    const a = new Peer(1).write(['paragraph', '']);
    caret(a, 1);
    type(a, 'a', 1000);
    a.binding.endUndoGroup();
    type(a, 'b', 0);
    a.binding.undo();
    expect(a.page).toBe('p"a"');
    type(a, 'c', 0);
    a.binding.undo();
    expect(a.page).toBe('p"a"');
  });

  it('puts the caret where it was', () => {
    const a = new Peer(1).write(['paragraph', 'hello world'], ['paragraph', 'end']);
    caret(a, 7, 12);
    a.edit((tr) => tr.deleteSelection());
    caret(a, a.at(1, 2));
    a.binding.undo();
    expect(a.page).toBe('p"hello world" | p"end"');
    expect(selection(a)).toEqual([7, 12]);
    a.binding.redo();
    expect(selection(a)[1]).toBe(a.at(1, 2));
    caret(a, 3);
    type(a, '😀x', 1000);
    caret(a, a.at(1, 0));
    a.binding.undo();
    expect(selection(a)).toEqual([3, 3]);
    a.verify();
  });

  it('takes back only what is mine', () => {
    const [a, b, synced] = pair(['paragraph', 'base']);
    a.edit((tr) => tr.insertText('A', 5));
    synced();
    b.edit((tr) => tr.insertText('B', 6));
    synced();
    b.edit((tr) => tr.insertText('C', 1));
    synced();
    a.binding.undo();
    expect(synced()).toBe('p"CbaseB"');
    b.binding.undo();
    b.binding.undo();
    expect(synced()).toBe('p"base"');
    expect(b.binding.undo()).toBe(false);
  });

  it('brings back types, attributes, marks and whole blocks', () => {
    const a = new Peer(1).write(['paragraph', 'one'], ['list_item', 'two', { kind: 'task' }], ['paragraph', 'three']);
    const before = a.page;
    a.edit((tr) => tr.setBlockType(1, 1, schema.node('heading').type, { level: 2 }));
    a.edit((tr) => tr.setNodeAttribute(5, 'checked', true));
    a.edit((tr) => tr.addMark(1, 4, schema.mark('bold')));
    a.edit((tr) => tr.delete(5, 10));
    a.edit((tr) => tr.split(3));
    expect(a.page).toBe('heading{level:2}"<bold>on</>" | heading{level:2}"<bold>e</>" | p"three"');
    for (let i = 0; i < 5; i++) {
      expect(a.binding.undo()).toBe(true);
      a.verify();
    }
    expect(a.page).toBe(before);
    for (let i = 0; i < 5; i++) a.binding.redo();
    expect(a.page).toBe('heading{level:2}"<bold>on</>" | heading{level:2}"<bold>e</>" | p"three"');
    a.verify();
  });

  it('of the very first edit leaves an empty page', () => {
    const a = new Peer(1);
    a.edit((tr) => tr.insertText('hello', 1));
    a.binding.undo();
    expect([a.page, a.doc.getText('text').toString()]).toEqual(['p""', '']);
    a.verify();
    a.edit((tr) => tr.insertText('again', 1));
    expect(a.page).toBe('p"again"');
    a.verify();
  });
});
