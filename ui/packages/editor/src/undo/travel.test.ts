/** Undo and redo of whatever one user did: back to each page that was, and forward again. */
import { describe, expect, it } from 'vitest';
import { Fuzz, characters } from '../binding/fuzz';
import type { Node } from 'prosemirror-model';

const seeds = Array.from({ length: process.env.TOMBOLO_LONG === undefined ? 10 : 100 }, (_, index) => index + 1);

describe('undo', () => {
  // In 57 and 100 the first step changes nothing in an empty page.
  it.each([...seeds, 57, 100])('goes back over every page and forward again, seed %i', (seed) => {
    const fuzz = new Fuzz(seed);
    const [peer] = fuzz.peers;
    if (peer === undefined) throw new Error('nobody there');
    const pages: Node[] = [peer.state.doc];
    while (pages.length < 60) {
      peer.binding.endUndoGroup();
      fuzz.act(peer);
      if (pages.at(-1)?.eq(peer.state.doc) !== true) pages.push(peer.state.doc);
    }
    for (const page of pages.slice(0, -1).toReversed()) {
      expect(peer.binding.undo()).toBe(true);
      expect(peer.state.doc.toJSON()).toEqual(page.toJSON());
      peer.verify();
    }
    expect(peer.binding.undo()).toBe(false);
    for (const page of pages.slice(1)) {
      expect(peer.binding.redo()).toBe(true);
      expect(peer.state.doc.toJSON()).toEqual(page.toJSON());
    }
    peer.verify();
  });

  it.each(seeds)('leaves exactly what the others did, seed %i', (seed) => {
    const fuzz = new Fuzz(seed);
    const [mine, other] = fuzz.peers;
    if (mine === undefined || other === undefined) throw new Error('nobody there');
    // Only the other's characters stay, each of them once, whatever they were typed into.
    const theirs = new Set<string>();
    for (let step = 0; step < 80; step++) {
      if (step % 3 > 0) fuzz.act(mine);
      else {
        const known = new Set(characters(other.state.doc));
        other.edit((tr) => tr.insertText(fuzz.word(2), fuzz.place(other.state.doc)));
        for (const character of characters(other.state.doc)) if (!known.has(character)) theirs.add(character);
      }
      if (step % 4 === 0) {
        mine.receive(other);
        other.receive(mine);
      }
    }
    other.receive(mine);
    mine.receive(other);
    while (mine.binding.undo());
    mine.verify();
    other.receive(mine);
    other.verify();
    expect(characters(mine.state.doc).toSorted()).toEqual([...theirs].toSorted());
    expect(other.state.doc.eq(mine.state.doc)).toBe(true);
  });
});
