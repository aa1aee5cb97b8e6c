/** Random editing by several peers, from a seed, and what must hold after it. For tests. */
import { Fragment, type Mark, type Node, Slice } from 'prosemirror-model';
import { BLOCK_ATTRIBUTES, createSchema } from '../schema';
import { Peer } from './testing';
import type { Transaction } from 'prosemirror-state';
import { canJoin } from 'prosemirror-transform';
import { same } from '../format/document';

/** A random source of whole numbers below a bound; the same seed gives the same numbers. */
export function random(seed: number): (bound: number) => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

/** A place in a page: a block, where it begins, and a position in its text between two characters. */
interface Spot {
  readonly index: number;
  readonly start: number;
  readonly block: Node;
  readonly at: number;
}

export class Fuzz {
  readonly peers: readonly Peer[];
  readonly #next: (bound: number) => number;
  readonly #alive = new Set<string>();
  readonly #dead = new Set<string>();
  #fresh = 0;

  /** Three peers; the third has an older schema. */
  constructor(seed: number) {
    this.#next = random(seed);
    const old = createSchema(['callout', 'image', 'underline']);
    this.peers = [new Peer(1), new Peer(2), new Peer(3, { schema: old })];
  }

  /** Edits and deliveries; with `undo` also undo and redo, and then no account of the characters is kept. */
  run(steps: number, undo: boolean): void {
    for (let step = 0; step < steps; step++) {
      const peer = this.#pick(this.peers);
      if (undo && this.#next(6) === 0) this.#travel(peer);
      else this.act(peer);
      if (step % 10 === 0) peer.verify();
      if (this.#next(6) !== 0) continue;
      const [from, to] = [this.#pick(this.peers), this.#pick(this.peers)];
      if (from === to) continue;
      to.receive(from);
      to.verify();
    }
  }

  /** Delivers all that is under way and checks that everybody has the same. */
  settle(undo: boolean): void {
    for (let round = 0; round < 2; round++) {
      for (const from of this.peers) for (const to of this.peers) if (from !== to) to.receive(from);
    }
    for (const peer of this.peers) peer.verify();
    const [first, ...others] = this.peers;
    if (first === undefined) return;
    for (const other of others) {
      if (!same(first.doc.toJSON(), other.doc.toJSON())) throw new Error('Loro diverged');
      if (characters(first.state.doc).join('') !== characters(other.state.doc).join(''))
        throw new Error('texts differ');
      if (other.state.schema === first.state.schema && !other.state.doc.eq(first.state.doc))
        throw new Error('pages differ');
    }
    if (undo) return;
    const got = characters(first.state.doc).toSorted();
    const wanted = [...this.#alive].filter((character) => !this.#dead.has(character)).toSorted();
    if (got.join('') !== wanted.join('')) {
      const [has, needs] = [new Set(got), new Set(wanted)];
      throw new Error(
        `lost ${JSON.stringify(wanted.filter((c) => !has.has(c)))}, back from the dead ${JSON.stringify(got.filter((c) => !needs.has(c)))}, doubled ${got.length - has.size}`,
      );
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#next(list.length)] as T;
  }

  /** Characters that were never used before; every seventh outside the basic plane. */
  word(length: number): string {
    let word = '';
    for (let i = 0; i < length; i++) {
      const n = this.#fresh++;
      word += String.fromCodePoint((n % 7 === 0 ? 0x20000 : 0x4e00) + n);
    }
    return word;
  }

  /** A random position between two characters. */
  place(doc: Node): number {
    return this.#spot(doc).at;
  }

  #spot(doc: Node): Spot {
    const index = this.#next(doc.childCount);
    const block = doc.child(index);
    let start = 0;
    for (let i = 0; i < index; i++) start += doc.child(i).nodeSize;
    const offsets = [0];
    block.forEach((node, offset) => {
      let at = offset;
      for (const character of node.text ?? ' ') offsets.push((at += character.length));
    });
    return { index, start, block, at: start + 1 + this.#pick(offsets) };
  }

  #travel(peer: Peer): void {
    if (this.#next(3) > 0) peer.binding.undo();
    else peer.binding.redo();
  }

  /** Lets a peer do something. */
  act(peer: Peer): void {
    const { tr } = peer.state;
    this.#change(peer, tr);
    if (this.#next(5) === 0) tr.insertText(this.word(1), tr.mapping.map(this.#spot(peer.state.doc).at));
    if (!tr.docChanged) return;
    const before = characters(peer.state.doc);
    peer.time += this.#pick([100, 10_000]);
    peer.view.dispatch(tr);
    const after = new Set(characters(peer.state.doc));
    for (const character of before) if (!after.has(character)) this.#dead.add(character);
    for (const character of after) this.#alive.add(character);
  }

  #change(peer: Peer, tr: Transaction): void {
    const { doc } = tr;
    const spot = this.#spot(doc);
    const kind = this.#next(100);
    if (kind < 35) tr.insertText(this.#next(9) > 0 ? this.word(1 + this.#next(4)) : `${this.word(1)}\n`, spot.at);
    else if (kind < 47)
      tr.split(spot.at, 1, this.#next(2) > 0 ? [{ type: peer.state.schema.node('paragraph').type }] : undefined);
    else if (kind < 55) this.#join(tr, spot);
    else if (kind < 65) this.#deleteRange(tr, spot);
    else if (kind < 69) this.#deleteBlock(tr, spot);
    else if (kind < 80) this.#mark(tr, spot);
    else this.#structure(peer, tr, spot, kind);
  }

  #join(tr: Transaction, spot: Spot): void {
    if (spot.index > 0 && canJoin(tr.doc, spot.start)) tr.join(spot.start);
  }

  #deleteRange(tr: Transaction, spot: Spot): void {
    const other = this.#spot(tr.doc);
    if (Math.abs(spot.index - other.index) > 2) tr.delete(spot.at, spot.start + 1 + spot.block.content.size);
    else tr.delete(Math.min(spot.at, other.at), Math.max(spot.at, other.at));
  }

  #deleteBlock(tr: Transaction, spot: Spot): void {
    if (tr.doc.childCount > 1) tr.delete(spot.start, spot.start + spot.block.nodeSize);
  }

  #mark(tr: Transaction, spot: Spot): void {
    const other = this.#spot(tr.doc);
    const from = Math.min(spot.at, other.at);
    const to = Math.max(spot.at, other.at);
    if (to - from > 40) return;
    const { marks } = tr.doc.type.schema;
    const made = this.#pick([
      (): Mark | undefined => marks.bold?.create(),
      () => marks.underline?.create(),
      () => marks.link?.create({ value: `u${this.#next(3)}` }),
      () => marks.code?.create(),
      () => marks.comment?.create({ id: `c${this.#next(3)}` }),
      () => marks.unknown_mark?.create({ key: `k${this.#next(2)}`, value: 1 }),
    ])();
    if (made === undefined) return;
    if (this.#next(3) > 0) tr.addMark(from, to, made);
    else tr.removeMark(from, to, made.type.name === 'unknown_mark' ? null : made.type);
  }

  #structure(peer: Peer, tr: Transaction, spot: Spot, kind: number): void {
    const current = peer.state.schema;
    const types = Object.keys(BLOCK_ATTRIBUTES).filter((name) => current.nodes[name] !== undefined);
    const make = (): Node =>
      current.node(this.#pick(types), { indent: this.#next(3) || null }, current.text(this.word(2)));
    if (kind < 87) {
      const type = current.node(this.#pick(types)).type;
      tr.setBlockType(spot.at, spot.at, type, {
        ...(type.name === 'heading' ? { level: 1 + this.#next(3) } : {}),
        indent: spot.block.attrs.indent,
      });
    } else if (kind < 92) tr.setNodeAttribute(spot.start, 'indent', this.#next(4) || null);
    else if (kind < 94)
      tr.insert(
        spot.at,
        this.#next(3) > 0 ? current.node('embed', { data: { id: this.#next(9) } }) : current.node('hard_break'),
      );
    else if (kind < 97) tr.replace(spot.at, spot.at, new Slice(Fragment.from([make(), make(), make()]), 1, 1));
    else if (kind < 99) tr.insert(this.#next(2) > 0 ? spot.start : spot.start + spot.block.nodeSize, make());
    else if (tr.doc.childCount < 5)
      tr.replaceWith(0, tr.doc.content.size, current.node('paragraph', null, current.text(this.word(3))));
  }
}

/** A page's characters, line breaks and embeds left out. */
export function characters(doc: Node): string[] {
  const found: string[] = [];
  doc.descendants((node) => {
    if (node.isText) found.push(...(node.text ?? '').replaceAll('\n', ''));
  });
  return found;
}
