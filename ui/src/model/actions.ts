import { messages } from '../lib/messages';
import { ZOOM } from '../lib/shell';
import type { Shortcut } from '../lib/shortcuts';
import type { Workspace } from './workspace.svelte';

/** Something that can be done, wherever it is offered: in the palette, in a menu, or by its shortcut. */
export interface Action {
  id: string;
  label: string;
  group: 'pages' | 'view' | 'app';
  run: () => void;
  shortcut?: Shortcut;
}

const { actions: words } = messages;

/** Everything that can be done now. */
export function actions(workspace: Workspace): Action[] {
  const { page } = workspace.navigation;
  const inTree = page !== null && workspace.pages.tree.get(page) !== undefined;
  return [
    newPage(workspace),
    ...(inTree ? openPageActions(workspace, page) : []),
    ...viewActions(workspace),
    ...appActions(workspace),
  ];
}

/** Every action with a shortcut, whether or not there is something to do it to: for whoever wants to learn them. */
export function everyAction(workspace: Workspace): Action[] {
  const all = [
    newPage(workspace),
    ...openPageActions(workspace, workspace.navigation.page ?? ''),
    ...viewActions(workspace, true),
    ...appActions(workspace),
  ];
  return all.filter(({ shortcut }) => shortcut !== undefined && !shortcut.startsWith('Alt+'));
}

/** What can be done with a page that is not in the trash. */
export function pageActions(workspace: Workspace, id: string): Action[] {
  const { tree } = workspace.pages;
  const moves = [
    { id: 'move-up', label: words.moveUp, shortcut: 'Alt+ArrowUp', place: tree.step(id, -1) },
    { id: 'move-down', label: words.moveDown, shortcut: 'Alt+ArrowDown', place: tree.step(id, 1) },
    { id: 'move-in', label: words.moveIn, shortcut: 'Alt+ArrowRight', place: tree.indent(id) },
    { id: 'move-out', label: words.moveOut, shortcut: 'Alt+ArrowLeft', place: tree.outdent(id) },
  ];
  return [
    { id: 'new-page-inside', label: words.newPageInside, group: 'pages', shortcut: 'Mod+Shift+N', run: () => void workspace.newPage(id) },
    { id: 'open-window', label: words.openWindow, group: 'pages', shortcut: 'Mod+Shift+O', run: () => void workspace.openWindow(id) },
    ...moves.flatMap(({ place, ...action }): Action[] =>
      place ? [{ ...action, group: 'pages', run: () => void workspace.move(id, place) }] : [],
    ),
    { id: 'trash', label: words.trashPage, group: 'pages', shortcut: 'Mod+Shift+Backspace', run: () => void workspace.trash(id) },
  ];
}

/** Keys that mean something else in a text belong to the tree alone, where they are handled. */
export function isGlobal(action: Action): boolean {
  return action.shortcut !== undefined && (action.shortcut.startsWith('Mod+') || /^F\d/.test(action.shortcut));
}

function newPage(workspace: Workspace): Action {
  return { id: 'new-page', label: words.newPage, group: 'pages', shortcut: 'Mod+N', run: () => void workspace.newPage(null) };
}

function openPageActions(workspace: Workspace, id: string): Action[] {
  const rename: Action = { id: 'rename', label: words.rename, group: 'pages', shortcut: 'F2', run: () => (workspace.titleWanted = id) };
  return [rename, ...pageActions(workspace, id)];
}

function viewActions(workspace: Workspace, all = false): Action[] {
  const { navigation, settings, toasts } = workspace;
  const offered: (Action | false)[] = [
    { id: 'palette', label: words.palette, group: 'view', shortcut: 'Mod+K', run: () => workspace.openDialog('palette') },
    { id: 'sidebar', label: words.toggleSidebar, group: 'view', shortcut: 'Mod+\\', run: () => workspace.toggleSidebar() },
    (all || navigation.canGoBack) && { id: 'back', label: words.back, group: 'view', shortcut: 'Mod+[', run: () => navigation.back() },
    (all || navigation.canGoForward) && { id: 'forward', label: words.forward, group: 'view', shortcut: 'Mod+]', run: () => navigation.forward() },
    { id: 'show-trash', label: words.showTrash, group: 'view', shortcut: 'Mod+Shift+E', run: () => workspace.openTrash() },
    toasts.canUndo && { id: 'undo', label: words.undo, group: 'view', run: () => toasts.undoLatest() },
    zoom('zoom-in', words.zoomIn, 'Mod+=', () => settings.values.zoom + ZOOM.step),
    zoom('zoom-out', words.zoomOut, 'Mod+-', () => settings.values.zoom - ZOOM.step),
    zoom('zoom-reset', words.zoomReset, 'Mod+0', () => ZOOM.normal),
  ];
  return offered.filter((action) => action !== false);

  function zoom(id: string, label: string, shortcut: Shortcut, to: () => number): Action {
    return { id, label, group: 'view', shortcut, run: () => settings.change({ zoom: to() }) };
  }
}

function appActions(workspace: Workspace): Action[] {
  const { session, settings } = workspace;
  const themes = [
    { theme: 'system', label: words.themeSystem },
    { theme: 'light', label: words.themeLight },
    { theme: 'dark', label: words.themeDark },
  ] as const;
  return [
    { id: 'sync', label: words.sync, group: 'app', shortcut: 'Mod+Shift+S', run: () => workspace.openDialog('sync') },
    ...(session.hasServer
      ? [
          { id: 'retry', label: words.retry, group: 'app', run: () => void workspace.retry() } as const,
          { id: 'disconnect', label: words.disconnect, group: 'app', run: () => void workspace.disconnect() } as const,
        ]
      : []),
    { id: 'connect', label: words.connect, group: 'app', run: () => workspace.openDialog('connect') },
    { id: 'settings', label: words.settings, group: 'app', shortcut: 'Mod+,', run: () => workspace.openDialog('settings') },
    { id: 'shortcuts', label: words.shortcuts, group: 'app', shortcut: 'Mod+/', run: () => workspace.openDialog('shortcuts') },
    ...themes.map(({ theme, label }): Action => ({ id: `theme-${theme}`, label, group: 'app', run: () => settings.change({ theme }) })),
  ];
}
