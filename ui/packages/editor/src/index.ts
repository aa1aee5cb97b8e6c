/**
 * A rich-text editor on a Loro document.
 *
 * {@link openEditor} shows a document that a {@link DocumentSource} follows, and saves what is typed in it. What makes it
 * an editor, its keys and menus, comes as plugins: {@link editing}.
 */
export {
  openEditor,
  type Editor,
  type EditorFailure,
  type EditorOptions,
  type EditorStatus,
  type UndoCommands,
} from './editor';
export type { Acknowledged } from './host/outbox';
export type { Clock } from './host/clock';
export type { DocumentPiece, DocumentSource } from './host/source';
export { isRemote } from './binding/binding';
export { schema, type Json } from './schema';
export * from './editing';
