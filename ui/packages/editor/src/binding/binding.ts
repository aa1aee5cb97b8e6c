/**
 * Holds a ProseMirror view and a rich text in a Loro document together.
 *
 * Both always say the same: a user's transaction is written to Loro before the view shows it, and what is imported into
 * Loro is applied to the view at once. Nothing but a user's own transaction, undo and redo ever writes.
 */
import { type Block, documentOf, readBlocks } from '../format/read';
import { type Caret, History } from '../undo/history';
import { type Edit, Recorder } from '../undo/recorder';
import type { LoroDoc, LoroEventBatch } from 'loro-crdt';
import { Outline, type Row, rowOf } from './outline';
import { RemoteReader } from './remote';
import type { Delta } from '../undo/delta';
import { type EditorState, PluginKey, TextSelection, type Transaction } from 'prosemirror-state';
import { asJson, changesOf, configure, textOf } from '../format/document';
import { Changes } from '../format/attributes';
import type { EditorView } from 'prosemirror-view';
import { LocalWriter } from './local';
import type { Schema } from 'prosemirror-model';
import { reconcile } from './reconcile';

/** Marks the transactions that show what is in Loro already. */
const REMOTE = new PluginKey('tombolo-remote');

/** Whether a transaction only shows what came from elsewhere or from undo; plugins must not answer it with edits. */
export const isRemote = (tr: Transaction): boolean => tr.getMeta(REMOTE) === true;

/** Changes of one import that are followed one by one; beyond that the document is read anew. */
const MOST_CHANGES = 1000;

export interface BindingOptions {
  /** The blocks of the document, where they were read already. */
  readonly blocks?: readonly Block[];
  /** Milliseconds, for grouping what is undone together. */
  readonly now?: () => number;
  /**
   * Something could not be written or followed. What the user did is then taken back as a whole and the view shows what
   * Loro holds. With `fatal` Loro cannot even be read; nothing more is written until the document is replaced.
   */
  readonly onError?: (error: unknown, fatal: boolean) => void;
}

export class Binding {
  readonly #view: EditorView;
  readonly #schema: Schema;
  readonly #onError: (error: unknown, fatal: boolean) => void;
  #doc: LoroDoc;
  #changes: Changes;
  #outline: Outline;
  readonly #history: History;
  #unsubscribe: () => void;
  /** This binding is the one who writes: Loro's events tell nothing new. */
  #busy = false;
  #broken = false;
  /** The changes that come are those of undo or redo, which the history knows. */
  #traveling = false;
  /** Shows what several imports change, once they are done. */
  #gathered: Transaction | null = null;

  /** Takes over the view's transactions and makes it show the document. */
  constructor(view: EditorView, doc: LoroDoc, options: BindingOptions = {}) {
    this.#view = view;
    this.#schema = view.state.schema;
    this.#onError = options.onError ?? (() => undefined);
    this.#doc = configure(doc);
    this.#changes = new Changes(changesOf(doc));
    const blocks = options.blocks ?? readBlocks(this.#schema, doc, this.#changes);
    this.#outline = new Outline(blocks.map(rowOf));
    this.#history = new History(options.now ?? (() => performance.now()));
    this.#unsubscribe = this.#subscribe();
    view.setProps({ dispatchTransaction: (tr) => this.dispatch(tr) });
    const { tr } = view.state;
    reconcile(
      tr,
      view.state.doc.children.map(() => null),
      this.#schema,
      blocks,
    );
    this.#show(tr);
  }

  get doc(): LoroDoc {
    return this.#doc;
  }

  /** What is known of each block, hidden ones included, in order. */
  get rows(): readonly Row[] {
    return this.#outline.rows;
  }

  /** Whether it can be written into; not after Loro failed so that it cannot even be read. */
  get writable(): boolean {
    return !this.#broken;
  }

  /** Applies a transaction to the view, after writing what it says to Loro. */
  dispatch(tr: Transaction): void {
    const before = this.#view.state;
    const applied = before.applyTransaction(tr);
    const local = applied.transactions.filter((each) => each.docChanged && !isRemote(each));
    if (local.length === 0) {
      this.#view.updateState(applied.state);
      return;
    }
    if (this.#broken) {
      this.#onError(new Error('the document cannot be written'), true);
      return;
    }
    if (isRemote(tr)) {
      // A plugin answered what came from elsewhere with an edit of its own. If every peer did that, all would be doubled.
      this.#onError(new Error('a plugin edits in answer to what came from elsewhere'), false);
      this.#reread(applied.state);
      return;
    }
    const odd = this.#write(before, local);
    if (odd === null) return;
    try {
      this.#view.updateState(this.#normalized(applied.state, odd));
    } catch (error) {
      this.#onError(error, false);
      this.#reread(applied.state);
    }
  }

  /** Imports updates and shows all of them at once. One that cannot be read is reported; the others count. */
  import(updates: readonly Uint8Array[]): void {
    this.#gathered = remoteTransaction(this.#view.state);
    if (!this.#importTogether(updates)) {
      for (const update of updates) {
        try {
          this.#doc.import(update);
        } catch (error) {
          this.#onError(error, false);
        }
      }
    }
    const tr = this.#gathered;
    this.#gathered = null;
    this.#show(tr);
  }

  /**
   * Imports many updates as one: each import costs Loro about as much, however little is in it.
   * Returns false if one of them cannot be read; then none was imported.
   */
  #importTogether(updates: readonly Uint8Array[]): boolean {
    if (updates.length < 2) return false;
    try {
      this.#doc.importBatch([...updates]);
      return true;
    } catch {
      return false;
    }
  }

