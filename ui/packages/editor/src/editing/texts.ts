/** The words that a person reads in the editor. */

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
  readonly taskToggle: string;
  readonly lineBreak: string;
  readonly leaveCode: string;
  readonly indent: string;
  readonly outdent: string;
  readonly moveUp: string;
  readonly moveDown: string;
  readonly duplicate: string;
  readonly selectBlock: string;
  readonly toToolbar: string;
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
  menuCount: '{n} found',
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
  taskToggle: 'Tick a task',
  lineBreak: 'Line break',
  leaveCode: 'Leave code',
  indent: 'Nest',
  outdent: 'Unnest',
  moveUp: 'Move up',
  moveDown: 'Move down',
  duplicate: 'Duplicate',
  selectBlock: 'Select the block, then leave the text',
  toToolbar: 'To the format buttons',
  pasteTooLarge: 'That is too large to paste',
  linkRefused: 'This link cannot be opened',
};

/** Puts values into a text: `{n}` becomes `values.n`. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/gu, (whole, name: string) => String(values[name] ?? whole));
}
