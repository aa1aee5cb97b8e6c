/** Reading never fails, and agrees with the other readers of the format. */
import { describe, expect, it } from 'vitest';
import { BlockReader, documentOf } from './read';
import { Changes, attributesOf } from './attributes';
import { LoroDoc } from 'loro-crdt';
import type { Segment } from './document';
import { schema } from '../schema';

const changes = (entries: Record<string, unknown> = {}): Changes => {
  const map = new LoroDoc().getMap('blocks');
  for (const [key, value] of Object.entries(entries)) map.set(key, value);
  return new Changes(map);
};

/** The blocks as id, attributes and text; null where a block is hidden. */
function read(pieces: readonly Segment[], later: Record<string, unknown> = {}): unknown[] {
  const reader = new BlockReader(schema, changes(later));
  const blocks = [...reader.read(pieces), ...reader.end()];
  documentOf(schema, blocks).check();
  return blocks.map(({ id, node }) => (node === null ? null : [id, attributesOf(node), node.textContent]));
}

describe('reading', () => {
  it('takes text before the first marker as a paragraph', () => {
    expect(read([])).toEqual([]);
    expect(
      read([
        { insert: 'lead' },
        { insert: '\n', attributes: { b: { id: 'i', t: 'heading', level: 2 } } },
        { insert: 'x' },
      ]),
    ).toEqual([
      [null, {}, 'lead'],
      ['i', { t: 'heading', level: 2 }, 'x'],
    ]);
  });

  it('takes newlines without a readable marker as paragraphs', () => {
    expect(read([{ insert: '\n\nline' }])).toEqual([
      [null, {}, ''],
      [null, {}, 'line'],
    ]);
    for (const b of [7, 'x', [1], null, { id: 1, t: 2, w: null }]) {
      expect(read([{ insert: '\n', attributes: { b } }])).toEqual([[null, {}, '']]);
    }
  });

  it('ignores marks of markers and markers of text', () => {
    const pieces = [
      { insert: '\n', attributes: { b: { id: 'i' }, bold: true } },
      { insert: 'x', attributes: { b: { id: 'j', t: 'heading' }, italic: true, code: null } },
    ];
    expect(read(pieces)).toEqual([['i', {}, 'x']]);
  });

  it('counts later changes; null unsets', () => {
    const marker = { insert: '\n', attributes: { b: { id: 'i', t: 'heading', level: 2, tone: 'a' } } };
    const later = {
      'i/level': 3,
      'i/tone': null,
      'i/t': 'callout',
      'i/new': [1],
      'i/id': 'k',
      'ix/level': 9,
      'h/level': 8,
      none: 1,
    };
    expect(read([marker], later)).toEqual([['i', { t: 'callout', level: 3, new: [1] }, '']]);
    expect(read([marker], { 'i/t': null })).toEqual([['i', { level: 2, tone: 'a' }, '']]);
  });

  it('lets twins share their changes and hides those without text', () => {
    const marker = { insert: '\n\n', attributes: { b: { id: 'i' } } };
    expect(read([marker, { insert: 'a' }], { 'i/x': true })).toEqual([null, ['i', {}, 'a']]);
    expect(read([marker, { insert: 'a' }], { 'i/x': 1 })).toEqual([
      ['i', {}, ''],
      ['i', {}, 'a'],
    ]);
  });

  it('is the same however the text is cut into pieces', () => {
    const whole = [{ insert: 'lead\n\none\ntwo\u2028three\n' }];
    const pieces = [...'lead\n\none\ntwo\u2028three\n'].map((insert) => ({ insert }));
    expect(read(pieces)).toEqual(read(whole));
  });

  it('shows embeds only where their mark is', () => {
    const [block] = new BlockReader(schema, changes()).read([
      { insert: 'a\uFFFC' },
      { insert: 'b\uFFFC', attributes: { embed: { text: 'Home' } } },
      { insert: '\n' },
    ]);
    expect(block?.node?.childCount).toBe(2);
    expect(block?.node?.lastChild?.attrs).toEqual({ data: { text: 'Home' } });
    expect(block?.size).toBe(4);
  });
});
