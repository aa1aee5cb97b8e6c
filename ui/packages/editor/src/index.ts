/**
 * A rich-text editor on a Loro document.
 */
export { schema, type Json } from './schema';
