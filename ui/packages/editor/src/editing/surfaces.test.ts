import { run as axe } from 'axe-core';
import { TextSelection } from 'prosemirror-state';
import type { EditorView } from 'prosemirror-view';
import { afterEach, expect, test, vi } from 'vitest';
import { editing, type EditingOptions } from './index';
import { place } from './surface';
import { close, open, press, shown, write } from './testing';

afterEach(close);

function options(more: Partial<EditingOptions> = {}): EditingOptions & Record<'openLink' | 'onError', ReturnType<typeof vi.fn>> {
  return { undo: () => false, redo: () => false, openLink: vi.fn(), onError: vi.fn(), ...more } as never;
}

function edit(before: readonly string[], given = options()): EditorView {
  const view = open(before, editing(given));
  view.focus();
  return view;
}

function select(view: EditorView, anchor: number, head = anchor): void {
  view.dispatch(view.state.tr.setSelection(TextSelection.create(view.state.doc, anchor, head)));
}

const find = <Kind extends HTMLElement = HTMLElement>(selector: string): Kind => {
  const found = document.querySelector<Kind>(selector);
  if (!found) throw new Error(`nothing is ${selector}`);
  return found;
};

const named = (name: string): HTMLElement =>
  [...document.querySelectorAll<HTMLElement>('button')].find((made) => made.textContent === name || made.getAttribute('aria-label') === name) ??
  find(`nothing-called-${name}`);

function linked(text: string, value: string): EditorView {
  const view = edit([`p ${text}`]);
  const { link } = view.state.schema.marks;
  if (link) view.dispatch(view.state.tr.addMark(1, 1 + text.length, link.create({ value })));
  return view;
}

const linksOf = (view: EditorView): unknown[] => {
  const found: unknown[] = [];
  view.state.doc.descendants((node) => {
    for (const mark of node.marks) if (mark.type.name === 'link') found.push([node.textContent, mark.attrs.value]);
  });
  return found;
};

test('the editor is a text box with a name', () => {
  const { dom } = edit(['p |']);
  expect(['role', 'aria-multiline', 'aria-label', 'aria-placeholder'].map((name) => dom.getAttribute(name))).toEqual([
    'textbox',
    'true',
    'Page text',
    'Write, or type / for blocks',
  ]);
});

test('the toolbar comes with selected text and says what the text is', () => {
  const view = edit(['p one| two', 'code x']);
  const bar = find('[role=toolbar]');
  expect(bar.hidden).toBe(true);
  select(view, 1, 4);
  expect(bar.hidden).toBe(false);
  named('Bold').click();
  expect(named('Bold').getAttribute('aria-pressed')).toBe('true');
  expect(named('Italic').getAttribute('aria-pressed')).toBe('false');
  expect(view.state.doc.child(0).firstChild?.marks.map((mark) => mark.type.name)).toEqual(['bold']);
  select(view, 10, 11);
  expect(bar.hidden).toBe(true);
});

function key(name: string): void {
  document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));
}

const focused = (): string | null | undefined => document.activeElement?.getAttribute('aria-label');

test('the toolbar is one stop, with arrows inside', () => {
  const view = edit(['p |one']);
  expect(press(view, 'Alt-F10')).toBe(false);
  select(view, 1, 4);
  expect(press(view, 'Alt-F10')).toBe(true);
  expect(focused()).toBe('Bold');
  key('ArrowLeft');
  expect(focused()).toBe('Link');
  key('ArrowRight');
  key('ArrowRight');
  expect(focused()).toBe('Italic');
  expect(document.querySelectorAll('[role=toolbar] [tabindex="0"]')).toHaveLength(1);
  key('Escape');
  expect(view.hasFocus()).toBe(true);
});

test('Ctrl+L puts a link on selected text', () => {
  const view = edit(['p ^one| two']);
  expect(press(view, 'Mod-l')).toBe(true);
  const input = find<HTMLInputElement>('[role=dialog] input');
  expect(document.activeElement).toBe(input);
  input.value = 'not an address';
  find<HTMLFormElement>('form').requestSubmit();
  expect(find('[role=alert]').textContent).toBe('This is no web or mail address');
  expect(input.getAttribute('aria-invalid')).toBe('true');
  input.value = 'example.org/a';
  find<HTMLFormElement>('form').requestSubmit();
  expect(linksOf(view)).toEqual([['one', 'https://example.org/a']]);
  expect(find('[role=dialog]').hidden).toBe(true);
  expect(view.hasFocus()).toBe(true);
});

