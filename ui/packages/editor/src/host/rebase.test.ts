import { type Block, readBlocks } from '../format/read';
import { Peer, type Wanted, nodes } from '../binding/testing';
import { Transform } from 'prosemirror-transform';
import { expect, it } from 'vitest';
import { configure } from '../format/document';
import { rebase } from './rebase';
import { schema } from '../schema';

const START: readonly Wanted[] = [
  ['paragraph', 'one'],
  ['heading', 'two', { level: 2 }],
  ['paragraph', 'three'],
];

const read = (peer: Peer): Block[] => readBlocks(schema, configure(peer.doc));

/** What becomes of a change of `START` when `theirs` happened to it elsewhere. */
function after(mine: (peer: Peer) => unknown, theirs: (peer: Peer) => unknown): string[] {
  const base = new Peer(1).write(...START);
  const [a, b] = [new Peer(2, { from: base }), new Peer(3, { from: base })];
  const from = read(base);
  mine(a);
  theirs(b);
  const { steps } = rebase(schema, from, read(a), read(b));
  const result = new Transform(b.state.doc);
  for (const step of steps) result.step(step);
  result.doc.check();
  return result.doc.children.map((node) => `${node.type.name} ${node.textContent}`);
}

const nothing = (): void => undefined;
const paragraphs = (peer: Peer): unknown =>
  peer.edit((tr) =>
    tr
      .insertText('!', 4)
      .split(2)
      .delete(tr.doc.content.size - 3, tr.doc.content.size - 1),
  );
const typeBehind = (peer: Peer): unknown => peer.edit((tr) => tr.insertText('mine', peer.at(1, 3)));
const restyle = (peer: Peer): unknown =>
  peer.edit((tr) =>
    tr.insertText('theirs', peer.at(1)).setBlockType(peer.at(1), peer.at(1), schema.node('quote').type),
  );
const typeWithin = (peer: Peer): unknown => peer.edit((tr) => tr.insertText('mine', peer.at(1, 2)));
const remove = (peer: Peer): unknown => peer.edit((tr) => tr.delete(peer.at(1) - 1, peer.at(2) - 1));
const add = (peer: Peer): unknown => peer.edit((tr) => tr.insert(peer.at(1) - 1, nodes(schema, [['quote', 'mine']])));
const renew = (peer: Peer): unknown =>
  peer.edit((tr) => tr.replaceWith(0, tr.doc.content.size, nodes(schema, [['paragraph', 'other']])));

it('changes stay as they are where nothing else happened', () => {
  expect(after(paragraphs, nothing)).toEqual(['paragraph o', 'paragraph ne!', 'heading two', 'paragraph thr']);
  expect(after(nothing, paragraphs)).toEqual(['paragraph o', 'paragraph ne!', 'heading two', 'paragraph thr']);
});

it('both changes of one block count', () => {
  expect(after(typeBehind, restyle)).toEqual(['paragraph one', 'quote theirstwomine', 'paragraph three']);
});

it('text typed in a block that is gone stays in a paragraph of its own', () => {
  expect(after(typeWithin, remove)).toEqual(['paragraph one', 'paragraph mine', 'paragraph three']);
});

it('new blocks stay when everything around them is gone', () => {
  const lines = after(add, renew);
  expect(lines.filter((line) => line.includes('mine')).length).toBe(1);
  expect(lines).toContain('paragraph other');
});
