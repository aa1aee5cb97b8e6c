/** A copy as text: once to be read by people, once as Markdown. */
import type { Fragment, Node, Slice } from 'prosemirror-model';
import { indentOf, isSourceBlock, listKind, textAttr } from '../blocks';
import { listNumbers } from '../decorations';

/** A block's text; line breaks are newlines, embeds are what they read as. */
function plainText(block: Node): string {
  return block.textBetween(0, block.content.size, undefined, (leaf) => leaf.type.spec.leafText?.(leaf) ?? '');
}

/** Inline content that was copied without its block. */
function inlineText(content: Fragment): string {
  return content.textBetween(0, content.size, undefined, (leaf) => leaf.type.spec.leafText?.(leaf) ?? '');
}

const TAB = '  ';

/** A prefix on the first line, and as much space on the others. */
function hang(prefix: string, text: string): string {
  return text.split('\n').join(`\n${' '.repeat(prefix.length)}`).replace(/^/u, prefix);
}

/** The sign of a list item with a space behind it, `''` for other blocks. */
function itemSign(block: Node, number: number | undefined): string {
  switch (listKind(block)) {
    case '':
      return '';
    case 'ordered':
      return `${number ?? 1}. `;
    case 'task':
      return block.attrs.checked === true ? '- [x] ' : '- [ ] ';
    default:
      return '- ';
  }
}

/** The numbers of the items in a fragment, as if it were a page. */
function numbersOf(fragment: Fragment): ReadonlyMap<number, number> {
  const doc = fragment.firstChild?.type.schema.topNodeType.create(null, fragment);
  return doc ? listNumbers(doc) : new Map();
}

/** Text as people write it where nothing can be formatted: lists keep their signs and their depth. */
export function toPlainText({ content }: Slice): string {
  if (content.childCount === 1 && content.firstChild?.isTextblock) return plainText(content.firstChild);
  if (content.firstChild?.isInline === true) return inlineText(content);
  const numbers = numbersOf(content);
  const lines: string[] = [];
  content.forEach((block, _offset, index) => {
    const text = block.type.name === 'divider' && block.content.size === 0 ? '---' : plainText(block);
    lines.push(hang(TAB.repeat(indentOf(block)) + itemSign(block, numbers.get(index)), text));
  });
  return lines.join('\n');
}

/** The delimiters of marks in Markdown, outermost first. */
const DELIMITERS: readonly (readonly [mark: string, delimiter: string])[] = [
  ['highlight', '=='],
  ['strike', '~~'],
  ['bold', '**'],
  ['italic', '*'],
  ['code', '`'],
];

/** A piece of text with its marks written out. White space at its ends stays outside of the delimiters. */
function marked(text: string, marks: ReadonlySet<string>): string {
  const [, start = '', inner = '', end = ''] = /^(\s*)([^]*?)(\s*)$/u.exec(text) ?? [];
  if (inner === '') return text;
  let written = inner;
  for (const [mark, delimiter] of DELIMITERS.toReversed()) if (marks.has(mark)) written = `${delimiter}${written}${delimiter}`;
  return start + written + end;
}

/** The text of a block in Markdown. Neighbours with the same link or marks are written as one. */
function inlineMarkdown(block: Node): string {
  const pieces: { text: string; key: string; marks: Set<string>; link: string | null }[] = [];
  block.forEach((node) => {
    const text = node.isText ? (node.text ?? '') : (node.type.spec.leafText?.(node) ?? '');
    const link: unknown = node.marks.find((mark) => mark.type.name === 'link')?.attrs.value;
    const marks = new Set(node.marks.map((mark) => mark.type.name));
    const key = JSON.stringify([[...marks].toSorted(), link ?? null]);
    const last = pieces.at(-1);
    if (last?.key === key) last.text += text;
    else pieces.push({ text, key, marks, link: typeof link === 'string' ? link : null });
  });
  return pieces.map(({ text, marks, link }) => (link === null ? marked(text, marks) : `[${marked(text, marks)}](${link})`)).join('');
}

function blockMarkdown(block: Node, indent: string, number: number | undefined): string {
  if (block.type.name === 'raw') return hang(indent, plainText(block));
  if (isSourceBlock(block)) {
    const text = plainText(block);
    const longest = Math.max(2, ...[...text.matchAll(/`+/gu)].map(([ticks]) => ticks.length));
    const fence = '`'.repeat(longest + 1);
    return hang(indent, `${fence}${textAttr(block, 'lang')}\n${text}\n${fence}`);
  }
  const text = inlineMarkdown(block);
  switch (block.type.name) {
    case 'heading':
      return `${indent}${'#'.repeat(typeof block.attrs.level === 'number' ? block.attrs.level : 1)} ${text.replaceAll('\n', ' ')}`;
    case 'quote':
    case 'callout':
      return hang(indent, `> ${text.replaceAll('\n', '\n> ')}`);
    case 'divider':
      return indent + (text === '' ? '---' : text);
    case 'image':
      return `${indent}![${text.replaceAll('\n', ' ')}](${textAttr(block, 'src')})`;
    default:
      return hang(indent + itemSign(block, number), text);
  }
}

/** The copy as Markdown. Characters that mean something in Markdown are not escaped. */
export function toMarkdown({ content }: Slice): string {
  if (content.firstChild?.isInline === true) return inlineText(content);
  if (content.childCount === 1 && content.firstChild?.type.name === 'paragraph') return inlineMarkdown(content.firstChild);
  const numbers = numbersOf(content);
  let written = '';
  /** The items that the next block may belong to, each with the column where its text starts. */
  const parents: { indent: number; column: number }[] = [];
  content.forEach((block, _offset, index) => {
    for (let last = parents.at(-1); last && last.indent >= indentOf(block); last = parents.at(-1)) parents.pop();
    const column = parents.at(-1)?.column ?? 0;
    const sign = itemSign(block, numbers.get(index));
    if (sign !== '') parents.push({ indent: indentOf(block), column: column + (sign.startsWith('-') ? 2 : sign.length) });
    const before = index > 0 ? content.child(index - 1) : null;
    const tight = before && listKind(before) !== '' && listKind(block) !== '';
    written += (before ? (tight ? '\n' : '\n\n') : '') + blockMarkdown(block, ' '.repeat(column), numbers.get(index));
  });
  return written;
}
