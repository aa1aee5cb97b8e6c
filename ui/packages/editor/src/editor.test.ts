import { TestClock, TestSource, settled } from './host/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Editor, type EditorStatus, openEditor } from './editor';
import { LoroDoc } from 'loro-crdt';
import { TextSelection } from 'prosemirror-state';
import { configure } from './format/document';

interface Opened {
  readonly editor: Editor;
  readonly clock: TestClock;
  readonly source: TestSource;
  readonly states: EditorStatus[];
  readonly errors: [unknown, string][];
  text(): string;
}

const open: Editor[] = [];
afterEach(async () => {
  for (const editor of open.splice(0)) await editor.destroy({ discard: true });
});

function start(source = new TestSource(), clock = new TestClock()): Opened {
  const states: EditorStatus[] = [];
  const errors: [unknown, string][] = [];
  const element = document.createElement('div');
  document.body.append(element);
  const editor = openEditor({
    element,
    source,
    clock,
    onState: (status) => states.push(status),
    onError: (error, failure) => errors.push([error, failure]),
  });
  open.push(editor);
  return { editor, clock, source, states, errors, text: () => lines(editor) };
}

const lines = (editor: Editor): string => editor.view.state.doc.children.map((block) => block.textContent).join('|');

async function ready(opened: Opened): Promise<Opened> {
  await opened.editor.opened;
  return opened;
}

const type = (editor: Editor, text: string, at = editor.view.state.doc.content.size - 1): void =>
  editor.view.dispatch(editor.view.state.tr.insertText(text, at));

describe('opening', () => {
  it('shows the document and lets nobody edit before', async () => {
    const source = new TestSource();
    source.doc.getText('text').insert(0, '\none\ntwo');
    const opened = start(source);
    const { view } = opened.editor;
    expect([opened.editor.state, view.dom.getAttribute('aria-busy')]).toEqual(['opening', 'true']);
    type(opened.editor, 'early');
    expect(opened.text()).toBe('');
    await opened.editor.opened;
    expect([opened.editor.state, view.dom.getAttribute('aria-busy'), opened.text()]).toEqual(['saved', null, 'one|two']);
    expect(opened.errors).toEqual([]);
  });

  it('can be told to be read only', async () => {
    const { editor } = await ready(start());
    editor.setEditable(false);
    expect([editor.view.editable, editor.view.dom.getAttribute('contenteditable')]).toEqual([false, 'false']);
    editor.setEditable(true);
    expect(editor.view.editable).toBe(true);
  });

  it('opens a big document in slices, in order, and gives its progress', async () => {
    const source = new TestSource();
    const wanted = Array.from({ length: 3000 }, (_, index) => `block ${index} 😀`);
    const text = configure(source.doc).getText('text');
    text.insert(0, wanted.map((line) => `\n${line}`).join(''));
    source.doc.commit();
    for (let i = 0, at = 0; i < wanted.length; at += 1 + (wanted[i++]?.length ?? 0)) {
      text.mark({ start: at, end: at + 1 }, 'b', { id: `b${i}`, ...(i % 3 === 0 && { t: 'heading', level: 2 }) });
    }
    const clock = new TestClock();
    clock.cost = 4;
    const opened = start(source, clock);
    await opened.editor.opened;
    expect(opened.text()).toBe(wanted.join('|'));
    expect(opened.editor.view.state.doc.child(3).type.name).toBe('heading');
    expect(clock.pauses).toBeGreaterThan(10);
    const progress = opened.states.flatMap((status) => (status.kind === 'opening' ? [status.progress] : []));
    expect(progress.length).toBeGreaterThan(3);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(opened.editor.blockId(opened.editor.view.state.doc.child(0).nodeSize + 1)).toBe('b1');
  });

  it('reports a snapshot that is none', async () => {
    const source = new TestSource();
    source.snapshot = () => ({ kind: 'snapshot', peer: 1n, bytes: new Uint8Array([1, 2, 3]) });
    const opened = start(source);
    await settled();
    expect(opened.errors.map(([, failure]) => failure)).toEqual(['document']);
    source.emit(new TestSource().snapshot());
    await opened.editor.opened;
    expect(opened.text()).toBe('');
  });

  it('reports a source that cannot be followed', async () => {
    const source = new TestSource();
    source.follow = () => Promise.reject(new Error('gone'));
    const opened = start(source);
    await settled();
    expect(opened.errors).toEqual([[new Error('gone'), 'source']]);
  });
});

describe('saving', () => {
  it('pushes what was typed, in order, one push at a time', async () => {
    const opened = await ready(start());
    const { editor, source } = opened;
    const gate = new EventTarget();
    source.gate = new Promise((resolve) => {
      gate.addEventListener('open', () => resolve());
    });
    type(editor, 'a');
    await settled();
    type(editor, 'b');
    type(editor, 'c');
    await settled();
    expect([editor.state, source.pushes.length]).toEqual(['saving', 0]);
    gate.dispatchEvent(new Event('open'));
    await editor.whenSaved();
    expect(source.pushes.length).toBe(2);
    expect(source.doc.getText('text').toString()).toBe('\nabc');
    expect([editor.state, editor.lastAcknowledged?.seq, editor.lastAcknowledged?.commit]).toEqual([
      'saved',
      2,
      'commit 2',
    ]);
    expect(editor.savedText()).toBe('abc');
  });

  it('keeps what the disk refuses and tries again, later and later', async () => {
    const opened = await ready(start());
    const { editor, source, clock, states } = opened;
    source.refuse = new Error('disk full');
    type(editor, 'a');
    await settled();
    expect(editor.status).toEqual({ kind: 'not_saved', error: new Error('disk full') });
    let attempts = 0;
    const push = source.push.bind(source);
    source.push = (update) => {
      attempts++;
      return push(update);
    };
    type(editor, 'b');
    await clock.pass(499);
    expect(attempts).toBe(0);
    await clock.pass(1);
    expect(attempts).toBe(1);
    await clock.pass(999);
    expect(attempts).toBe(1);
    await clock.pass(1);
    expect(attempts).toBe(2);
    source.refuse = null;
    const saved = editor.whenSaved();
    await clock.pass(2000);
    await saved;
    expect(source.doc.getText('text').toString()).toBe('\nab');
    expect(states.at(-1)).toEqual({ kind: 'saved' });
  });

  it('saves before it closes, and stays open if it cannot', async () => {
    const opened = await ready(start());
    const { editor, source } = opened;
    source.refuse = new Error('disk full');
    type(editor, 'a');
    await expect(editor.destroy()).rejects.toThrow('disk full');
    type(editor, 'b');
    source.refuse = null;
    await editor.destroy();
    expect(source.doc.getText('text').toString()).toBe('\nab');
    expect([source.following, editor.view.isDestroyed]).toEqual([0, true]);
  });
});

