/** When Loro refuses in the middle of a transaction, and when the document is replaced. */
import { LoroDoc, LoroText } from 'loro-crdt';
import { Peer, pair, sync } from './testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TextSelection } from 'prosemirror-state';
import { schema } from '../schema';

afterEach(() => void vi.restoreAllMocks());

const failure = new Error('refused');

const refuse = (name: 'insert' | 'mark'): void => {
  vi.spyOn(LoroText.prototype, name).mockImplementationOnce(() => {
    throw failure;
  });
};

describe('a change that Loro refuses', () => {
  it('is taken back as a whole and reported; the next one works', () => {
    const [a, b, synced] = pair(['paragraph', 'hello'], ['paragraph', 'world']);
    a.view.dispatch(a.state.tr.setSelection(TextSelection.create(a.state.doc, 10)));
    refuse('insert');
    // The deletion is done when the insertion fails.
    a.edit((tr) => tr.delete(2, 4).insertText('EY', 2));
    expect(a.errors).toEqual([failure]);
    expect(a.page).toBe('p"hello" | p"world"');
    expect(a.state.selection.head).toBe(10);
    a.errors.length = 0;
    a.edit((tr) => tr.insertText('!', 6));
    expect(synced()).toBe('p"hello!" | p"world"');
    expect(b.page).toBe(a.page);
  });

  it('is no step of undo', () => {
    const [a] = pair(['paragraph', 'hello']);
    a.edit((tr) => tr.insertText('!', 6));
    refuse('mark');
    a.edit((tr) => tr.split(3));
    expect(a.page).toBe('p"hello!"');
    a.binding.undo();
    expect(a.page).toBe('p"hello"');
    a.errors.length = 0;
    a.verify();
  });

  it('may have been the deletion of almost everything', () => {
    const [a] = pair(...Array.from({ length: 8 }, (_, index) => ['paragraph', `line ${index}`] as const));
    a.view.dispatch(a.state.tr.setSelection(TextSelection.create(a.state.doc, a.at(6, 2))));
    const before = a.page;
    refuse('insert');
    a.edit((tr) => tr.delete(a.at(0, 1), a.at(7, 1)).insertText('!', 1));
    expect([a.page, a.errors]).toEqual([before, [failure]]);
    expect([a.state.selection.$head.index(0), a.state.selection.$head.parentOffset]).toEqual([6, 2]);
    a.errors.length = 0;
    a.verify();
  });

  it('is put right where only the last look at it fails', () => {
    const [a] = pair(['paragraph', 'hello']);
    // A newline in prose has to be read back as a line break.
    const { sliceDelta } = LoroText.prototype;
    let looks = 0;
    vi.spyOn(LoroText.prototype, 'sliceDelta').mockImplementation(function look(this: LoroText, from, to) {
      if (++looks === 2) throw failure;
      return sliceDelta.call(this, from, to);
    });
    a.edit((tr) => tr.insertText('\n', 3));
    expect([a.page, a.errors]).toEqual(['p"he\\nllo"', [failure]]);
    a.errors.length = 0;
    a.verify();
  });

  it('where even reading fails, nothing more is written until the document is replaced', () => {
    const fatal: boolean[] = [];
    const a = new Peer(1, { onError: (_error, isFatal) => fatal.push(isFatal) }).write(['paragraph', 'hello']);
    refuse('insert');
    vi.spyOn(LoroText.prototype, 'sliceDelta').mockImplementation(() => {
      throw failure;
    });
    a.edit((tr) => tr.insertText('!', 6));
    expect(fatal).toEqual([false, true]);
    vi.restoreAllMocks();
    const count = a.doc.opCount();
    a.edit((tr) => tr.insertText('!', 6));
    expect([fatal.at(-1), a.doc.opCount()]).toEqual([true, count]);
    const next = new LoroDoc();
    next.getText('text').insert(0, '\nnew');
    next.commit();
    a.binding.replace(next);
    a.edit((tr) => tr.insertText('!', 4));
    expect(a.page).toBe('p"new!"');
    a.verify();
  });
});

describe('a replaced document', () => {
  it('changes only what differs, keeps the caret, and forgets what could be undone', () => {
    const [a] = pair(['paragraph', 'one'], ['heading', 'two', { level: 2 }], ['paragraph', 'three']);
    const other = new LoroDoc();
    other.setPeerId(77n);
    other.import(a.doc.export({ mode: 'update' }));
    a.edit((tr) => tr.insertText('REFUSED', a.at(0, 3)));
    a.view.dispatch(a.state.tr.setSelection(TextSelection.create(a.state.doc, a.at(1, 2))));
    const second = a.view.dom.children[1];
    a.binding.replace(other);
    expect(a.page).toBe('p"one" | heading{level:2}"two" | p"three"');
    expect([a.state.selection.$head.index(0), a.state.selection.$head.parentOffset]).toEqual([1, 2]);
    expect(a.view.dom.children[1]).toBe(second);
    expect(a.binding.undo()).toBe(false);
    a.edit((tr) => tr.insertText('!', a.at(1, 3)));
    expect(other.getText('text').toString()).toContain('two!');
    a.verify();
  });

  it('finds blocks by their ids, so that a caret stays when others come and go around it', () => {
    const wanted = Array.from({ length: 12 }, (_, index) => ['paragraph', `line ${index}`] as const);
    const [a, b] = pair(...wanted);
    a.view.dispatch(a.state.tr.setSelection(TextSelection.create(a.state.doc, a.at(7, 4))));
    b.edit((tr) => tr.delete(b.at(2) - 1, b.at(4) - 1).insertText('!', 1));
    b.edit((tr) => tr.split(b.at(1, 3)).insertText('?', b.at(3, 2)));
    const other = new LoroDoc();
    other.import(b.doc.export({ mode: 'update' }));
    a.binding.replace(other);
    a.verify();
    expect([a.state.selection.$head.parent.textContent, a.state.selection.$head.parentOffset]).toEqual(['line 7', 4]);
    expect(a.page).toBe(b.page);
  });

  it('may have nothing in common with the old one', () => {
    const [a] = pair(['paragraph', 'one']);
    const b = new Peer(2).write(['code_block', 'x\ny'], ['divider'], ['quote', 'z']);
    a.binding.replace(b.doc.fork());
    expect(a.page).toBe('code_block"x\\ny" | divider"" | quote"z"');
    a.binding.replace(new LoroDoc());
    expect(a.page).toBe('p""');
    a.edit((tr) => tr.insertText('again', 1));
    a.verify();
  });
});

describe('a view', () => {
  it('shows the document from its first moment', () => {
    const a = new Peer(1).write(['paragraph', 'one'], ['quote', 'two']);
    const b = new Peer(2, { from: a });
    expect(b.page).toBe(a.page);
    expect(b.doc.opCount()).toBe(a.doc.opCount());
    sync(a, b);
  });

  it('knows blocks by their ids', () => {
    const [a] = pair(['paragraph', 'one'], ['paragraph', 'two']);
    const id = a.binding.blockId(a.at(1)) ?? '';
    expect(a.binding.positionOf(id)).toBe(5);
    expect(a.binding.blockId(5)).toBe(id);
    a.edit((tr) => tr.insert(0, schema.node('paragraph')));
    expect(a.binding.positionOf(id)).toBe(7);
    a.edit((tr) => tr.delete(7, 12));
    expect(a.binding.positionOf(id)).toBe(null);
    expect(a.binding.positionOf('nobody')).toBe(null);
  });
});
