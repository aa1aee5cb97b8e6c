/** What the app gives to the editor's commands and surfaces: functions, and every word that a person reads. */
import type { Schema } from 'prosemirror-model';
import type { EditorView } from 'prosemirror-view';
import { schema } from '../schema';

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

/** An entry of the `/` menu that the app adds. */
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
  readonly texts?: Partial<EditingTexts>;
  /** The schema of the view, if it is not this version's. */
  readonly schema?: Schema;
  /** Where menus and toolbars are put; default: beside the editor. */
  readonly surfaces?: HTMLElement;
}

/** Every word of the editor. `{n}` and the like are put in by the editor. */
export interface EditingTexts {
  readonly page: string;
  readonly placeholder: string;
  readonly paragraph: string;
  /** With `{n}`, the level. */
  readonly heading: string;
  readonly bulletList: string;
  readonly orderedList: string;
  readonly taskList: string;
  readonly quote: string;
  readonly callout: string;
  readonly code: string;
  readonly divider: string;
  readonly image: string;
  readonly menu: string;
  readonly menuEmpty: string;
  /** With `{n}`, the number of entries. */
  readonly menuCount: string;
  readonly toolbar: string;
  readonly bold: string;
  readonly italic: string;
  readonly underline: string;
  readonly strike: string;
  readonly inlineCode: string;
  readonly highlight: string;
  readonly link: string;
  readonly linkAddress: string;
  readonly linkInvalid: string;
  readonly linkApply: string;
  readonly linkOpen: string;
  readonly linkEdit: string;
  readonly linkRemove: string;
  readonly taskDone: string;
  readonly codeLanguage: string;
  readonly plainText: string;
  readonly source: string;
  /** With `{host}`. */
  readonly imageRemote: string;
  readonly imageMissing: string;
  readonly caption: string;
  /** With `{type}`. */
  readonly unknownBlock: string;
  readonly moveBlock: string;
  readonly pasteTooLarge: string;
  readonly linkRefused: string;
}

/** The texts in English. */
export const defaultTexts: EditingTexts = {
  page: 'Page text',
  placeholder: 'Write, or type / for blocks',
  paragraph: 'Text',
  heading: 'Heading {n}',
  bulletList: 'Bulleted list',
  orderedList: 'Numbered list',
  taskList: 'Task list',
  quote: 'Quote',
  callout: 'Callout',
  code: 'Code',
  divider: 'Divider',
  image: 'Image',
  menu: 'Blocks',
  menuEmpty: 'No block of that name',
  menuCount: '{n} blocks',
  toolbar: 'Format',
  bold: 'Bold',
  italic: 'Italic',
  underline: 'Underline',
  strike: 'Strikethrough',
  inlineCode: 'Code',
  highlight: 'Highlight',
  link: 'Link',
  linkAddress: 'Link address',
  linkInvalid: 'This is no web or mail address',
  linkApply: 'Apply',
  linkOpen: 'Open',
  linkEdit: 'Edit',
  linkRemove: 'Remove link',
  taskDone: 'Done',
  codeLanguage: 'Language',
  plainText: 'Plain text',
  source: 'Source',
  imageRemote: 'Image on {host}, not loaded',
  imageMissing: 'This image cannot be shown',
  caption: 'Caption',
  unknownBlock: 'A block of another version ({type})',
  moveBlock: 'Move block',
  pasteTooLarge: 'That is too large to paste',
  linkRefused: 'This link cannot be opened',
};

/** The options with their defaults filled in. */
export interface Editing extends EditingOptions {
  readonly texts: EditingTexts;
  readonly schema: Schema;
}

export function withDefaults(options: EditingOptions): Editing {
  return { ...options, schema: options.schema ?? schema, texts: { ...defaultTexts, ...options.texts } };
}

/** Puts values into a text: `{n}` becomes `values.n`. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/gu, (whole, name: string) => String(values[name] ?? whole));
}
