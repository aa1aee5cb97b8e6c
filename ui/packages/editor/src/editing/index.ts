/**
 * Editing: keys, Markdown as it is typed, the `/` menu, toolbars, the clipboard, and how blocks look.
 */
import { Plugin } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { blockSelection } from './block-selection';
import { isSourceBlock, standsAlone } from './blocks';
import { clipboard } from './clipboard';
import { placeholder, structureDecorations } from './decorations';
import { clickEmbed } from './embeds';
import { dragHandle } from './drag-handle';
import { highlight } from './highlight';
import { keys } from './keys';
import { clickLink, keepPage } from './links';
import { linkPopover } from './link-popover';
import { menus } from './menu';
import { nodeViews } from './node-views';
import { type Editing, type EditingOptions, withDefaults } from './options';
import { rules } from './rules';
import { insertParagraph } from './structure';
import { toolbar } from './toolbar';

export { BlockSelection } from './block-selection';
export type { BlockKind } from './format';
export { insertEmbed } from './embeds';
export { insertBlock } from './insert';
export type { EditingError, EditingOptions, MenuItem, Suggestions } from './options';
export { type Shortcut, shortcuts } from './shortcuts';
export { defaultTexts, type EditingTexts } from './texts';
export { menuKey, menuRect, type OpenMenu } from './menu';

/** A click below a page that ends in something without room for more text: a paragraph to go on in. */
function goOnBelow(view: EditorView, event: MouseEvent): boolean {
  const { lastChild, content } = view.state.doc;
  if (!view.editable || event.button !== 0 || event.target !== view.dom || !lastChild) return false;
  const last = view.dom.lastElementChild;
  if (!last || event.clientY <= last.getBoundingClientRect().bottom) return false;
  if (!isSourceBlock(lastChild) && !standsAlone(lastChild)) return false;
  event.preventDefault();
  view.dispatch(insertParagraph(view.state.tr, content.size).scrollIntoView());
  view.focus();
  return true;
}

/** What the editor is to assistive software, how links behave, and the views of blocks. */
function surroundings(all: Editing): Plugin {
  return new Plugin({
    props: {
      attributes: { class: 'editor', role: 'textbox', 'aria-multiline': 'true', 'aria-label': all.texts.page },
      nodeViews: nodeViews(all),
      handleClick: clickLink(all),
      handleClickOn: clickEmbed(all),
      handleDOMEvents: { click: keepPage, auxclick: keepPage, mousedown: goOnBelow },
    },
  });
}

/**
 * The plugins that make a view of the schema an editor. Their order matters: an open menu has the keys first.
 *
 * Undo is not in here: the keys call `undo` and `redo` of the options.
 */
export function editing(options: EditingOptions): Plugin[] {
  const all = withDefaults(options);
  return [
    menus(all),
    toolbar(all),
    linkPopover(all),
    dragHandle(all),
    rules(() => all.endStep?.()),
    keys(all),
    clipboard(all),
    blockSelection(),
    structureDecorations(),
    highlight(),
    placeholder(all.texts.placeholder),
    surroundings(all),
  ];
}
