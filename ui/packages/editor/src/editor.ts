/** An editor on a followed document: opening, following, saving, closing. */
import { type Acknowledged, Outbox, type SaveState } from './host/outbox';
import { type Clock, systemClock } from './host/clock';
import type { DocumentPiece, DocumentSource } from './host/source';
import { EditorState, Plugin, TextSelection } from 'prosemirror-state';
import { documentOf, readBlocks, type Block } from './format/read';
import { loadDocument, readInSlices } from './host/load';
import { Binding } from './binding/binding';
import { EditorView } from 'prosemirror-view';
import { Inbox } from './host/inbox';
import { LoroDoc } from 'loro-crdt';
import { Fragment, type Node, Slice } from 'prosemirror-model';
import { ReplaceStep } from 'prosemirror-transform';
import { configure } from './format/document';
import { type Rebased, rebase } from './host/rebase';
import { schema } from './schema';

/** What an editor is doing. */
export type EditorStatus =
  /** It is being filled and cannot be edited yet; `progress` goes from 0 to 1. */
  { readonly kind: 'opening'; readonly progress: number } | SaveState;

/** What went wrong. */
export type EditorFailure =
  /** The source could not be followed. */
  | 'source'
  /** A piece from the source could not be read, or a change could not be written and was taken back. */
  | 'document'
  /** The document can be neither read nor written; only a new snapshot helps. */
  | 'broken';

/** Takes back and does again what this user did. */
export interface UndoCommands {
  /** False if there is nothing to take back. */
  undo(): boolean;
  /** False if there is nothing to do again. */
  redo(): boolean;
  /** The next change will be taken back by itself. */
  endStep(): void;
}

export interface EditorOptions {
  /** Where the view is put. */
  readonly element: HTMLElement;
  readonly source: DocumentSource;
  /** What makes the view an editor: keys, menus, node views. */
  plugins?(commands: UndoCommands): readonly Plugin[];
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Called when {@link Editor.status} has changed. */
  onState?(status: EditorStatus): void;
  /** Called with what is shown, once it is opened and whenever it has changed since, from wherever. */
  onDocument?(shown: Node): void;
  onError?(error: unknown, failure: EditorFailure): void;
}

export interface Editor extends UndoCommands {
  readonly view: EditorView;
  /** `opening`, `saved`, `saving` or `not_saved`. */
  readonly state: EditorStatus['kind'];
  readonly status: EditorStatus;
  /** What the disk has; null before the first save. */
  readonly lastAcknowledged: Acknowledged | null;
  /** The page as text that the disk has, a line for each block; null before the first save. */
  savedText(): string | null;
  /** Resolves once the document is shown and can be edited, or the editor was closed before. */
  readonly opened: Promise<void>;
  /** Resolves once all that has been typed so far is durable. */
  whenSaved(): Promise<void>;
  /** The id of the block around or after a position, or null where it has none yet. */
  blockId(position: number): string | null;
  /** Where a block begins, or null if it is not shown. */
  positionOf(id: string): number | null;
  /** Lets the page be edited, or only be read. It may be said at any time; before the page is open it costs nothing. */
  setEditable(editable: boolean): void;
  focus(): void;
  /** Saves, then closes. Rejects and stays open if the disk refuses; with `discard` it closes nevertheless. */
  destroy(options?: { readonly discard?: boolean }): Promise<void>;
}

/** Opens an editor. It is filled as the source's snapshot comes. */
export function openEditor(options: EditorOptions): Editor {
  return new OpenEditor(options);
}

