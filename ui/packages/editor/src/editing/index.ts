/**
 * Editing: keys, Markdown as it is typed, the `/` menu, toolbars, the clipboard, and how blocks look.
 */
import { Plugin } from 'prosemirror-state';
import { blockSelection } from './block-selection';
import { clipboard } from './clipboard';
import { placeholder, structureDecorations } from './decorations';
import { dragHandle } from './drag-handle';
import { keys } from './keys';
import { clickLink, keepPage } from './links';
import { linkPopover } from './link-popover';
import { nodeViews } from './node-views';
import { type Editing, type EditingOptions, withDefaults } from './options';
import { rules } from './rules';
import { slashMenu } from './slash-menu';
import { toolbar } from './toolbar';

export { BlockSelection } from './block-selection';
export { defaultTexts, type EditingError, type EditingOptions, type EditingTexts, type MenuItem } from './options';
export { type SlashMenu, slashMenuKey, slashMenuRect } from './slash-menu';

/** What the editor is to assistive software, how links behave, and the views of blocks. */
function surroundings(all: Editing): Plugin {
  return new Plugin({
    props: {
      attributes: { class: 'editor', role: 'textbox', 'aria-multiline': 'true', 'aria-label': all.texts.page },
      nodeViews: nodeViews(all),
      handleClick: clickLink(all),
      handleDOMEvents: { click: keepPage, auxclick: keepPage },
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
    slashMenu(all),
    toolbar(all),
    linkPopover(all),
    dragHandle(all),
    rules(() => all.endStep?.()),
    keys(all),
    clipboard(all),
    blockSelection(),
    structureDecorations(),
    placeholder(all.texts.placeholder),
    surroundings(all),
  ];
}
