/** Addresses: which ones a link may have, and which ones are opened. */
import type { Command } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { safeHref } from '../schema';
import { linkAround } from './format';
import type { Editing } from './options';
import { fill } from './texts';

/** The longest address that is taken from a person or a page, in UTF-16 units. */
export const ADDRESS_MAX = 8192;

/** The address if the app opens it: a web page or a mail. */
export function openable(address: unknown): string | null {
  if (typeof address !== 'string' || address.length > ADDRESS_MAX || !URL.canParse(address)) return null;
  const { protocol, href } = new URL(address);
  return ['http:', 'https:', 'mailto:'].includes(protocol) ? href : null;
}

/** The address that a person means who types or pastes this text, or null if it is none. */
export function webAddress(text: string): string | null {
  const typed = text.trim();
  if (typed === '' || typed.length > ADDRESS_MAX || /\s/u.test(typed)) return null;
  if (/^[a-z][a-z0-9+.-]*:/iu.test(typed)) {
    // `localhost:8080` is a host and a port.
    if (/^[a-z0-9.-]+:\d{1,5}(?:[/?#]|$)/iu.test(typed)) return parsed(`https://${typed}`, typed);
    return safeHref(typed) === null || !URL.canParse(typed) ? null : typed;
  }
  if (/^[^\s@/]+@[^\s@/]+\.[^\s@/.]+$/u.test(typed)) return parsed(`mailto:${typed}`, typed);
  return /^[^\s/?#@]+\.[^\s/?#@.]{2,}(?:[/?#]|$)/u.test(typed) ? parsed(`https://${typed}`, typed) : null;
}

function parsed(address: string, typed: string): string | null {
  return typed !== '' && URL.canParse(address) ? address : null;
}

/** Whether a text is nothing but an address with its scheme. */
export const isAddress = (text: string): boolean => /^(?:https?:\/\/|mailto:)\S+$/iu.test(text.trim()) && webAddress(text) !== null;

/** Opens an address outside of the window, or tells the app that it is none for that. */
export function openLink(editing: Editing, address: unknown): void {
  const url = openable(address);
  if (url !== null) editing.openLink(url);
  else {
    const shown = typeof address === 'string' ? address.slice(0, 200) : '';
    editing.onError({ code: 'LINK_REFUSED', message: fill(editing.texts.linkRefused, { url: shown }), details: { url: shown } });
  }
}

/** Opens the link at the caret. */
export function openLinkHere(editing: Editing): Command {
  return (state, dispatch) => {
    const link = linkAround(state, state.selection.from);
    if (!link) return false;
    if (dispatch) openLink(editing, link.mark.attrs.value);
    return true;
  };
}

/** Ctrl+click (on a Mac: Command) opens a link. */
export function clickLink(editing: Editing) {
  return (view: EditorView, pos: number, event: MouseEvent): boolean => {
    const link = event.ctrlKey || event.metaKey ? linkAround(view.state, pos) : null;
    if (!link) return false;
    event.preventDefault();
    openLink(editing, link.mark.attrs.value);
    return true;
  };
}

/** A web view follows links by itself on some clicks; here only the app does. */
export function keepPage(_view: EditorView, event: Event): boolean {
  if (event.target instanceof Element && event.target.closest('a[href]')) event.preventDefault();
  return false;
}