test('without selected text the address becomes the text', () => {
  const view = edit(['p a |']);
  press(view, 'Mod-l');
  find<HTMLInputElement>('[role=dialog] input').value = 'ann@example.org';
  find<HTMLFormElement>('form').requestSubmit();
  expect(linksOf(view)).toEqual([['ann@example.org', 'mailto:ann@example.org']]);
});

test('Escape leaves the text as it was', () => {
  const view = edit(['p ^one|']);
  press(view, 'Mod-l');
  const input = find<HTMLInputElement>('[role=dialog] input');
  input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
  expect(find('[role=dialog]').hidden).toBe(true);
  expect(view.hasFocus()).toBe(true);
  expect(linksOf(view)).toEqual([]);
});

test('a link at the caret is shown, opened, edited and removed', () => {
  const given = options();
  const view = edit(['p one'], given);
  const { link } = view.state.schema.marks;
  if (link) view.dispatch(view.state.tr.addMark(1, 4, link.create({ value: 'https://example.org/' })));
  select(view, 2);
  const shownLink = find('[role=group]');
  expect(shownLink.hidden).toBe(false);
  expect(shownLink.textContent).toContain('https://example.org/');
  named('Open').click();
  expect(given.openLink).toHaveBeenCalledWith('https://example.org/');
  named('Edit').click();
  expect(find<HTMLInputElement>('[role=dialog] input').value).toBe('https://example.org/');
  find<HTMLInputElement>('[role=dialog] input').value = '';
  find<HTMLFormElement>('form').requestSubmit();
  expect(linksOf(view)).toEqual([]);
  expect(shown(view.state)).toEqual(['p o|ne']);
});

test('an address that is none for the app has no button to open it', () => {
  const view = linked('one', 'tombolo://page/1');
  select(view, 2);
  expect(named('Open').hidden).toBe(true);
});

test.each([
  ['https://example.org/', 1, 0],
  ['mailto:a@example.org', 1, 0],
  ['tombolo://x', 0, 1],
  ['other.md', 0, 1],
])('Ctrl+click on %s', (address, opened, refused) => {
  const given = options();
  const view = edit(['p one'], given);
  const { link } = view.state.schema.marks;
  if (link) view.dispatch(view.state.tr.addMark(1, 4, link.create({ value: address })));
  const click = (ctrlKey: boolean): boolean | undefined =>
    view.someProp('handleClick', (handle) => handle(view, 2, new MouseEvent('click', { ctrlKey })) ?? false);
  expect(click(false)).toBeFalsy();
  expect(click(true)).toBe(true);
  expect(given.openLink).toHaveBeenCalledTimes(opened);
  expect(given.onError.mock.calls.map(([error]) => (error as { code: string }).code)).toEqual(
    Array.from({ length: refused }, () => 'LINK_REFUSED'),
  );
});

test('a click never leads the window away', () => {
  linked('one', 'https://example.org/');
  for (const type of ['click', 'auxclick']) {
    const event = new MouseEvent(type, { bubbles: true, cancelable: true });
    find('a[href]').dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
  }
});

/** What axe complains of. */
async function faults(): Promise<string[]> {
  const rules = { region: { enabled: false } };
  const { violations } = await axe(document.body, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'], rules });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test('no surface has a fault that a program can find', async () => {
  const view = edit(['h1 Title', '[ ] task', 'code x', 'img cap', '--- ', '? chart', 'p |']);
  expect(await faults()).toEqual([]);
  write(view, '/');
  expect(await faults()).toEqual([]);
  press(view, 'Escape');
  select(view, 1, 4);
  expect(await faults()).toEqual([]);
  press(view, 'Mod-l');
  expect(await faults()).toEqual([]);
});

test('what floats stays in the window, and is not seen while its text is scrolled away', () => {
  const floating = document.body.appendChild(document.createElement('div'));
  Object.defineProperties(floating, { offsetWidth: { value: 100 }, offsetHeight: { value: 40 } });
  Object.defineProperties(document.documentElement, {
    clientWidth: { value: 500, configurable: true },
    clientHeight: { value: 300, configurable: true },
  });
  const at = (left: number, top: number, side: 'above' | 'below'): unknown => {
    place(floating, { left, right: left + 10, top, bottom: top + 20 }, side);
    return [floating.style.left, floating.style.top, floating.classList.contains('away')];
  };
  expect(at(50, 100, 'below')).toEqual(['50px', '126px', false]);
  expect(at(50, 100, 'above')).toEqual(['50px', '54px', false]);
  expect(at(480, 270, 'below')).toEqual(['400px', '224px', false]);
  expect(at(50, 10, 'above')).toEqual(['50px', '36px', false]);
  expect(at(50, -100, 'above')).toEqual(['50px', '0px', true]);
});
