/** Documents in JSON form, which the Rust crate of the format keeps as well, read the same from the flat form. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LoroDoc } from 'loro-crdt';
import type { Mark, Node } from 'prosemirror-model';
import { Peer } from '../binding/testing';
import { configure } from './document';
import { attributesOf, keyOf } from './attributes';
import { documentOf, readBlocks } from './read';
import { schema } from '../schema';

interface Run {
  text: string;
  marks?: Record<string, unknown>;
}

interface Block {
  id?: string;
  t?: string;
  attrs?: Record<string, unknown>;
  runs?: Run[];
}

interface Page {
  schema: number;
  blocks: Block[];
}

const folder = join(import.meta.dirname, '../../../../../crates/tombolo-richtext/tests/golden');
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** Writes a page the way every writer of the format does. */
function write({ blocks }: Page): LoroDoc {
  const doc = configure(new LoroDoc());
  const text = doc.getText('text');
  const marks: [number, number, string, unknown][] = [];
  let flat = '';
  for (const { id, t, attrs, runs } of blocks) {
    marks.push([
      flat.length,
      flat.length + 1,
      'b',
      { ...attrs, ...(id !== undefined && { id }), ...(t !== undefined && { t }) },
    ]);
    flat += '\n';
    for (const run of runs ?? []) {
      for (const [key, value] of Object.entries(run.marks ?? {}))
        marks.push([flat.length, flat.length + run.text.length, key, value]);
      flat += run.text;
    }
  }
  text.insert(0, flat);
  for (const [start, end, key, value] of marks) text.mark({ start, end }, key, value);
  doc.commit();
  return doc;
}

const marksOf = (marks: readonly Mark[]): Record<string, unknown> =>
  Object.fromEntries(marks.map((mark) => [keyOf(mark), mark.attrs.value as unknown]));

/** A node's text as runs, neighbours of equal marks together. */
function runsOf(node: Node): Run[] {
  const runs: { text: string; marks: Record<string, unknown> }[] = [];
  node.forEach((inline) => {
    const text =
      inline.type.name === 'hard_break'
        ? '\u2028'
        : inline.type.name === 'embed'
          ? '\uFFFC'
          : (inline.text ?? '').replaceAll('\n', '\u2028');
    const marks = {
      ...marksOf(inline.marks),
      ...(inline.type.name === 'embed' && { embed: inline.attrs.data as unknown }),
    };
    const last = runs.at(-1);
    if (last !== undefined && JSON.stringify(last.marks) === JSON.stringify(marks)) last.text += text;
    else runs.push({ text, marks });
  });
  return runs.map(({ text, marks }) => (Object.keys(marks).length > 0 ? { text, marks } : { text }));
}

/** A page back in its JSON form. */
function read(doc: LoroDoc): Page {
  const blocks = readBlocks(schema, doc).map(({ id, node }): Block => {
    const { t, ...attrs } = node === null ? {} : attributesOf(node);
    const runs = node === null ? [] : runsOf(node);
    return {
      ...(id !== null && { id }),
      ...(typeof t === 'string' && { t }),
      ...(Object.keys(attrs).length > 0 && { attrs }),
      ...(runs.length > 0 && { runs }),
    };
  });
  return { schema: 1, blocks };
}

describe('golden documents', () => {
  it.each(names)('%s reads the same here', (name) => {
    const page = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Page;
    const doc = write(page);
    expect(read(doc)).toEqual(page);
    documentOf(schema, readBlocks(schema, doc)).check();
  });

  it.each(names)('%s is not changed by a view that shows it, nor by an edit elsewhere in it', (name) => {
    const page = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Page;
    const peer = new Peer(1, { from: write(page).export({ mode: 'update' }) });
    peer.edit((tr) => tr.insert(tr.doc.content.size, schema.node('paragraph', null, schema.text('new'))));
    peer.verify();
    const after = read(peer.doc);
    expect({ ...after, blocks: after.blocks.slice(0, -1) }).toEqual(page);
  });

  it('are there', () => {
    expect(names.length).toBeGreaterThan(3);
  });
});
