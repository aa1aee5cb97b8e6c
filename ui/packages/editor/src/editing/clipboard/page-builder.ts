/** Builds blocks from a stream of texts and boundaries, as a reader of HTML or plain text meets them. */
import { Fragment, type Mark, type Node, type NodeType, type Schema } from 'prosemirror-model';
import { isSource } from '../../schema';

/** The most blocks that one paste makes; what follows is left out. */
export const BLOCKS_MAX = 20_000;

/** A block that is being read. */
interface OpenBlock {
  readonly type: NodeType;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly content: Node[];
  /** Whether the block stays even without text. */
  readonly keep: boolean;
}

/** How a block is begun. */
export interface BlockStart {
  readonly type: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly keep?: boolean;
}

export class PageBuilder {
  readonly #schema: Schema;
  readonly #blocks: Node[] = [];
  /** Whether white space counts as it is written. */
  readonly #verbatim: boolean;
  #open: OpenBlock | null = null;

  constructor(schema: Schema, verbatim: boolean) {
    [this.#schema, this.#verbatim] = [schema, verbatim];
  }

  /** Whether a block is open and has no content yet. */
  get isFresh(): boolean {
    return this.#open !== null && this.#open.content.length === 0;
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** Ends the open block and begins another one. */
  begin({ type, attrs = {}, keep = false }: BlockStart): void {
    this.end();
    const nodeType = this.#schema.nodes[type] ?? this.#schema.nodes.paragraph;
    if (nodeType) this.#open = { type: nodeType, attrs, content: [], keep };
  }

  /** Ends the open block; one without text is dropped, unless it was to stay. */
  end(): void {
    const open = this.#open;
    this.#open = null;
    if (!open || this.#blocks.length >= BLOCKS_MAX) return;
    if (!this.#verbatim && !isSource(open.type.name)) trimEnd(open.content);
    if (open.content.length > 0 || open.keep) this.#blocks.push(open.type.create(open.attrs, Fragment.from(open.content)));
  }

  /** Adds text to the open block. */
  text(text: string, marks: readonly Mark[] = []): void {
    const open = this.#open;
    if (!open || text === '') return;
    const source = isSource(open.type.name);
    let written = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
    if (!source && !this.#verbatim) {
      written = written.replace(/[ \t\n\f]+/gu, ' ');
      if (endsInSpace(open.content)) written = written.replace(/^ /u, '');
    }
    const lines = source ? [written] : written.split(/[\n\u2028]/u);
    for (const [index, line] of lines.entries()) {
      if (index > 0) this.lineBreak(marks);
      if (line !== '') open.content.push(this.#schema.text(line, source ? [] : marks));
    }
  }

  /** Adds a line break to the open block. */
  lineBreak(marks: readonly Mark[] = []): void {
    const open = this.#open;
    if (!open) return;
    if (!this.#verbatim && !isSource(open.type.name)) trimEnd(open.content, false);
    const lineBreak = this.#schema.nodes.hard_break;
    if (isSource(open.type.name) || !lineBreak) open.content.push(this.#schema.text('\n'));
    else open.content.push(lineBreak.create(null, null, marks));
  }

  /** Adds an inline node to the open block. */
  inline(node: Node): void {
    this.#open?.content.push(node);
  }

  /** All blocks read. */
  finish(): readonly Node[] {
    this.end();
    return this.#blocks;
  }
}

/** Whether a space after this content would be a second one, or the first of its line. */
function endsInSpace(content: readonly Node[]): boolean {
  const last = content.at(-1);
  if (!last) return true;
  return last.isText ? (last.text ?? '').endsWith(' ') : last.type.name === 'hard_break';
}

/** Takes white space, and at the end of a block line breaks, from the end of the content. */
function trimEnd(content: Node[], breaks = true): void {
  for (let last = content.at(-1); last; last = content.at(-1)) {
    if (last.type.name === 'hard_break' && breaks) content.pop();
    else if (last.isText) {
      const kept = (last.text ?? '').replace(/[ \u00A0]+$/u, '');
      if (kept === last.text) return;
      content.pop();
      if (kept !== '') {
        content.push(last.type.schema.text(kept, last.marks));
        return;
      }
    } else return;
  }
}
