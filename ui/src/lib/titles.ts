import { messages } from './messages';

/** A title as lists show it: an empty one has a name, too. */
export function shown(title: string | undefined): string {
  return title === undefined || title.trim() === '' ? messages.untitled : title;
}
