/** What the app gives to the editor's commands and surfaces. */
import type { Schema } from 'prosemirror-model';
import type { EditorView } from 'prosemirror-view';
import { type Json, schema } from '../schema';
import { defaultTexts, type EditingTexts } from './texts';

/** A refusal that the app shows. Programs go by the code. */
export interface EditingError {
  /**
   * - `PASTE_TOO_LARGE`: `details` are `size` and `limit` in UTF-16 units
   * - `LINK_REFUSED`: the address is none that the app opens; `details.url`
   */
  readonly code: 'PASTE_TOO_LARGE' | 'LINK_REFUSED';
  readonly message: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** Entries of the app behind a sign of its own: pages behind `[[`, people behind `@`. */
export interface Suggestions {
  /** What opens the menu. A single character does so only at the start of a word. */
  readonly trigger: string;
  /** What the list is, for assistive software. */
  readonly label: string;
  /** Shown where nothing is found. */
  readonly empty: string;
  /** The entries for a text, best first; at once or later. Rejection means none. */
  find(query: string): readonly MenuItem[] | PromiseLike<readonly MenuItem[]>;
}

/** An entry of a menu. */
export interface MenuItem {
  /** Unique among all entries. */
  readonly id: string;
  readonly title: string;
  /** Other words that find it. */
  readonly aliases?: readonly string[];
  /** Shown beside the title: a key, or the Markdown that does the same. */
  readonly hint?: string;
  /** Called when the entry is chosen, after the text of the query is gone. */
  run(view: EditorView): void;
}

/** Everything that `editing` needs to know. */
export interface EditingOptions {
  /** Takes back the last step of this person; false where there is none. */
  undo(): boolean;
  /** Puts it back; false where there is none. */
  redo(): boolean;
  /** Ends the running step, so that the next change is one of its own. */
  endStep?(): void;
  /** Opens an address (`http`, `https` or `mailto`) outside of the window. */
  openLink(url: string): void;
  onError(error: EditingError): void;
  /** Where an image's bytes are, in a form that the page may load; null if it may not be shown. Default: local sources. */
  imageUrl?(src: string): string | null;
  /** Files that were pasted or dropped; the caret is where they belong. */
  onFiles?(files: readonly File[]): void;
  /** Entries of the `/` menu after the editor's own. */
  menuItems?(): readonly MenuItem[];
  /** Menus behind other signs than `/`. */
  readonly suggestions?: readonly Suggestions[];
  /** Opens an embed that somebody clicked, or on which they pressed Enter. */
  openEmbed?(data: Json): void;
  /** What an embed reads as now, if that is not what it said when it was made. */
  embedText?(data: Json): string | null;
  readonly texts?: Partial<EditingTexts>;
  /** The schema of the view, if it is not this version's. */
  readonly schema?: Schema;
  /** Where menus and toolbars are put; default: beside the editor. */
  readonly surfaces?: HTMLElement;
}

/** The options with their defaults filled in. */
export interface Editing extends EditingOptions {
  readonly texts: EditingTexts;
  readonly schema: Schema;
}

export function withDefaults(options: EditingOptions): Editing {
  return { ...options, schema: options.schema ?? schema, texts: { ...defaultTexts, ...options.texts } };
}
