/**
 * Markdown as it is typed.
 *
 * A rule sees the text as typed first, as a change of its own; what it makes of it is the next change. So one step back
 * leads to the text as typed, by undo as well as by Backspace right after.
 */
import type { Attrs } from 'prosemirror-model';
import { type Command, type EditorState, Plugin, PluginKey, type Transaction } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { safeHref } from '../schema';
import { caretBlock, isOpaque, isSourceBlock, type PlacedBlock, placeAttrs, setBlock } from './blocks';
import { webAddress } from './links';

/** The longest text before the caret that rules look at, in UTF-16 units. */
const LOOK_BACK = 500;

/** The characters that complete what a rule matches. */
const TRIGGERS = ' *_`~=)-';

interface Rule {
  /** Matched against the block's text up to the caret, in which a break or an embed is U+FFFC. */
  readonly match: RegExp;
  readonly fits: (block: PlacedBlock) => boolean;
  /** Changes the document, in which the matched text stands before the caret. Returns whether it did. */
  apply(tr: Transaction, match: RegExpExecArray, block: PlacedBlock): boolean;
}

const inParagraph = ({ node }: PlacedBlock): boolean => node.type.name === 'paragraph';
const inItem = ({ node }: PlacedBlock): boolean => ['paragraph', 'list_item'].includes(node.type.name);
const inLine = ({ node }: PlacedBlock): boolean => ['paragraph', 'heading', 'quote', 'list_item'].includes(node.type.name);
const inText = ({ node }: PlacedBlock): boolean => !isSourceBlock(node) && !isOpaque(node);

/** A sign at the start of a block that says what the block is. */
function blockRule(
  match: RegExp,
  type: string,
  attrs: (match: RegExpExecArray) => Attrs = () => ({}),
  fits: Rule['fits'] = inParagraph,
): Rule {
  return {
    match,
    fits,
    apply(tr, found, block) {
      const nodeType = tr.doc.type.schema.nodes[type];
      if (!nodeType) return false;
      tr.delete(block.pos + 1, block.pos + 1 + found[0].length);
      setBlock(tr, block.pos, nodeType, attrs(found));
      return true;
    },
  };
}

/** Delimiters around a text that say how it looks. The first group of the pattern is the text. */
function markRule(name: string, delimiter: string, match: RegExp): Rule {
  return {
    match,
    fits: inText,
    apply: (tr, found) => wrap(tr, name, true, { opening: delimiter, text: found[1] ?? '', closing: delimiter }),
  };
}

/** Takes the delimiters before the caret away and marks what is between them. */
function wrap(tr: Transaction, name: string, value: unknown, parts: Record<'opening' | 'text' | 'closing', string>): boolean {
  const type = tr.doc.type.schema.marks[name];
  if (!type || parts.text === '') return false;
  const end = tr.selection.from;
  const inner = end - parts.closing.length - parts.text.length;
  const start = inner - parts.opening.length;
  if (end > end - parts.closing.length) tr.delete(end - parts.closing.length, end);
  if (inner > start) tr.delete(start, inner);
  tr.addMark(start, start + parts.text.length, type.create({ value }));
  tr.removeStoredMark(type);
  return true;
}

/** A text between delimiters, without space at its ends and without the delimiter's sign in it. */
function delimited(delimiter: string, sign: string, before: string): RegExp {
  const edge = String.raw`[^\s${sign}\uFFFC]`;
  const delimiters = delimiter.replace(/[*]/gu, String.raw`\*`);
  return new RegExp(String.raw`(?:^|${before})${delimiters}(${edge}(?:[^${sign}\uFFFC]*${edge})?)${delimiters}$`, 'u');
}

/** What may stand before an underscore that is no part of a word. */
const WORD_START = String.raw`[\s(\["'\u2018\u201C\uFFFC\-\u2013\u2014/>]`;

