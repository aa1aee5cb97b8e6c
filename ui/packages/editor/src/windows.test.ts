/** Two whole editors on one store that is slow and refuses now and then. */
import { TestClock, TestSource } from './host/testing';
import { describe, expect, it } from 'vitest';
import { type Editor, openEditor } from './editor';
import { characters, random } from './binding/fuzz';
import type { DocumentSource } from './host/source';

class Pair {
  readonly clock = new TestClock();
  readonly store = new TestSource();
  readonly editors: readonly Editor[];
  readonly errors: unknown[] = [];
  readonly #next: (bound: number) => number;
  readonly #typed: string[] = [];
  #fresh = 0x4e00;

  constructor(seed: number) {
    this.#next = random(seed);
    this.editors = [0, 1].map(() =>
      openEditor({
        element: document.createElement('div'),
        source: this.#unreliable(this.store.shared(this.clock, () => this.#next(2000))),
        clock: this.clock,
        onError: (error) => this.errors.push(error),
      }),
    );
  }

  #unreliable(source: DocumentSource): DocumentSource {
    return {
      follow: (listener) => source.follow(listener),
      push: (update) => (this.#next(4) > 0 ? source.push(update) : Promise.reject(new Error('busy'))),
    };
  }

  async run(actions: number): Promise<void> {
    await this.clock.pass(0);
    for (let i = 0; i < actions; i++) {
      this.#act(this.editors[this.#next(2)]);
      await this.clock.pass(this.#next(300));
    }
    await this.clock.pass(120_000);
  }

  /** Both show what the store holds, and every character typed is there once. */
  check(): void {
    const [a, b] = this.editors.map((editor) => editor.view.state.doc);
    expect(this.errors).toEqual([]);
    expect(this.editors.map((editor) => editor.state)).toEqual(['saved', 'saved']);
    expect(a?.toJSON()).toEqual(b?.toJSON());
    expect(a === undefined ? [] : characters(a).toSorted()).toEqual(this.#typed.toSorted());
    // Two first edits of an empty page give it two blocks, and Enter more; the text is all of the store's.
    expect([...this.store.doc.getText('text').toString()].filter((character) => character !== '\n').toSorted()).toEqual(
      this.#typed.toSorted(),
    );
  }

  #act(editor: Editor | undefined): void {
    if (editor === undefined) return;
    const { state } = editor.view;
    const at = 1 + this.#next(state.doc.content.size - 1);
    const place = state.doc.resolve(at).parent.isTextblock ? at : 1;
    const kind = this.#next(20);
    const { view } = editor;
    if (kind === 0) view.dispatch(state.tr.split(place));
    else if (kind === 1) view.dom.dispatchEvent(new Event(view.composing ? 'compositionend' : 'compositionstart'));
    else {
      const character = String.fromCharCode(this.#fresh++);
      this.#typed.push(character);
      view.dispatch(state.tr.insertText(character, place));
    }
  }
}

describe('two editors on one store', () => {
  it.each([1, 2, 3, 4, 5, 6])('end with the same, all of it saved, seed %i', async (seed) => {
    const pair = new Pair(seed);
    await pair.run(300);
    for (const editor of pair.editors)
      if (editor.view.composing) editor.view.dom.dispatchEvent(new Event('compositionend'));
    await pair.clock.pass(10_000);
    pair.check();
    for (const editor of pair.editors) await editor.destroy({ discard: true });
  });
});