describe('following', () => {
  it('shows updates once per frame and never pushes them back', async () => {
    const opened = await ready(start());
    const { clock, source } = opened;
    source.send((doc) => doc.getText('text').insert(0, '\none'));
    source.send((doc) => doc.getText('text').insert(4, '\ntwo'));
    expect(opened.text()).toBe('');
    let updates = 0;
    const update = opened.editor.view.updateState.bind(opened.editor.view);
    opened.editor.view.updateState = (state) => {
      updates++;
      update(state);
    };
    await clock.pass(16);
    expect([opened.text(), updates, source.pushes.length]).toEqual(['one|two', 1, 0]);
  });

  it('imports what waits together', async () => {
    const opened = await ready(start());
    const { clock, source } = opened;
    source.send((doc) => doc.getText('text').insert(0, '\none'));
    source.send((doc) => doc.getText('text').insert(4, '\ntwo'));
    const one = vi.spyOn(LoroDoc.prototype, 'import');
    const many = vi.spyOn(LoroDoc.prototype, 'importBatch');
    await clock.pass(16);
    expect([opened.text(), one.mock.calls.length, many.mock.calls.length]).toEqual(['one|two', 0, 1]);
    one.mockRestore();
    many.mockRestore();
  });

  it('reports an update that cannot be read and takes the others', async () => {
    const opened = await ready(start());
    const { clock, source } = opened;
    source.emit({ kind: 'update', bytes: new Uint8Array([9, 9, 9]) });
    source.send((doc) => doc.getText('text').insert(0, '\none'));
    await clock.pass(16);
    expect(opened.text()).toBe('one');
    expect(opened.errors.every(([, failure]) => failure === 'document')).toBe(true);
    expect(opened.errors.length).toBeGreaterThan(0);
  });

  it('holds updates back while a composition runs, but not for ever', async () => {
    const opened = await ready(start());
    const { clock, source, editor } = opened;
    source.send((doc) => doc.getText('text').insert(0, '\none'));
    await clock.pass(16);
    editor.view.dom.dispatchEvent(new Event('compositionstart'));
    expect(editor.view.composing).toBe(true);
    source.send((doc) => doc.getText('text').insert(4, '\ntwo'));
    await clock.pass(1000);
    expect(opened.text()).toBe('one');
    type(editor, 'ə');
    expect(opened.text()).toBe('oneə');
    editor.view.dom.dispatchEvent(new Event('compositionend'));
    await clock.pass(59);
    expect(opened.text()).toBe('oneə');
    await clock.pass(1);
    expect(opened.text()).toBe('oneə|two');
    editor.view.dom.dispatchEvent(new Event('compositionstart'));
    source.send((doc) => doc.getText('text').insert(0, '\nthree'));
    await clock.pass(9999);
    expect(opened.text()).not.toContain('three');
    await clock.pass(100);
    expect(opened.text()).toContain('three');
  });
});

describe('a replaced document', () => {
  it('continues in the same view, keeps the caret and what the disk did not have yet', async () => {
    const source = new TestSource();
    source.doc.getText('text').insert(0, '\none\nrefused\nthree');
    const opened = await ready(start(source));
    const { editor, clock } = opened;
    source.refuse = new Error('busy');
    type(editor, '!');
    await settled();
    expect(editor.state).toBe('not_saved');
    editor.view.dispatch(
      editor.view.state.tr.setSelection(
        TextSelection.create(editor.view.state.doc, editor.view.state.doc.content.size - 2),
      ),
    );
    const built = new LoroDoc();
    built.getText('text').insert(0, '\none\nthree');
    built.commit();
    source.doc = built;
    source.refuse = null;
    source.emit(source.snapshot());
    await clock.pass(0);
    await editor.whenSaved();
    expect(opened.text()).toBe('one|three!');
    expect(editor.view.state.selection.$head.parentOffset).toBe(5);
    expect(source.doc.getText('text').toString()).toBe('\none\nthree!');
    expect(editor.undo()).toBe(true);
    expect(opened.text()).toBe('one|three');
    expect(editor.undo()).toBe(false);
    expect(opened.errors).toEqual([]);
  });

  it('does not bring back what the disk had and is gone', async () => {
    const opened = await ready(start());
    const { editor, source, clock } = opened;
    type(editor, 'refused later');
    await editor.whenSaved();
    source.doc = configure(new LoroDoc());
    source.emit(source.snapshot());
    await clock.pass(0);
    expect(opened.text()).toBe('');
    type(editor, 'again');
    await editor.whenSaved();
    expect(source.doc.getText('text').toString()).toBe('\nagain');
  });
});