  /** Takes back the user's last group of changes. Returns false if there is none. */
  undo(): boolean {
    return this.#travel('undo');
  }

  /** Does again what was taken back last. Returns false if there is nothing. */
  redo(): boolean {
    return this.#travel('redo');
  }

  /** Ends the running group of changes, so that the next one is taken back by itself. */
  endUndoGroup(): void {
    this.#history.endGroup();
  }

  get canUndo(): boolean {
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    return this.#history.canRedo;
  }

  /**
   * Continues with another document in the same view, changing what differs. The history of the old one is gone.
   * `blocks` are those of the new document, where they were read already.
   */
  replace(doc: LoroDoc, blocks?: readonly Block[]): void {
    this.#unsubscribe();
    this.#history.clear();
    this.#doc = configure(doc);
    this.#unsubscribe = this.#subscribe();
    this.#broken = false;
    this.#reread(this.#view.state, blocks);
  }

  /** The id of the block around or after a position, or null where it has none yet. */
  blockId(position: number): string | null {
    if (this.#outline.virtual) return null;
    const { row, between } = this.#outline.locateNode(position);
    return this.#outline.rows[between ? this.#outline.nextShown(row + 1) : row]?.id ?? null;
  }

  /** Where a block's node begins, or null if it is not shown. */
  positionOf(id: string): number | null {
    const index = this.#outline.find((other) => other === id).find((row) => this.#outline.at(row).shown);
    return index === undefined ? null : this.#outline.nodeStart(index);
  }

  /** Lets go of both; the view shows the document from then on without following or writing it. */
  destroy(): void {
    this.#unsubscribe();
    this.#history.clear();
    this.#broken = true;
  }

  #subscribe(): () => void {
    return this.#doc.subscribe((batch) => {
      if (!this.#busy) this.#follow(batch);
    });
  }

  /** Writes transactions as one commit. Returns the blocks to be read again, or null if it failed and was taken back. */
  #write(before: EditorState, transactions: readonly Transaction[]): ReadonlySet<Row> | null {
    const frontiers = this.#doc.frontiers();
    this.#busy = true;
    try {
      const caret = this.#caret(before);
      const writer = new LocalWriter(this.#doc, this.#schema, this.#outline, this.#changes);
      for (const tr of transactions) writer.write(tr);
      writer.finish();
      this.#doc.commit({ origin: 'editor' });
      this.#history.record(writer.inverse, caret);
      return writer.odd;
    } catch (error) {
      this.#takeBack(frontiers, error);
      return null;
    } finally {
      this.#busy = false;
    }
  }

  /** The state with these blocks in the shape that reading gives them. */
  #normalized(state: EditorState, odd: ReadonlySet<Row>): EditorState {
    if (odd.size === 0) return state;
    const tr = remoteTransaction(state);
    const reader = new RemoteReader(this.#schema, this.#outline, this.#changes, tr);
    for (const row of odd) reader.mark(row);
    reader.settle(textOf(this.#doc));
    return tr.docChanged ? state.apply(keepStoredMarks(tr, state)) : state;
  }

  #takeBack(frontiers: ReturnType<LoroDoc['frontiers']>, error: unknown): void {
    try {
      this.#doc.commit();
      this.#doc.revertTo(frontiers);
      this.#doc.commit();
    } catch (second) {
      // What was written stays; the view will show it. What was done before can no longer be found in it.
      this.#history.clear();
      this.#onError(second, false);
    }
    this.#onError(error, false);
    this.#reread(this.#view.state);
  }

  /** Reads the whole document and brings the view to it. */
  #reread(state: EditorState, read?: readonly Block[]): void {
    try {
      const ids = this.#outline.virtual ? [null] : this.#outline.rows.filter((row) => row.shown).map((row) => row.id);
      // After a failure the outline may be anything; then no block is taken for another.
      const known = ids.length === state.doc.childCount;
      const caret = known ? this.#blockCaret(state) : null;
      this.#changes = new Changes(changesOf(this.#doc));
      const blocks = read ?? readBlocks(this.#schema, this.#doc, this.#changes);
      const tr = remoteTransaction(state);
      reconcile(tr, known ? ids : state.doc.children.map(() => null), this.#schema, blocks);
      if (!tr.doc.eq(documentOf(this.#schema, blocks))) throw new Error('the view did not become what was read');
      this.#outline = new Outline(blocks.map(rowOf));
      if (tr.mapping.mapResult(state.selection.head).deleted) this.#restoreBlockCaret(tr, caret);
      this.#view.updateState(state.apply(keepStoredMarks(tr, state)));
    } catch (error) {
      this.#broken = true;
      this.#onError(error, true);
    }
  }

  #follow(batch: LoroEventBatch): void {
    const text = textOf(this.#doc);
    const map = changesOf(this.#doc).id;
    let delta: Delta = [];
    const ids = new Set<string>();
    for (const { target, diff } of batch.events) {
      if (target === text.id && diff.type === 'text') delta = diff.diff as Delta;
      else if (target === map && diff.type === 'map') {
        for (const [key, value] of Object.entries(diff.updated)) {
          ids.add(this.#changes.set(key, value === undefined ? undefined : asJson(value)));
        }
      }
    }
    if (delta.length === 0 && ids.size === 0) return;
    if (this.#broken) return;
    if (!this.#traveling) this.#history.follow(delta);
    const tr = this.#gathered ?? remoteTransaction(this.#view.state);
    try {
      if (delta.length + ids.size > MOST_CHANGES) return this.#followAnew(tr);
      const reader = new RemoteReader(this.#schema, this.#outline, this.#changes, tr);
      reader.change(ids);
      reader.follow(delta);
      reader.settle(text);
    } catch (error) {
      this.#onError(error, false);
      return this.#followAnew(remoteTransaction(this.#view.state));
    }
    if (this.#gathered === null) this.#show(tr);
  }

  /** Shows what was followed so far and reads the rest with the whole document. */
  #followAnew(tr: Transaction): void {
    this.#show(tr);
    this.#reread(this.#view.state);
    if (this.#gathered !== null) this.#gathered = remoteTransaction(this.#view.state);
  }

  #show(tr: Transaction): void {
    if (tr.docChanged || tr.selectionSet) this.dispatch(keepStoredMarks(tr.setMeta(REMOTE, true), this.#view.state));
  }

  #travel(direction: 'undo' | 'redo'): boolean {
    if (this.#broken) return false;
    const frontiers = this.#doc.frontiers();
    try {
      const caret = this.#history.step(direction, this.#caret(this.#view.state), (edit) => this.#apply(edit));
      if (caret === null) return false;
      this.#traveling = true;
      this.#doc.commit({ origin: direction });
      this.#traveling = false;
      this.#restoreCaret(caret);
      return true;
    } catch (error) {
      this.#busy = true;
      this.#history.clear();
      this.#takeBack(frontiers, error);
      return false;
    } finally {
      this.#busy = false;
      this.#traveling = false;
    }
  }

  #apply(edit: Edit): Edit {
    const recorder = new Recorder(this.#doc);
    recorder.apply(edit);
    return recorder.inverse;
  }

  /** The selection as places in Loro's text. */
  #caret({ selection }: EditorState): Caret {
    const place = (position: number): number =>
      this.#outline.virtual ? this.#outline.length : this.#outline.position(this.#outline.locateNode(position));
    return [place(selection.anchor), place(selection.head)];
  }

  #restoreCaret(caret: Caret): void {
    const { tr } = this.#view.state;
    const [anchor, head] = caret.map((position) => {
      const { row, offset } = this.#outline.locate(position);
      const shown = this.#outline.rows[row]?.shown === true;
      const at = shown ? this.#outline.nodeStart(row) + 1 + offset : this.#outline.nodeStart(Math.max(0, row));
      return tr.doc.resolve(Math.min(at, tr.doc.content.size));
    });
    if (anchor !== undefined && head !== undefined) tr.setSelection(TextSelection.between(anchor, head));
    this.#view.dispatch(tr.scrollIntoView());
  }

  #blockCaret({ selection }: EditorState): { id: string; offset: number } | null {
    const id = this.blockId(selection.head);
    return id === null ? null : { id, offset: selection.$head.parentOffset };
  }

  #restoreBlockCaret(tr: Transaction, caret: { id: string; offset: number } | null): void {
    const at = caret === null ? null : this.positionOf(caret.id);
    const block = at === null ? null : tr.doc.nodeAt(at);
    if (caret === null || at === null || block === null) return;
    tr.setSelection(TextSelection.create(tr.doc, at + 1 + Math.min(caret.offset, block.content.size)));
  }
}

const remoteTransaction = (state: EditorState): Transaction =>
  state.tr.setMeta(REMOTE, true).setMeta('addToHistory', false);

/** A mark that was switched on for what is typed next stays on, whatever came from elsewhere. */
const keepStoredMarks = (tr: Transaction, state: EditorState): Transaction =>
  state.storedMarks === null ? tr : tr.setStoredMarks(state.storedMarks);
