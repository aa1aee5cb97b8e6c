/**
 * The document as the editor sees it: a flat list of blocks, each holding inline content.
 *
 * It mirrors the rich-text format one to one. A UTF-16 unit of a block's text in Loro is one ProseMirror position, so
 * nothing is ever converted: U+2028 is a `hard_break` (in code and raw blocks a newline in the text), U+FFFC with the
 * mark `embed` is an `embed`.
 *
 * Not in here, because they belong to a block's marker and never travel with a copy of it: the block's id and its
 * ghost flag. The binding keeps both.
 */
import { type Attrs, type DOMOutputSpec, type MarkSpec, type Node, type NodeSpec, Schema } from 'prosemirror-model';

/** Any value that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The block types this version knows, with the attributes each of them reads. Any other type is `unknown`. */
export const BLOCK_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  paragraph: [],
  heading: ['level'],
  list_item: ['kind', 'checked', 'start'],
  code_block: ['lang'],
  quote: ['tone'],
  callout: ['tone'],
  divider: [],
  image: ['src', 'title', 'w'],
  raw: ['lang'],
};

/** Attributes that every block reads: nesting depth (absent = 0) and the ids of the boxes around it, outermost first. */
export const COMMON_ATTRIBUTES: readonly string[] = ['indent', 'in'];

/** What happens to a mark when text is inserted at its end. Frozen into each operation, so every peer must agree. */
export type Expand = 'after' | 'none';

/** The marks this version knows, by key in Loro. `comment:<id>` and unknown keys never expand. */
export const MARK_EXPAND: Readonly<Record<string, Expand>> = {
  bold: 'after',
  italic: 'after',
  underline: 'after',
  strike: 'after',
  highlight: 'after',
  code: 'none',
  link: 'none',
};

/** Block types whose text is source: line breaks are newlines in it. */
export const isSource = (type: string): boolean => type === 'code_block' || type === 'raw';

/** The address a link may lead to, or null: nothing that runs a script, nothing without a known scheme. */
export function safeHref(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/iu.exec(value)?.[1];
  if (scheme === undefined) return value;
  return /^(?:https?|mailto|tel|tombolo)$/iu.test(scheme) ? value : null;
}

/** The deepest indentation that looks different. */
const DEEPEST = 8;

/** DOM attributes of a block: classes and `data-`, never a style. */
function domAttrs(node: Node, name: string, more: Record<string, string | null> = {}): Record<string, string> {
  const { indent, rest } = node.attrs as { indent: unknown; rest: unknown };
  const attrs: Record<string, string> = { class: `block ${name}`, dir: 'auto' };
  if (typeof indent === 'number' && indent > 0) attrs['data-indent'] = String(Math.min(Math.floor(indent), DEEPEST));
  if (Array.isArray(node.attrs.in) && node.attrs.in.length > 0) attrs['data-in'] = JSON.stringify(node.attrs.in);
  if (rest !== null) attrs['data-rest'] = JSON.stringify(rest);
  for (const [key, value] of Object.entries(more)) if (value !== null) attrs[key] = value;
  return attrs;
}

