/** Peers with a real view each, for tests. */
import { type Node, type Schema } from 'prosemirror-model';
import { EditorState, type Plugin, type Transaction } from 'prosemirror-state';
import { documentOf, readBlocks } from '../format/read';
import { Binding, type BindingOptions } from './binding';
import { EditorView } from 'prosemirror-view';
import { LoroDoc } from 'loro-crdt';
import { rowOf } from './outline';
import { same } from '../format/document';
import { schema as current } from '../schema';

/** A block for {@link peer}: type, text, attributes. */
export type Wanted = readonly [type: string, text?: string, attrs?: Record<string, unknown>];

export function nodes(schema: Schema, wanted: readonly Wanted[]): Node[] {
  return wanted.map(([type, text, attrs]) =>
    schema.node(type, attrs, text === undefined || text === '' ? [] : [schema.text(text)]),
  );
}

export class Peer {
  readonly view: EditorView;
  readonly binding: Binding;
  readonly errors: unknown[] = [];
  time = 0;

  constructor(
    id: number,
    options: { schema?: Schema; from?: Peer | Uint8Array; plugins?: readonly Plugin[] } & BindingOptions = {},
  ) {
    const doc = new LoroDoc();
    doc.setPeerId(BigInt(id));
    if (options.from instanceof Peer) doc.import(options.from.doc.export({ mode: 'update' }));
    else if (options.from !== undefined) doc.import(options.from);
    const schema = options.schema ?? current;
    this.view = new EditorView(null, { state: EditorState.create({ schema, plugins: [...(options.plugins ?? [])] }) });
    this.binding = new Binding(this.view, doc, {
      now: () => this.time,
      onError: (error) => this.errors.push(error),
      ...options,
    });
  }

  get doc(): LoroDoc {
    return this.binding.doc;
  }

  get state(): EditorState {
    return this.view.state;
  }

  /** A user's transaction; long enough after the one before to be undone alone. */
  edit(change: (tr: Transaction) => Transaction): this {
    this.time += 10_000;
    this.view.dispatch(change(this.state.tr));
    return this;
  }

  /** Makes the page consist of these blocks. */
  write(...wanted: readonly Wanted[]): this {
    return this.edit((tr) => tr.replaceWith(0, tr.doc.content.size, nodes(this.state.schema, wanted)));
  }

  /** The position at an offset of a block's text. */
  at(block: number, offset = 0): number {
    let position = 1;
    for (let index = 0; index < block; index++) position += this.state.doc.child(index).nodeSize;
    return position + offset;
  }

  receive(other: Peer): void {
    this.doc.import(other.doc.export({ mode: 'update', from: this.doc.version() }));
  }

  /** The page in one line: `p"text" | heading{level:1}"…"`, marks as `<bold>…</>`. */
  get page(): string {
    return this.state.doc.children.map(describe).join(' | ');
  }

  /** Throws unless the page is what a fresh reading of Loro gives, and the outline too. */
  verify(): void {
    this.state.doc.check();
    const blocks = readBlocks(this.state.schema, this.doc);
    const wanted = documentOf(this.state.schema, blocks);
    if (!wanted.eq(this.state.doc)) {
      throw new Error(
        `the page is not what Loro says\n${this.state.doc.toString()}\n${wanted.toString()}\n${JSON.stringify(this.doc.getText('text').toDelta())}`,
      );
    }
    const fresh = blocks.map(rowOf);
    if (!same(this.binding.rows, fresh)) {
      throw new Error(
        `the outline is not what Loro says\n${JSON.stringify(this.binding.rows)}\n${JSON.stringify(fresh)}`,
      );
    }
    if (this.errors.length > 0) throw this.errors[0];
  }
}

function describe(node: Node): string {
  const attrs = Object.entries({ ...node.attrs, ...(node.attrs.rest as object | null), rest: null, type: null })
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key}:${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(',');
  let text = '';
  node.forEach((inline) => {
    const marks = inline.marks.map((mark) => {
      const name = String(mark.attrs.key ?? mark.attrs.id ?? mark.type.name);
      return mark.attrs.value === true ? name : `${name}=${JSON.stringify(mark.attrs.value)}`;
    });
    const piece = inline.text ?? (inline.type.name === 'hard_break' ? '\\n' : '[embed]');
    text += marks.length > 0 ? `<${marks.join('+')}>${piece}</>` : piece;
  });
  const type = node.type.name === 'unknown' ? `?${String(node.attrs.type)}` : node.type.name;
  return `${type === 'paragraph' ? 'p' : type}${attrs === '' ? '' : `{${attrs}}`}"${text.replaceAll('\n', '\\n')}"`;
}

/** Delivers everything to everybody, twice, and verifies all of them. */
export function sync(...peers: readonly Peer[]): void {
  for (let round = 0; round < 2; round++) {
    for (const from of peers) for (const to of peers) if (from !== to) to.receive(from);
  }
  for (const peer of peers) peer.verify();
}

/** Two peers with the same page, and what both show after {@link sync}. */
export function pair(...wanted: readonly Wanted[]): [Peer, Peer, () => string] {
  const a = new Peer(1);
  if (wanted.length > 0) a.write(...wanted);
  const b = new Peer(2, { from: a });
  return [
    a,
    b,
    () => {
      sync(a, b);
      return a.page === b.page ? a.page : `DIVERGED ${a.page} <> ${b.page}`;
    },
  ];
}
