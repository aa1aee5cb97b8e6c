/**
 * Two windows on one page for simulated minutes: both type, split, join, format and undo, and what they do reaches the
 * other after a random delay.
 */
import { describe, expect, it } from 'vitest';
import { TextSelection, type Transaction } from 'prosemirror-state';
import { characters, random } from './fuzz';
import { Peer } from './testing';
import { same } from '../format/document';
import { schema } from '../schema';

const LONG = process.env.TOMBOLO_LONG !== undefined;
const MINUTE = 60_000;

interface Mail {
  readonly due: number;
  readonly to: Peer;
  readonly bytes: Uint8Array;
}

class Windows {
  readonly both: readonly [Peer, Peer];
  readonly #next: (bound: number) => number;
  readonly #mail: Mail[] = [];
  readonly #typed = new Set<string>();
  /** Characters somebody deleted or undid; these may be gone, and redo may bring them back. */
  readonly #touched = new Set<string>();
  #time = 0;
  #fresh = 0;
  actions = 0;

  constructor(seed: number) {
    this.#next = random(seed);
    const first = new Peer(1).write(
      ['heading', 'Plan', { level: 1 }],
      ['paragraph', 'for both of us'],
      ['list_item', 'and more'],
    );
    this.both = [first, new Peer(2, { from: first })];
    for (const character of characters(first.state.doc)) this.#touched.add(character);
    for (const peer of this.both) {
      const other = this.both.find((each) => each !== peer) ?? peer;
      peer.doc.subscribeLocalUpdates((bytes) => {
        // Not before what this window sent earlier.
        const last = this.#mail.findLast((mail) => mail.to === other)?.due ?? 0;
        this.#mail.push({ due: Math.max(last, this.#time + 20 + this.#next(3000)), to: other, bytes });
      });
    }
  }

  run(minutes: number): void {
    const end = this.#time + minutes * MINUTE;
    while (this.#time < end) {
      this.#time += 20 + this.#next(400);
      this.#deliver(this.#time);
      const peer = this.both[this.#next(2)] ?? this.both[0];
      peer.time = this.#time;
      this.#act(peer);
      this.actions++;
      if (this.actions % 100 === 0) peer.verify();
    }
  }

  settle(): void {
    this.#deliver(Number.POSITIVE_INFINITY);
    for (const peer of this.both) peer.verify();
    const [a, b] = this.both;
    if (!same(a.doc.toJSON(), b.doc.toJSON())) throw new Error('Loro diverged');
    if (!a.state.doc.eq(b.state.doc)) throw new Error('pages differ');
    const got = characters(a.state.doc).filter((character) => character >= '\u4E00');
    const has = new Set(got);
    expect(got.length - has.size).toBe(0);
    expect([...this.#typed].filter((character) => !has.has(character) && !this.#touched.has(character))).toEqual([]);
  }

  /** Delivers what is due; the caret of who receives stays between the characters it was between. */
  #deliver(until: number): void {
    for (let index = 0; index < this.#mail.length;) {
      const mail = this.#mail[index];
      if (mail === undefined || mail.due > until) {
        index++;
        continue;
      }
      this.#mail.splice(index, 1);
      const before = neighbours(mail.to);
      const inFront = characters(mail.to.state.doc);
      mail.to.doc.import(mail.bytes);
      this.#checkCaret(mail.to, before, inFront);
    }
  }

  /** A character beside the caret that is still there is still on its side. */
  #checkCaret(peer: Peer, [left, right]: readonly [string, string], known: readonly string[]): void {
    const { head } = peer.state.selection;
    const before = new Set(characters(peer.state.doc.cut(0, head)));
    const after = new Set(characters(peer.state.doc.cut(head)));
    const once = (character: string): boolean => known.indexOf(character) === known.lastIndexOf(character);
    if (left >= '\u4E00' && once(left) && after.has(left)) throw new Error(`the caret moved to the left of ${left}`);
    if (right >= '\u4E00' && once(right) && before.has(right))
      throw new Error(`the caret moved to the right of ${right}`);
  }

  #act(peer: Peer): void {
    const kind = this.#next(100);
    const { tr } = peer.state;
    if (kind < 60) return this.#type(peer, tr);
    if (kind < 70) return this.#move(peer, tr);
    if (kind < 76) return this.#dispatch(peer, tr.split(tr.selection.head));
    if (kind < 84) return this.#join(peer, tr);
    if (kind < 90) return this.#erase(peer, tr);
    if (kind < 95) return this.#format(peer, tr);
    this.#travel(peer, kind < 98 ? 'undo' : 'redo');
  }

