/** The keys of the editor. `Mod` is Ctrl, on a Mac Command. */
import { chainCommands } from 'prosemirror-commands';
import { keydownHandler } from 'prosemirror-keymap';
import { type Command, Plugin } from 'prosemirror-state';
import { editSelectedBlock, leaveBlocks, moveBlockSelection, selectBlock } from './block-selection';
import { enterEmbed } from './embeds';
import { enter, insertLineBreak, leaveSource, leaveSourceAbove, leaveSourceBelow } from './enter';
import { backspace, deleteForward } from './erase';
import { selectAll, setBlockKind, toggle, toggleList, toggleTasks } from './format';
import { editLink } from './link-popover';
import type { Editing } from './options';
import { enterFence, undoRule } from './rules';
import { duplicateBlocks, indentBlocks, indentSource, moveBlocks, outdentBlocks, outdentSource } from './structure';

/** Takes the key even where there is nothing to do: Tab must not jump out of the text by chance. */
const taken: Command = () => true;

/** The command of each key, in the notation of prosemirror-keymap. */
export function bindings(editing: Editing): Record<string, Command> {
  const endStep = (): void => editing.endStep?.();
  const alone = (command: Command): Command => (state, dispatch, view) => {
    if (!command(state)) return false;
    endStep();
    return command(state, dispatch, view);
  };
  const headings = [1, 2, 3, 4, 5, 6].map((level): [string, Command] => [
    `Mod-Alt-${level}`,
    alone(setBlockKind({ type: 'heading', attrs: { level } })),
  ]);
  const erase = chainCommands(undoRule, backspace);
  const redo: Command = () => editing.redo() || true;
  return {
    Enter: chainCommands(enterEmbed(editing), enterFence(endStep), enter),
    'Shift-Enter': insertLineBreak,
    'Mod-Enter': chainCommands(toggleTasks, leaveSource),
    Backspace: erase,
    'Shift-Backspace': erase,
    'Mod-Backspace': erase,
    Delete: deleteForward,
    'Mod-Delete': deleteForward,
    Tab: chainCommands(indentSource, alone(indentBlocks), taken),
    'Shift-Tab': chainCommands(outdentSource, alone(outdentBlocks), taken),
    ArrowDown: chainCommands(moveBlockSelection(1, false), leaveSourceBelow),
    ArrowUp: chainCommands(moveBlockSelection(-1, false), leaveSourceAbove),
    'Shift-ArrowDown': moveBlockSelection(1, true),
    'Shift-ArrowUp': moveBlockSelection(-1, true),
    ArrowRight: editSelectedBlock,
    Escape: chainCommands(selectBlock, leaveBlocks),
    'Mod-a': selectAll,
    'Mod-b': toggle('bold'),
    'Mod-i': toggle('italic'),
    'Mod-u': toggle('underline'),
    'Mod-e': toggle('code'),
    'Mod-Shift-x': toggle('strike'),
    'Mod-Shift-h': toggle('highlight'),
    'Mod-l': editLink,
    'Mod-Alt-0': alone(setBlockKind({ type: 'paragraph' })),
    ...Object.fromEntries(headings),
    'Mod-Shift-7': alone(toggleList('ordered')),
    'Mod-Shift-8': alone(toggleList('bullet')),
    'Mod-Shift-9': alone(toggleList('task')),
    'Alt-ArrowUp': alone(moveBlocks('up')),
    'Alt-ArrowDown': alone(moveBlocks('down')),
    'Mod-d': alone(duplicateBlocks),
    'Mod-z': () => editing.undo() || true,
    'Mod-Shift-z': redo,
    'Mod-y': redo,
  };
}

/** The keys as a plugin. */
export function keys(editing: Editing): Plugin {
  return new Plugin({ props: { handleKeyDown: keydownHandler(bindings(editing)) } });
}
