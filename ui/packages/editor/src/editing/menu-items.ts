/** The entries of the `/` menu. */
import type { EditorView } from 'prosemirror-view';
import { blockAt, setBlock } from './blocks';
import type { BlockKind } from './format';
import { insertBlock } from './insert';
import type { Editing, MenuItem } from './options';
import { fill } from './texts';

/** The most entries that are shown at once. */
const SHOWN_MAX = 50;

/** Turns the block at the caret into one of a kind. */
function turn(kind: BlockKind): (view: EditorView) => void {
  return (view) => {
    const { tr } = view.state;
    const block = blockAt(tr.selection.$from);
    const type = view.state.schema.nodes[kind.type];
    if (!block || !type) return;
    setBlock(tr, block.pos, type, kind.attrs);
    view.dispatch(tr.scrollIntoView());
  };
}

const divide = (view: EditorView): void => insertBlock(view, { type: 'divider' });

/** All entries, the app's last. */
export function menuItems({ texts, menuItems: more }: Editing): readonly MenuItem[] {
  const heading = (level: number, aliases: string[]): MenuItem => ({
    id: `heading-${level}`,
    title: fill(texts.heading, { n: level }),
    aliases: [`h${level}`, ...aliases],
    hint: '#'.repeat(level),
    run: turn({ type: 'heading', attrs: { level } }),
  });
  const list = (kind: string, title: string, hint: string, aliases: string[]): MenuItem => ({
    id: `list-${kind}`,
    title,
    aliases,
    hint,
    run: turn({ type: 'list_item', attrs: { kind } }),
  });
  return [
    { id: 'paragraph', title: texts.paragraph, aliases: ['paragraph', 'plain', 'p'], run: turn({ type: 'paragraph' }) },
    heading(1, ['title']),
    heading(2, ['subtitle']),
    heading(3, []),
    heading(4, []),
    list('bullet', texts.bulletList, '-', ['ul', 'unordered', 'bullet', 'list']),
    list('ordered', texts.orderedList, '1.', ['ol', 'ordered', 'number', 'list']),
    list('task', texts.taskList, '[ ]', ['todo', 'checkbox', 'checklist', 'list']),
    { id: 'quote', title: texts.quote, aliases: ['blockquote', 'citation'], hint: '>', run: turn({ type: 'quote' }) },
    { id: 'callout', title: texts.callout, aliases: ['note', 'info', 'aside'], run: turn({ type: 'callout' }) },
    { id: 'code', title: texts.code, aliases: ['pre', 'source', 'program'], hint: '```', run: turn({ type: 'code_block' }) },
    { id: 'divider', title: texts.divider, aliases: ['hr', 'rule', 'line', 'separator'], hint: '---', run: divide },
    ...(more?.() ?? []),
  ];
}

/** The entries that a query finds, best first: title or a word of it, then aliases, then anywhere in the title. */
export function findItems(items: readonly MenuItem[], query: string): readonly MenuItem[] {
  const wanted = fold(query);
  const ranked = items
    .map((item) => ({ item, rank: wanted === '' ? 0 : rank(item, wanted) }))
    .filter((found) => found.rank < Infinity);
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, SHOWN_MAX)
    .map(({ item }) => item);
}

function rank({ title, aliases = [] }: MenuItem, wanted: string): number {
  const folded = fold(title);
  if (folded.startsWith(wanted)) return 0;
  if (folded.split(/\s+/u).some((word) => word.startsWith(wanted))) return 1;
  if (aliases.some((alias) => fold(alias).startsWith(wanted))) return 2;
  return folded.includes(wanted) ? 3 : Infinity;
}

/** Text for comparing: without case and accents. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim();
}