  #type(peer: Peer, tr: Transaction): void {
    const n = this.#fresh++;
    const character = String.fromCodePoint((n % 9 === 0 ? 0x20000 : 0x4e00) + (n % 20_000));
    if (n >= 20_000) throw new Error('more characters than there are');
    this.#typed.add(character);
    this.#dispatch(peer, tr.insertText(character));
  }

  #move(peer: Peer, tr: Transaction): void {
    const block = this.#next(tr.doc.childCount);
    const start = peer.at(block);
    const node = tr.doc.child(block);
    let at = this.#next(node.content.size + 1);
    if (/[\uDC00-\uDFFF]/u.test(node.textBetween(at, Math.min(node.content.size, at + 1), '', ' '))) at--;
    peer.view.dispatch(tr.setSelection(TextSelection.create(tr.doc, start + Math.max(0, at))));
  }

  #join(peer: Peer, tr: Transaction): void {
    const block = this.#next(tr.doc.childCount);
    if (block > 0) this.#dispatch(peer, tr.join(peer.at(block) - 1));
  }

  #erase(peer: Peer, tr: Transaction): void {
    const { $head, head } = tr.selection;
    const [left] = neighbours(peer);
    if ($head.parentOffset < left.length || left === '') return;
    for (const character of left) this.#touched.add(character);
    this.#dispatch(peer, tr.delete(head - left.length, head));
  }

  #format(peer: Peer, tr: Transaction): void {
    const { $head } = tr.selection;
    const start = $head.start();
    const kind = this.#next(3);
    if (kind === 0) this.#dispatch(peer, tr.addMark(start, $head.pos, schema.mark('bold')));
    else if (kind === 1) this.#dispatch(peer, tr.removeMark($head.pos, $head.end(), schema.mark('bold')));
    else
      this.#dispatch(peer, tr.setBlockType(start, start, schema.node(this.#next(2) > 0 ? 'quote' : 'paragraph').type));
  }

  #travel(peer: Peer, direction: 'undo' | 'redo'): void {
    const before = characters(peer.state.doc);
    peer.binding[direction]();
    const after = new Set(characters(peer.state.doc));
    for (const character of before) if (!after.has(character)) this.#touched.add(character);
  }

  #dispatch(peer: Peer, tr: Transaction): void {
    if (tr.docChanged) peer.view.dispatch(tr);
  }
}

/** The characters on both sides of the caret, within its block. */
function neighbours(peer: Peer): readonly [string, string] {
  const { $head } = peer.state.selection;
  const before = [...$head.parent.textBetween(0, $head.parentOffset, '', ' ')];
  const after = [...$head.parent.textBetween($head.parentOffset, $head.parent.content.size, '', ' ')];
  return [before.at(-1) ?? '', after[0] ?? ''];
}

describe('two windows', () => {
  const seeds = Array.from({ length: LONG ? 20 : 2 }, (_, index) => index + 1);
  it.each(seeds)('type for ten minutes, seed %i', { timeout: 120_000 }, (seed) => {
    const windows = new Windows(seed);
    windows.run(10);
    windows.settle();
    expect(windows.actions).toBeGreaterThan(2000);
  });
});