/** Reads JSON that came through the clipboard; null for anything else. */
function json(text: string | null): Json {
  if (text === null || text.length > 65_536) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function commonAttrs(dom: HTMLElement): Attrs {
  const indent = Number(dom.getAttribute('data-indent') ?? 0);
  const groups = json(dom.getAttribute('data-in'));
  const rest = json(dom.getAttribute('data-rest'));
  return {
    indent: Number.isInteger(indent) && indent > 0 ? Math.min(indent, DEEPEST) : null,
    in: Array.isArray(groups) ? groups : null,
    rest: rest !== null && typeof rest === 'object' && !Array.isArray(rest) ? rest : null,
  };
}

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

function block(type: string, spec: Pick<NodeSpec, 'toDOM' | 'parseDOM'> & Partial<NodeSpec>): NodeSpec {
  const names = [...(BLOCK_ATTRIBUTES[type] ?? []), ...COMMON_ATTRIBUTES, 'rest'];
  return {
    group: 'block',
    content: 'inline*',
    marks: '_',
    ...spec,
    attrs: { ...spec.attrs, ...Object.fromEntries(names.map((name) => [name, { default: null }])) },
  };
}

/** The level of a heading, 1 to 6. */
const levelOf = (node: Node): number => {
  const { level } = node.attrs as { level: unknown };
  return typeof level === 'number' ? Math.min(6, Math.max(1, Math.floor(level) || 1)) : 1;
};

const nodes: Record<string, NodeSpec> = {
  doc: { content: 'block+' },
  paragraph: block('paragraph', {
    parseDOM: [{ tag: 'p', getAttrs: commonAttrs }],
    toDOM: (node) => ['p', domAttrs(node, 'paragraph'), 0],
  }),
  heading: block('heading', {
    defining: true,
    parseDOM: [1, 2, 3, 4, 5, 6].map((level) => ({
      tag: `h${level}`,
      getAttrs: (dom) => ({ ...commonAttrs(dom), level }),
    })),
    toDOM: (node) => [`h${levelOf(node)}`, domAttrs(node, 'heading'), 0],
  }),
  list_item: block('list_item', {
    defining: true,
    parseDOM: [
      {
        tag: 'div.list-item',
        getAttrs: (dom) => ({
          ...commonAttrs(dom),
          kind: text(dom.getAttribute('data-kind')),
          checked: dom.getAttribute('data-checked') === 'true' ? true : null,
        }),
      },
    ],
    toDOM(node) {
      const { kind, checked, start } = node.attrs as Record<string, unknown>;
      const data = {
        'data-kind': text(kind) ?? 'bullet',
        'data-checked': checked === true ? 'true' : null,
        'data-start': typeof start === 'number' ? String(start) : null,
      };
      return ['div', domAttrs(node, 'list-item', data), 0];
    },
  }),
  code_block: block('code_block', {
    content: '(text | embed)*',
    code: true,
    defining: true,
    whitespace: 'pre',
    parseDOM: [
      {
        tag: 'pre',
        preserveWhitespace: 'full',
        getAttrs: (dom) => ({ ...commonAttrs(dom), lang: text(dom.getAttribute('data-lang')) }),
      },
    ],
    toDOM: (node) => ['pre', domAttrs(node, 'code', { 'data-lang': text(node.attrs.lang) }), ['code', 0]],
  }),
  quote: block('quote', {
    defining: true,
    parseDOM: [{ tag: 'blockquote', getAttrs: commonAttrs }],
    toDOM: (node) => ['blockquote', domAttrs(node, 'quote'), 0],
  }),
  callout: block('callout', {
    defining: true,
    parseDOM: [
      {
        tag: 'aside.callout',
        getAttrs: (dom) => ({ ...commonAttrs(dom), tone: text(dom.getAttribute('data-tone')) }),
      },
    ],
    toDOM: (node) => ['aside', domAttrs(node, 'callout', { 'data-tone': text(node.attrs.tone) }), 0],
  }),
  divider: block('divider', {
    parseDOM: [{ tag: 'hr' }, { tag: 'div.divider', getAttrs: commonAttrs }],
    toDOM: (node) => ['div', domAttrs(node, 'divider'), 0],
  }),
  image: block('image', {
    defining: true,
    parseDOM: [
      {
        tag: 'figure.image',
        contentElement: 'figcaption',
        getAttrs: (dom) => {
          const w = Number(dom.getAttribute('data-w') ?? Number.NaN);
          return {
            ...commonAttrs(dom),
            src: text(dom.querySelector('img')?.getAttribute('src') ?? null),
            title: text(dom.querySelector('img')?.getAttribute('title') ?? null),
            w: Number.isFinite(w) ? w : null,
          };
        },
      },
    ],
    toDOM(node) {
      const { src, title, w } = node.attrs as Record<string, unknown>;
      const img: Record<string, string> = { src: text(src) ?? '', alt: node.textContent, draggable: 'false' };
      if (typeof title === 'string') img.title = title;
      const data = { 'data-w': typeof w === 'number' ? String(w) : null };
      return ['figure', domAttrs(node, 'image', data), ['img', img], ['figcaption', 0]];
    },
  }),
  raw: block('raw', {
    content: '(text | embed)*',
    code: true,
    defining: true,
    whitespace: 'pre',
    parseDOM: [
      {
        tag: 'pre.raw',
        priority: 60,
        preserveWhitespace: 'full',
        getAttrs: (dom) => ({ ...commonAttrs(dom), lang: text(dom.getAttribute('data-lang')) }),
      },
    ],
    toDOM: (node) => ['pre', domAttrs(node, 'raw', { 'data-lang': text(node.attrs.lang) }), 0],
  }),
  unknown: block('unknown', {
    attrs: { type: { default: 'unknown' } },
    defining: true,
    parseDOM: [
      {
        tag: 'div.unknown',
        getAttrs: (dom) => ({ ...commonAttrs(dom), type: text(dom.getAttribute('data-type')) ?? 'unknown' }),
      },
    ],
    toDOM: (node) => ['div', domAttrs(node, 'unknown', { 'data-type': String(node.attrs.type) }), 0],
  }),
  text: { group: 'inline' },
  hard_break: {
    group: 'inline',
    inline: true,
    selectable: false,
    linebreakReplacement: true,
    leafText: () => '\n',
    parseDOM: [{ tag: 'br' }],
    toDOM: () => ['br'],
  },
  embed: {
    group: 'inline',
    inline: true,
    atom: true,
    attrs: { data: { default: null } },
    leafText: (node) => embedText(node.attrs.data),
    parseDOM: [{ tag: 'span.embed', getAttrs: (dom) => ({ data: json(dom.getAttribute('data-embed')) }) }],
    toDOM: (node) => [
      'span',
      { class: 'embed', 'data-embed': JSON.stringify(node.attrs.data) },
      embedText(node.attrs.data),
    ],
  },
};

/** What an embed reads as: itself where it is a string, else its member `text`, else nothing. */
export function embedText(data: unknown): string {
  if (typeof data === 'string') return data;
  if (typeof data !== 'object' || data === null || !('text' in data)) return '';
  return typeof data.text === 'string' ? data.text : '';
}

function inlineMark(key: string, tag: string, others: readonly string[] = []): MarkSpec {
  return {
    attrs: { value: { default: true } },
    inclusive: MARK_EXPAND[key] === 'after',
    parseDOM: [{ tag }, ...others.map((other) => ({ tag: other }))],
    toDOM: (): DOMOutputSpec => [tag, 0],
  };
}

/** Marks that stand for several keys of the text: any number of them lies on one character. */
const several = { inclusive: false, excludes: '' };

const marks: Record<string, MarkSpec> = {
  link: {
    attrs: { value: { default: null } },
    inclusive: false,
    parseDOM: [
      {
        tag: 'a[href]',
        getAttrs: (dom) => {
          const href = dom.getAttribute('href');
          return safeHref(href) === null ? false : { value: href };
        },
      },
    ],
    toDOM(mark) {
      const href = safeHref(mark.attrs.value);
      return ['a', href === null ? { class: 'link' } : { class: 'link', href, rel: 'noopener noreferrer' }, 0];
    },
  },
  bold: inlineMark('bold', 'strong', ['b']),
  italic: inlineMark('italic', 'em', ['i']),
  underline: inlineMark('underline', 'u'),
  strike: inlineMark('strike', 's', ['del', 'strike']),
  highlight: {
    ...inlineMark('highlight', 'mark'),
    parseDOM: [{ tag: 'mark', getAttrs: (dom) => ({ value: text(dom.getAttribute('data-color')) ?? true }) }],
    toDOM: ({ attrs: { value } }) => ['mark', typeof value === 'string' ? { 'data-color': value } : {}, 0],
  },
  code: inlineMark('code', 'code'),
  comment: {
    attrs: { id: {}, value: { default: true } },
    ...several,
    toDOM: (mark) => ['span', { class: 'comment', 'data-comment': String(mark.attrs.id) }, 0],
  },
  unknown_mark: {
    attrs: { key: {}, value: { default: true } },
    ...several,
    toDOM: (mark) => ['span', { class: 'unknown-mark', 'data-key': String(mark.attrs.key) }, 0],
  },
};

/**
 * The schema without the given block types and marks, as an older version of the app has it.
 *
 * Every attribute is null where the document does not set it, so `heading.level` may be null and means 1.
 * Attributes that this version does not know are in `rest` (an object or null).
 * Marks hold what Loro holds in `value`: true, or a string (a link's address, a highlight's colour).
 */
export function createSchema(without: readonly string[] = []): Schema {
  const keep = <T>(specs: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(specs).filter(([name]) => !without.includes(name)));
  return new Schema({ nodes: keep(nodes), marks: keep(marks) });
}

/** The schema of this version. */
export const schema: Schema = createSchema();
