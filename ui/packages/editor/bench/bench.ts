/**
 * What a big page costs: opening it in slices, a key, a split, a change from elsewhere. `npm run bench -w @tombolo/editor`
 *
 * The view is a real one, but its document is a slow imitation in which finding a sibling takes longer the more there
 * are. So what is spent in the view is counted apart: the first figure is without it, `with view` says it all. All figures are processor time.
 */
import type { DocumentPiece } from '../src/host/source';
import { configure } from '../src/format/document';
import { openEditor } from '../src/editor';
import { systemClock } from '../src/host/clock';
import { LoroDoc } from 'loro-crdt';
import type { EditorState } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';

const BLOCKS = 5000;
const TEXT = 'lorem ipsum dolor sit amet consectetur adipiscing elit sed do '.repeat(4).slice(0, 199);

const report = (line: string): void => void process.stdout.write(`${line}\n`);

/** Processor time of this process, in milliseconds: other work on the machine does not count. */
function now(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** How long the view's document has taken so far. */
let inView = 0;

const updateState = Reflect.get(EditorView.prototype, 'updateState') as (this: EditorView, state: EditorState) => void;
EditorView.prototype.updateState = function timed(state) {
  const from = now();
  updateState.call(this, state);
  inView += now() - from;
};

interface Time {
  /** Without the view. */
  readonly own: number;
  readonly all: number;
}

/** Starts a measurement; the returned function ends it. */
function start(): () => Time {
  const [from, view] = [now(), inView];
  return () => {
    const all = now() - from;
    return { own: all - (inView - view), all };
  };
}

function figures(name: string, times: readonly Time[]): void {
  const list = (key: keyof Time): string => {
    const sorted = times.map((time) => time[key]).toSorted((a, b) => a - b);
    const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(2);
    return `p50 ${at(0.5)}  p95 ${at(0.95)}  max ${at(1)}`;
  };
  report(`${name.padEnd(40)} ${list('own')} ms; with view ${list('all')} ms  (${times.length})`);
}

function measure(count: number, run: (index: number) => void): Time[] {
  return Array.from({ length: count }, (_, index) => {
    const end = start();
    run(index);
    return end();
  });
}

/** A page of a megabyte; every other block has something bold in it. */
function bigPage(peer: bigint): LoroDoc {
  const doc = configure(new LoroDoc());
  doc.setPeerId(peer);
  const text = doc.getText('text');
  text.insert(0, `\n${TEXT}`.repeat(BLOCKS));
  for (let i = 0; i < BLOCKS; i++) {
    const at = i * (TEXT.length + 1);
    text.mark({ start: at, end: at + 1 }, 'b', { id: `block${i}`, ...(i % 10 === 0 && { t: 'heading', level: 2 }) });
    if (i % 2 === 0) text.mark({ start: at + 20, end: at + 40 }, 'bold', true);
  }
  doc.commit();
  return doc;
}

export async function bench(): Promise<void> {
  const store = bigPage(1n);
  const other = configure(new LoroDoc());
  other.setPeerId(3n);
  const snapshot = store.export({ mode: 'snapshot' });
  other.import(snapshot);
  report(`a page of ${BLOCKS} blocks, ${store.getText('text').length} characters; snapshot ${snapshot.length} bytes`);

  // Each slice ends with a pause; what lies between two pauses is one task.
  const tasks: Time[] = [];
  let task = start();
  const clock = {
    ...systemClock,
    frame(callback: () => void) {
      callback();
      return () => undefined;
    },
    async pause() {
      tasks.push(task());
      await systemClock.pause();
      task = start();
    },
  };
  const listeners: ((piece: DocumentPiece) => void)[] = [];
  const opening = start();
  const editor = openEditor({
    element: document.createElement('div'),
    clock,
    source: {
      follow(each) {
        listeners.push(each);
        each({ kind: 'snapshot', peer: 2n, bytes: snapshot });
        return Promise.resolve(() => undefined);
      },
      push(update) {
        other.import(update);
        return Promise.resolve({ commit: null, seq: 0 });
      },
    },
    onError: (error) => report(String(error)),
  });
  await editor.opened;
  tasks.push(task());
  const { own, all } = opening();
  report(`open: ${own.toFixed(0)} ms, with view ${all.toFixed(0)} ms, in ${tasks.length} tasks`);
  figures('tasks while it opens', tasks);

  const { view } = editor;
  keys(view);
  const typing = measure(1000, () => view.dispatch(view.state.tr.insertText('a', textAt(view, 0.7))));
  figures('key, in the middle', typing);
  figures(
    'key, anywhere',
    measure(1000, (i) => view.dispatch(view.state.tr.insertText('a', textAt(view, ((i * 7919) % 997) / 1000)))),
  );
  figures(
    'split',
    measure(200, (i) => view.dispatch(view.state.tr.split(textAt(view, ((i * 7919) % 997) / 1000)))),
  );
  const undoable = (i: number): void => {
    editor.endStep();
    view.dispatch(view.state.tr.insertText('a', textAt(view, ((i * 7919) % 997) / 1000)));
  };
  for (let i = 0; i < 50; i++) undoable(i);
  figures(
    'undo of a key',
    measure(50, () => void editor.undo()),
  );
  await editor.whenSaved();

  const text = other.getText('text');
  const updates: Time[] = [];
  const send = (change: () => void): Uint8Array => {
    const from = other.version();
    change();
    other.commit();
    return other.export({ mode: 'update', from });
  };
  for (let i = 0; i < 200; i++) {
    const bytes = send(() => text.insert((i * 4999) % 900_000, 'b'));
    const end = start();
    for (const listener of listeners) listener({ kind: 'update', bytes });
    updates.push(end());
  }
  figures('a key from elsewhere', updates);
  const many = send(() => {
    for (let i = 0; i < 900; i++) text.insert((i * 4999) % 900_000, 'b');
  });
  const end = start();
  for (const listener of listeners) listener({ kind: 'update', bytes: many });
  figures('900 keys from elsewhere at once', [end()]);
}

/** What ProseMirror takes for a key by itself. */
function keys(view: EditorView): void {
  let { state } = view;
  figures(
    'a key in ProseMirror alone, without a view',
    measure(500, () => {
      state = state.apply(state.tr.insertText('a', textAt(view, 0.7)));
    }),
  );
}

function textAt(view: EditorView, part: number): number {
  const { doc } = view.state;
  const place = doc.resolve(Math.floor(doc.content.size * part));
  return place.parent.isTextblock ? place.pos : place.pos + 1;
}