class OpenEditor implements Editor {
  readonly view: EditorView;
  readonly opened: Promise<void>;
  readonly #options: EditorOptions;
  readonly #clock: Clock;
  readonly #inbox: Inbox;
  readonly #pieces: DocumentPiece[] = [];
  #resolveOpened: () => void = () => undefined;
  #binding: Binding | null = null;
  #outbox: Outbox | null = null;
  #status: EditorStatus = { kind: 'opening', progress: 0 };
  #pumping = false;
  #editable = true;
  #closed = false;
  #unfollow: () => void = () => undefined;

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
    const plugins = options.plugins?.({
      undo: () => this.undo(),
      redo: () => this.redo(),
      endStep: () => this.endStep(),
    });
    this.view = new EditorView(options.element, {
      state: EditorState.create({ schema, plugins: [...(plugins ?? []), this.#watcher()] }),
      // While it is being filled, changes are not taken. It counts as editable all the same: to switch that over later
      // would lay out a big page anew, and hold the window for as long.
      editable: () => this.#editable && this.#binding?.writable !== false,
      attributes: (): Record<string, string> => (this.#binding === null ? { 'aria-busy': 'true' } : {}),
      dispatchTransaction: (tr) => {
        if (!tr.docChanged) this.view.updateState(this.view.state.apply(tr));
      },
    });
    this.#inbox = new Inbox(this.view, this.#clock, (updates) => this.#binding?.import(updates));
    options.source
      .follow((piece) => this.#take(piece))
      .then(
        (unfollow) => (this.#closed ? unfollow() : this.#follows(unfollow)),
        (error: unknown) => this.#fail(error, 'source'),
      );
  }

  get status(): EditorStatus {
    return this.#status;
  }

  get state(): EditorStatus['kind'] {
    return this.#status.kind;
  }

  get lastAcknowledged(): Acknowledged | null {
    return this.#outbox?.lastAcknowledged ?? null;
  }

  savedText(): string | null {
    const frontiers = this.lastAcknowledged?.frontiers;
    if (frontiers === undefined || this.#binding === null) return null;
    const page = documentOf(schema, readBlocks(schema, configure(this.#binding.doc.forkAt(frontiers))));
    return page.children.map((block) => block.textContent).join('\n');
  }

  whenSaved(): Promise<void> {
    return this.opened.then(() => this.#outbox?.whenSaved());
  }

  undo(): boolean {
    return this.#binding?.undo() ?? false;
  }

  redo(): boolean {
    return this.#binding?.redo() ?? false;
  }

  endStep(): void {
    this.#binding?.endUndoGroup();
  }

  blockId(position: number): string | null {
    return this.#binding?.blockId(position) ?? null;
  }

  positionOf(id: string): number | null {
    return this.#binding?.positionOf(id) ?? null;
  }

  setEditable(editable: boolean): void {
    if (editable === this.#editable || this.#closed) return;
    this.#editable = editable;
    this.view.setProps({});
  }

  focus(): void {
    this.view.focus();
  }

  async destroy({ discard = false }: { readonly discard?: boolean } = {}): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#outbox?.flush();
    } catch (error) {
      if (!discard) throw error;
    }
    this.#closed = true;
    this.#unfollow();
    this.#inbox.destroy();
    this.#outbox?.destroy();
    this.#binding?.destroy();
    this.view.destroy();
    this.#resolveOpened();
  }

  #watcher(): Plugin {
    const update = ({ state: { doc } }: EditorView, before: EditorState): void => {
      if (doc !== before.doc && this.#binding !== null) this.#options.onDocument?.(doc);
    };
    return new Plugin({ view: () => ({ update }) });
  }

  #follows(unfollow: () => void): void {
    this.#unfollow = unfollow;
  }

  #take(piece: DocumentPiece): void {
    if (this.#closed) return;
    this.#pieces.push(piece);
    if (!this.#pumping) void this.#pump();
  }

  /** Takes pieces in order. While a snapshot is being opened, the others wait. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let piece = this.#pieces.shift(); piece !== undefined && !this.#closed; piece = this.#pieces.shift()) {
      try {
        if (piece.kind === 'update') this.#inbox.receive(piece.bytes);
        else if (this.#binding === null) await this.#open(piece.bytes, piece.peer);
        else await this.#replace(this.#binding, piece.bytes, piece.peer);
      } catch (error) {
        this.#fail(error, 'document');
      }
    }
    this.#pumping = false;
  }

  async #open(bytes: Uint8Array, peer: bigint): Promise<void> {
    const doc = await loadDocument(bytes, peer, this.#clock);
    const all: Block[] = [];
    let waiting: Node[] = [];
    let shown = 0;
    await readInSlices(schema, doc, this.#clock, (blocks, progress) => {
      if (this.#closed) return;
      for (const block of blocks) {
        all.push(block);
        if (block.node !== null) waiting.push(block.node);
      }
      // Each time the view goes over all it shows, so blocks are added many at a time.
      if (waiting.length >= 64 || progress === 1) {
        this.#append(waiting, shown > 0);
        shown += waiting.length;
        waiting = [];
      }
      if (progress < 1) this.#report({ kind: 'opening', progress });
    });
    await this.#clock.pause();
    if (this.#closed) return;
    this.#outbox = new Outbox(doc, this.#options.source, this.#clock, (state) => this.#report(state));
    this.#binding = new Binding(this.view, doc, {
      blocks: all,
      now: () => this.#clock.now(),
      onError: (error, fatal) => this.#fail(error, fatal ? 'broken' : 'document'),
    });
    // It can be edited from now on.
    this.view.setProps({});
    this.#report({ kind: 'saved' });
    this.#options.onDocument?.(this.view.state.doc);
    this.#resolveOpened();
  }

  /** Adds blocks at the end while the view cannot be edited; without `after` in the place of the first empty paragraph. */
  #append(nodes: readonly Node[], after: boolean): void {
    if (nodes.length === 0) return;
    const { tr } = this.view.state;
    const end = tr.doc.content.size;
    tr.step(new ReplaceStep(after ? end : 0, end, new Slice(Fragment.fromArray([...nodes]), 0, 0)));
    if (!after) tr.setSelection(TextSelection.atStart(tr.doc));
    this.view.updateState(this.view.state.apply(tr.setMeta('addToHistory', false)));
  }

  async #replace(binding: Binding, bytes: Uint8Array, peer: bigint): Promise<void> {
    const outbox = this.#outbox;
    if (outbox === null) return;
    const doc = await loadDocument(bytes, peer, this.#clock);
    const theirs: Block[] = [];
    await readInSlices(schema, doc, this.#clock, (blocks) => theirs.push(...blocks));
    await outbox.hold();
    if (this.#closed) return;
    const old = binding.doc;
    const mine = this.view.state;
    const made = old.oplogVersion().get(old.peerIdStr) ?? 0;
    const kept = Math.max(outbox.saved, doc.oplogVersion().get(old.peerIdStr) ?? 0);
    const wanted = made > kept ? this.#carryOver(old, kept, theirs) : null;
    this.#inbox.clear();
    const saved = doc.oplogVersion().get(doc.peerIdStr) ?? 0;
    binding.replace(doc, theirs);
    if (wanted !== null) this.#makeAnew(wanted, mine);
    outbox.reset(doc, saved);
  }

  /** The new page with what the disk did not have of the old one. */
  #carryOver(old: LoroDoc, kept: number, theirs: readonly Block[]): Rebased {
    const spans = [...old.oplogVersion().toJSON()].map(([peer, count]) => ({
      id: { peer, counter: 0 },
      len: peer === old.peerIdStr ? kept : count,
    }));
    const known = configure(new LoroDoc());
    known.import(old.export({ mode: 'updates-in-range', spans: spans.filter(({ len }) => len > 0) }));
    const base = readBlocks(schema, known);
    return rebase(schema, base, readBlocks(schema, old), theirs);
  }

  #makeAnew(wanted: Rebased, before: EditorState): void {
    const { tr } = this.view.state;
    for (const step of wanted.steps) tr.maybeStep(step);
    const at = (position: number): ReturnType<typeof tr.doc.resolve> => tr.doc.resolve(wanted.mapping.map(position));
    tr.setSelection(TextSelection.between(at(before.selection.anchor), at(before.selection.head)));
    this.view.dispatch(tr);
  }

  #report(status: EditorStatus): void {
    this.#status = status;
    this.#options.onState?.(status);
  }

  #fail(error: unknown, failure: EditorFailure): void {
    this.#options.onError?.(error, failure);
    // It cannot be edited any more.
    if (failure === 'broken' && !this.#closed) this.view.setProps({});
  }
}
