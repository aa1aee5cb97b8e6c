import { matches } from '../lib/shortcuts';
import { actions, isGlobal } from '../model/actions';
import type { Workspace } from '../model/workspace.svelte';

/** Does what a key press means anywhere in the window, unless what has the keyboard took it for itself. */
export function shortcuts(workspace: Workspace, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  if (matches(event, 'Mod+Z') && !isText(event.target) && workspace.toasts.canUndo) {
    event.preventDefault();
    workspace.toasts.undoLatest();
    return;
  }
  const action = actions(workspace).find((each) => isGlobal(each) && each.shortcut !== undefined && matches(event, each.shortcut));
  // Above an open dialog, only what makes sense there.
  if (!action || (workspace.dialogs.length > 0 && action.group === 'pages')) return;
  event.preventDefault();
  action.run();
}

/** The web view's own menu belongs to text; elsewhere it offers what makes no sense in an app. */
export function contextMenu(event: MouseEvent): void {
  const selected = document.getSelection()?.isCollapsed === false;
  if (!isText(event.target) && !selected) event.preventDefault();
}

/** Whether keys typed there are text, with an undo of its own. */
function isText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea'));
}
