/** Colours in code. They are decorations: nothing of them is in the document. */
import type { Node } from 'prosemirror-model';
import { Plugin, PluginKey } from 'prosemirror-state';
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view';
import { textAttr } from '../blocks';
import { grammarOf, isLoaded, load, tokenize } from './grammars';

/** Longer code stays in one colour: each key would read all of it again. In UTF-16 units. */
const CODE_MAX = 10_000;

const key = new PluginKey<DecorationSet>('highlight');

/** The grammar that a block is coloured by, or null. */
function grammarFor(block: Node): string | null {
  return block.type.name === 'code_block' && block.content.size <= CODE_MAX ? grammarOf(textAttr(block, 'lang')) : null;
}

function colours(block: Node, pos: number): Decoration[] {
  const grammar = grammarFor(block);
  if (grammar === null || !isLoaded(grammar)) return [];
  const text = block.textBetween(0, block.content.size, undefined, '\uFFFC');
  return tokenize(text, grammar).map(({ from, to, classes }) => Decoration.inline(pos + 1 + from, pos + 1 + to, { class: classes }));
}

/** Calls back for the blocks of a document that are not the same in another one, if both begin and end alike. */
function eachChanged(before: Node, after: Node, visit: (block: Node, pos: number) => void): void {
  const least = Math.min(before.childCount, after.childCount);
  let start = 0;
  let pos = 0;
  while (start < least && before.child(start) === after.child(start)) {
    pos += after.child(start).nodeSize;
    start += 1;
  }
  let same = 0;
  while (same < least - start && before.child(before.childCount - 1 - same) === after.child(after.childCount - 1 - same)) same += 1;
  for (let index = start; index < after.childCount - same; index += 1) {
    visit(after.child(index), pos);
    pos += after.child(index).nodeSize;
  }
}

/** The colours after a change: those of changed blocks are read again. */
function recolour(last: DecorationSet, before: Node, after: Node): DecorationSet {
  let set = last;
  eachChanged(before, after, (block, pos) => {
    const old = set.find(pos, pos + block.nodeSize);
    const fresh = colours(block, pos);
    if (old.length > 0) set = set.remove(old);
    if (fresh.length > 0) set = set.add(after, fresh);
  });
  return set;
}

function all(doc: Node): DecorationSet {
  const found: Decoration[] = [];
  doc.forEach((block, pos) => {
    for (const decoration of colours(block, pos)) found.push(decoration);
  });
  return DecorationSet.create(doc, found);
}

/** The grammars that a document wants and that are not there yet. */
function missing(doc: Node): ReadonlySet<string> {
  const wanted = new Set<string>();
  doc.forEach((block) => {
    const grammar = grammarFor(block);
    if (grammar !== null && !isLoaded(grammar)) wanted.add(grammar);
  });
  return wanted;
}

/** Loads a grammar and shows its colours. Code without colours can be read as well. */
async function show(view: EditorView, grammar: string): Promise<void> {
  try {
    await load(grammar);
  } catch {
    return;
  }
  if (!view.isDestroyed) view.dispatch(view.state.tr.setMeta(key, true));
}

/** Colours as a plugin. `onLoad` is called with what it waits for, so that a test can wait too. */
export function highlight(onLoad: (loaded: Promise<void>) => void = () => undefined): Plugin {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: (_config, { doc }) => all(doc),
      apply(tr, last, before, after) {
        if (tr.getMeta(key) === true) return all(after.doc);
        return tr.docChanged ? recolour(last.map(tr.mapping, after.doc), before.doc, after.doc) : last;
      },
    },
    props: { decorations: (state) => key.getState(state) },
    view(view) {
      /** Grammars that were asked for: one that cannot be loaded is not asked for again. */
      const asked = new Set<string>();
      const ask = (): void => {
        for (const grammar of missing(view.state.doc)) {
          if (asked.has(grammar)) continue;
          asked.add(grammar);
          onLoad(show(view, grammar));
        }
      };
      ask();
      return {
        update(_view, before) {
          if (before.doc !== view.state.doc) ask();
        },
      };
    },
  });
}
