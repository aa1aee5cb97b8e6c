/** Copy, cut, paste and drop. */
import { Fragment, type Node, type ResolvedPos, Slice } from 'prosemirror-model';
import { Plugin, TextSelection } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { blockAt, DEEPEST_INDENT, indentOf, isSourceBlock } from '../blocks';
import { isAddress, webAddress } from '../links';
import type { Editing } from '../options';
import { ClipboardParser, withoutStyleSheets } from './read-html';
import { looksLikeMarkdown, readLines, readMarkdown } from './read-text';
import { ClipboardSerializer } from './write-html';
import { toMarkdown, toPlainText } from './write-text';

/** The most that is taken in one paste, in UTF-16 units of its HTML or its text. */
export const PASTE_MAX = 1_000_000;

/** Puts the selection on the clipboard: as HTML, as text to read, and as Markdown. */
function copy(view: EditorView, event: Event): boolean {
  const data = event instanceof ClipboardEvent ? event.clipboardData : null;
  if (!data || view.state.selection.empty) return false;
  const slice = view.state.selection.content();
  data.clearData();
  data.setData('text/html', view.serializeForClipboard(slice).dom.innerHTML);
  data.setData('text/plain', toPlainText(slice));
  data.setData('text/markdown', toMarkdown(slice));
  event.preventDefault();
  return true;
}

function cut(view: EditorView, event: Event): boolean {
  if (!copy(view, event)) return false;
  if (view.editable) view.dispatch(view.state.tr.deleteSelection().scrollIntoView().setMeta('uiEvent', 'cut'));
  return true;
}

/** Refuses what is too large before anything reads it, and gives files to the app. A paste is taken back by itself. */
function receive({ endStep, onError, onFiles, texts }: Editing) {
  return (view: EditorView, event: Event): boolean => {
    const data = transferOf(event);
    // What is dragged within the editor is no stranger.
    if (!data || !view.editable || view.dragging) return false;
    const size = Math.max(data.getData('text/html').length, data.getData('text/plain').length);
    if (size > PASTE_MAX) {
      event.preventDefault();
      onError({ code: 'PASTE_TOO_LARGE', message: texts.pasteTooLarge, details: { size, limit: PASTE_MAX } });
      return true;
    }
    endStep?.();
    // Programs put a picture of the text beside it: where there is text, it is meant.
    if (size > 0 || data.files.length === 0 || !onFiles) return false;
    event.preventDefault();
    if (event instanceof DragEvent) {
      const at = view.posAtCoords({ left: event.clientX, top: event.clientY });
      if (at) view.dispatch(view.state.tr.setSelection(TextSelection.near(view.state.doc.resolve(at.pos))));
    }
    onFiles([...data.files]);
    return true;
  };
}

function transferOf(event: Event): DataTransfer | null {
  if (event instanceof ClipboardEvent) return event.clipboardData;
  return event instanceof DragEvent ? event.dataTransfer : null;
}

/** An address pasted over selected text becomes its link; without selected text it is a link of its own. */
function pasteAddress(view: EditorView, event: ClipboardEvent): boolean {
  const text = event.clipboardData?.getData('text/plain').trim() ?? '';
  const { state } = view;
  const { $from, $to, from, to, empty } = state.selection;
  const { link, code } = state.schema.marks;
  if (!link || $from.depth === 0 || !$from.sameParent($to) || isSourceBlock($from.parent) || !isAddress(text)) return false;
  if (code && (empty ? code.isInSet(state.storedMarks ?? $from.marks()) : state.doc.rangeHasMark(from, to, code))) return false;
  const { tr } = state;
  if (empty) tr.insertText(text, from);
  tr.addMark(from, empty ? from + text.length : to, link.create({ value: webAddress(text) }));
  view.dispatch(tr.removeStoredMark(link).scrollIntoView().setMeta('paste', true).setMeta('uiEvent', 'paste'));
  return true;
}

/** New ids for the boxes of copied blocks, so that a copy is no part of the original's box; depth as where it goes. */
function settle(slice: Slice, $at: ResolvedPos): Slice {
  const blocks: Node[] = [];
  slice.content.forEach((node) => blocks.push(node));
  if (blocks.some((node) => !node.isTextblock)) return slice;
  const ids = new Map<unknown, string>();
  const least = Math.min(...blocks.map(indentOf));
  const target = blockAt($at);
  const by = (target ? indentOf(target.node) : 0) - least;
  const settled = blocks.map((node) => {
    const indent = Math.max(0, Math.min(indentOf(node) + by, DEEPEST_INDENT)) || null;
    const boxes: unknown = node.attrs.in;
    const renamed = Array.isArray(boxes) ? boxes.map((id) => rename(ids, id)) : null;
    return node.type.create({ ...node.attrs, indent, in: renamed }, node.content, node.marks);
  });
  return new Slice(Fragment.from(settled), slice.openStart, slice.openEnd);
}

function rename(ids: Map<unknown, string>, id: unknown): string {
  const known = ids.get(id);
  if (known !== undefined) return known;
  const made = newId();
  ids.set(id, made);
  return made;
}

/** Eight random characters of base 32. */
function newId(): string {
  const digits = 'abcdefghijklmnopqrstuvwxyz234567';
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => digits[byte & 31]).join('');
}

/** The clipboard as a plugin. */
export function clipboard(editing: Editing): Plugin {
  const { schema } = editing;
  const take = receive(editing);
  return new Plugin({
    props: {
      clipboardParser: new ClipboardParser(schema),
      clipboardSerializer: new ClipboardSerializer(schema),
      clipboardTextParser: (text, _$context, plain) =>
        !plain && looksLikeMarkdown(text) ? readMarkdown(schema, text) : readLines(schema, text),
      clipboardTextSerializer: toPlainText,
      transformPastedHTML: withoutStyleSheets,
      transformPasted: (slice, view) => settle(slice, view.state.selection.$from),
      handlePaste: pasteAddress,
      handleDOMEvents: { copy, cut, paste: take, drop: take },
    },
  });
}