const FENCE: Rule = blockRule(/^```([\w+#.-]{0,40}) $/u, 'code_block', (found) => ({ lang: found[1] || null }));

const DIVIDER: Rule = {
  match: /^(?:---|\*\*\*|___)$/u,
  fits: inParagraph,
  apply(tr, found, { node, pos }) {
    const { divider } = tr.doc.type.schema.nodes;
    if (!divider || node.content.size !== found[0].length) return false;
    tr.delete(pos + 1, pos + 1 + found[0].length);
    tr.insert(pos, divider.create(placeAttrs(node)));
    return true;
  },
};

const LINK: Rule = {
  match: /(?:^|[^!\\])\[([^[\]\uFFFC]+)\]\(([^()\s\uFFFC]+(?:\([^()\s\uFFFC]*\)[^()\s\uFFFC]*)?)\)$/u,
  fits: inText,
  apply(tr, [, text = '', target = '']) {
    const href = safeHref(target);
    return href !== null && wrap(tr, 'link', href, { opening: '[', text, closing: `](${target})` });
  },
};

/** A web address and a space behind it. */
const ADDRESS: Rule = {
  match: /(?:^|[\s(])(https?:\/\/[^\s\uFFFC]*[^\s\uFFFC.,;:!?'")\]]) $/u,
  fits: inText,
  apply(tr, [, address = '']) {
    const { link } = tr.doc.type.schema.marks;
    const [start, end] = [tr.selection.from - address.length - 1, tr.selection.from - 1];
    if (!link || webAddress(address) === null || tr.doc.rangeHasMark(start, end, link)) return false;
    tr.addMark(start, end, link.create({ value: address }));
    return true;
  },
};

const RULES: readonly Rule[] = [
  blockRule(/^(#{1,6}) $/u, 'heading', (found) => ({ level: found[1]?.length ?? 1 }), inLine),
  blockRule(/^[-*+] $/u, 'list_item', () => ({ kind: 'bullet' })),
  blockRule(/^(\d{1,9})[.)] $/u, 'list_item', (found) => {
    const start = Number(found[1]);
    return { kind: 'ordered', start: start === 1 ? null : start };
  }),
  blockRule(
    /^\[([ xX]?)\] $/u,
    'list_item',
    (found) => ({ kind: 'task', checked: found[1]?.toLowerCase() === 'x' ? true : null }),
    inItem,
  ),
  blockRule(/^> $/u, 'quote'),
  FENCE,
  DIVIDER,
  markRule('bold', '**', delimited('**', '*', String.raw`[^*\\]`)),
  markRule('bold', '__', delimited('__', '_', WORD_START)),
  markRule('italic', '*', delimited('*', '*', String.raw`[^*\\]`)),
  markRule('italic', '_', delimited('_', '_', WORD_START)),
  markRule('code', '`', /(?:^|[^`\\])`([^`\uFFFC]+)`$/u),
  markRule('strike', '~~', delimited('~~', '~', '[^~]')),
  markRule('highlight', '==', delimited('==', '=', '[^=]')),
  LINK,
  ADDRESS,
];

/** The change that a rule made last, while nothing came after it. */
const key = new PluginKey<Transaction | null>('rules');

/** Applies the first rule that fits the text before the caret, as a step of its own. */
function applyRules(view: EditorView, endStep: () => void): boolean {
  const { state } = view;
  const block = caretBlock(state.selection);
  const { code } = state.schema.marks;
  if (!block || isSourceBlock(block.node)) return false;
  const { from, $from } = state.selection;
  const text = block.node.textBetween(Math.max(0, $from.parentOffset - LOOK_BACK), $from.parentOffset, undefined, '\uFFFC');
  for (const rule of RULES) {
    const match = rule.fits(block) ? rule.match.exec(text) : null;
    if (!match || (code && state.doc.rangeHasMark(from - match[0].length, from, code))) continue;
    const { tr } = state;
    if (!rule.apply(tr, match, block)) continue;
    dispatchRule(tr, (change) => view.dispatch(change), endStep);
    return true;
  }
  return false;
}

function dispatchRule(tr: Transaction, dispatch: (tr: Transaction) => void, endStep: () => void): void {
  endStep();
  dispatch(tr.setMeta(key, tr).scrollIntoView());
  endStep();
}

/** Takes back what a rule has just made of the text; the text as typed stays. */
export const undoRule: Command = (state, dispatch) => {
  const rule = key.getState(state);
  if (!rule) return false;
  if (dispatch) {
    const { tr } = state;
    for (let index = rule.steps.length - 1; index >= 0; index -= 1) {
      const [step, doc] = [rule.steps[index], rule.docs[index]];
      if (step && doc) tr.step(step.invert(doc));
    }
    dispatch(tr.scrollIntoView());
  }
  return true;
};

/** Enter behind ```` ```lang ````: the paragraph becomes code. */
export function enterFence(endStep: () => void): Command {
  return (state: EditorState, dispatch) => {
    const block = caretBlock(state.selection);
    if (!block || !inParagraph(block) || state.selection.$from.parentOffset < block.node.content.size) return false;
    const match = /^```([\w+#.-]{0,40})$/u.exec(block.node.textContent);
    const { tr } = state;
    if (!match || !FENCE.apply(tr, match, block)) return false;
    if (dispatch) dispatchRule(tr, dispatch, endStep);
    return true;
  };
}

/** The rules as a plugin. `endStep` ends the running step of undo. */
export function rules(endStep: () => void): Plugin {
  return new Plugin<Transaction | null>({
    key,
    state: {
      init: () => null,
      apply(tr, last) {
        const made: unknown = tr.getMeta(key);
        if (made) return tr;
        return tr.docChanged || tr.selectionSet ? null : last;
      },
    },
    props: {
      handleTextInput(view, _from, _to, text, insert) {
        if (view.composing || !TRIGGERS.includes(text.slice(-1))) return false;
        view.dispatch(insert().scrollIntoView());
        applyRules(view, endStep);
        return true;
      },
      handleDOMEvents: {
        // What an input method wrote is in the document only after the event.
        compositionend(view) {
          setTimeout(() => {
            if (!view.isDestroyed && TRIGGERS.includes(lastCharacter(view.state))) applyRules(view, endStep);
          });
          return false;
        },
      },
    },
  });
}

function lastCharacter({ selection: { $from } }: EditorState): string {
  if ($from.depth === 0 || $from.parentOffset === 0) return '\n';
  return $from.parent.textBetween($from.parentOffset - 1, $from.parentOffset, undefined, '\uFFFC');
}
