/** Reads pasted plain text: each line is a block. Text that is plainly Markdown is read as such. */
import { Fragment, type Mark, type Schema, Slice } from 'prosemirror-model';
import { safeHref } from '../../schema';
import { DEEPEST_INDENT } from '../blocks';
import { type BlockStart, PageBuilder } from './page-builder';

/** Each line is a paragraph; lines without text part paragraphs and are none. */
export function readLines(schema: Schema, text: string): Slice {
  const page = new PageBuilder(schema, true);
  for (const line of text.split(/\r\n|[\n\r]/u)) {
    page.begin({ type: 'paragraph' });
    page.text(line.trimEnd());
  }
  return Slice.maxOpen(Fragment.from([...page.finish()]));
}

const SIGNS: readonly (readonly [sign: RegExp, start: (match: RegExpExecArray) => BlockStart])[] = [
  [/^(#{1,6}) +/u, (found) => ({ type: 'heading', attrs: { level: found[1]?.length ?? 1 } })],
  [/^[-*+] \[([ xX])\] +/u, (found) => ({ type: 'list_item', attrs: { kind: 'task', checked: found[1] === ' ' ? null : true } })],
  [/^[-*+] +/u, () => ({ type: 'list_item', attrs: { kind: 'bullet' } })],
  [
    /^(\d{1,9})[.)] +/u,
    (found) => ({ type: 'list_item', attrs: { kind: 'ordered', start: Number(found[1]) === 1 ? null : Number(found[1]) } }),
  ],
  [/^> ?/u, () => ({ type: 'quote' })],
];

/** Whether a text has a line that only Markdown begins so. */
export function looksLikeMarkdown(text: string): boolean {
  return /^(?:#{1,6} \S| *[-*+] \S| *\d{1,9}[.)] \S|> \S|```|\|[\s:|-]*-[\s:|-]*\|$)|\*\*\S[^*\n]*\*\*|\[[^\]\n]+\]\(https?:/mu.test(text);
}

/** Lines as blocks by the sign that they begin with; nested items by their column. */
export function readMarkdown(schema: Schema, text: string): Slice {
  const page = new PageBuilder(schema, true);
  /** The columns of the items that the next line may belong to. */
  const columns: number[] = [];
  let fence: string | null = null;
  let first = true;
  /** Whether the lines before this one are rows of a table. */
  let table = false;
  for (const line of text.split(/\r\n|[\n\r]/u)) {
    const row = fence === null && /^\s*\|.*\|\s*$/u.test(line);
    if (row) {
      if (!table) page.begin({ type: 'raw', attrs: { lang: 'markdown', indent: columns.length || null } });
      page.text((table ? '\n' : '') + line.trim());
    }
    table = row;
    if (row) continue;
    const opening = /^\s*(`{3,})\s*([\w+#.-]{0,40})\s*$/u.exec(line);
    if (fence !== null) {
      if (line.trim() === fence) {
        fence = null;
        page.end();
      } else page.text((first ? '' : '\n') + line);
      first = false;
    } else if (opening) {
      fence = opening[1] ?? '```';
      first = true;
      page.begin({ type: 'code_block', attrs: { lang: opening[2] || null, indent: columns.length || null }, keep: true });
    } else readLine(schema, page, columns, line);
  }
  return Slice.maxOpen(Fragment.from([...page.finish()]));
}

function readLine(schema: Schema, page: PageBuilder, columns: number[], line: string): void {
  const [, space = '', rest = ''] = /^(\s*)([^]*)$/u.exec(line) ?? [];
  if (rest === '') return;
  const column = space.replaceAll('\t', '    ').length;
  while (columns.length > 0 && (columns.at(-1) ?? 0) >= column) columns.pop();
  const indent = Math.min(columns.length, DEEPEST_INDENT) || null;
  if (/^(?:-{3,}|\*{3,}|_{3,})\s*$/u.test(rest)) {
    page.begin({ type: 'divider', attrs: { indent }, keep: true });
    return;
  }
  const picture = /^!\[([^\]]*)\]\((https?:[^()\s]+)\)\s*$/u.exec(rest);
  if (picture) {
    page.begin({ type: 'image', attrs: { src: picture[2], indent }, keep: true });
    page.text(picture[1] ?? '');
    return;
  }
  for (const [sign, start] of SIGNS) {
    const match = sign.exec(rest);
    if (!match) continue;
    const { type, attrs } = start(match);
    page.begin({ type, attrs: { ...attrs, indent }, keep: true });
    if (type === 'list_item') columns.push(column);
    addInline(schema, page, rest.slice(match[0].length).trimEnd(), []);
    return;
  }
  page.begin({ type: 'paragraph', attrs: { indent } });
  addInline(schema, page, rest.trimEnd(), []);
}

/** Lines longer than this are text as they are, in UTF-16 units: patterns that look for an end would take too long. */
const LINE_MAX = 5000;

const INLINE =
  /`([^`]+)`|\[([^\]]+)\]\(([^()\s]+)\)|(\*\*|__|~~|==)(?=\S)(.+?)(?<=\S)\4|(?<![\p{L}\p{N}*_])([*_])(?=[^\s*_])([^*_]+?)(?<=\S)\6(?![\p{L}\p{N}*_])/u;

const MARK_OF: Readonly<Record<string, string>> = {
  '**': 'bold',
  __: 'bold',
  '~~': 'strike',
  '==': 'highlight',
  '*': 'italic',
  _: 'italic',
};

/** Adds text with its marks read; each round ends the text before the next mark or goes into one. */
function addInline(schema: Schema, page: PageBuilder, text: string, marks: readonly Mark[]): void {
  const put = (name: string, value: unknown, inner: string, deeper: boolean): void => {
    const mark = schema.marks[name]?.create({ value });
    const next = mark ? mark.addToSet(marks) : marks;
    if (deeper) addInline(schema, page, inner, next);
    else page.text(inner, next);
  };
  let rest = text;
  for (let match = rest.length > LINE_MAX ? null : INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    page.text(rest.slice(0, match.index), marks);
    rest = rest.slice(match.index + match[0].length);
    const [whole, code, label, target = '', double, doubled = '', single, singled = ''] = match;
    const href = label === undefined ? null : safeHref(target);
    if (code !== undefined) put('code', true, code, false);
    else if (label !== undefined && href !== null) put('link', href, label, true);
    else if (double !== undefined) put(MARK_OF[double] ?? '', true, doubled, true);
    else if (single !== undefined) put(MARK_OF[single] ?? '', true, singled, true);
    else page.text(whole, marks);
  }
  page.text(rest, marks);
}
