import type { Data, Manifest } from '@tombolo/client';
import { fakeStore, type FakeStore } from '@tombolo/client/fake';
import { LoroDoc } from 'loro-crdt';
import axe from 'axe-core';
import { flushSync, mount, tick, unmount } from 'svelte';
import manifest from '../../manifest.json';
import App from '../App.svelte';
import type { Settings } from '../lib/shell';
import { fakeShell, type FakeShell } from './shell';
import { withTitles } from './titles';

/** The window of a test, as a person meets it: by what it says and by what it is for. */
export interface TestWindow {
  store: FakeStore;
  shell: FakeShell;
  /** The only element of a role, by its name where one is given; fails if there is none or another one. */
  get(role: string, name?: string | RegExp): HTMLElement;
  all(role: string, name?: string | RegExp): HTMLElement[];
  text(): string;
  /** Waits until everything that was asked for has come and is shown. */
  settled(): Promise<void>;
  click(element: HTMLElement): Promise<void>;
  /** A key press where the keyboard is: `Control+Shift+N`. */
  press(keys: string): Promise<void>;
  /** Types into a field as a person does who replaces what stands there. */
  type(field: HTMLElement, text: string): Promise<void>;
  /** What is wrong for people who use a screen reader or a keyboard: serious or critical. */
  barriers(): Promise<string[]>;
}

export interface TestWindowOptions {
  pages?: Data[];
  settings?: Partial<Settings>;
  onlyPage?: string;
  store?: FakeStore;
  narrow?: boolean;
}

/** A fixed noon; the fake's rows are older. */
export const NOW = Date.parse('2026-06-01T12:00:00Z');

let app: Record<string, unknown> | undefined;

/** Closes the window of the test that has ended. */
export async function closeWindow(): Promise<void> {
  if (app) await unmount(app);
  app = undefined;
  document.body.replaceChildren();
  delete document.documentElement.dataset.theme;
  localStorage.clear();
}

/** A store that holds these pages, with real documents for their texts. */
export function testStore(pages: Data[]): FakeStore {
  return withTitles(fakeStore(manifest as Manifest, { Page: pages }, { newDocument: () => new LoroDoc() }));
}

export async function openWindow(options: TestWindowOptions = {}): Promise<TestWindow> {
  const store = options.store ?? testStore(options.pages ?? []);
  const shell = fakeShell(options.settings);
  const media = { matches: options.narrow === true, addEventListener: () => undefined, removeEventListener: () => undefined };
  window.matchMedia = () => media as unknown as MediaQueryList;
  const surroundings = { store, shell, onlyPage: options.onlyPage ?? null, clock: () => NOW, after: () => () => undefined };
  app = mount(App, { target: document.body, props: { surroundings } });

  async function settled() {
    // An answer may lead to another question.
    for (let n = 0; n < 4; n += 1) {
      await store.fake.settled();
      flushSync();
      await tick();
    }
  }

  const opened: TestWindow = {
    store,
    shell,
    all,
    get(role, name) {
      const [found, another] = all(role, name);
      const wanted = `${role} ${name === undefined ? '' : String(name)}`;
      if (!found) throw new Error(`there is no ${wanted}; the names are ${all(role).map(nameOf).join(', ')}`);
      if (another) throw new Error(`there is more than one ${wanted}`);
      return found;
    },
    text: () => document.body.textContent ?? '',
    settled,
    async click(element) {
      element.focus();
      element.click();
      await settled();
    },
    async press(keys) {
      const parts = keys.split('+');
      const key = parts.pop() ?? '';
      const modifiers = { ctrlKey: parts.includes('Control'), shiftKey: parts.includes('Shift'), altKey: parts.includes('Alt') };
      const target = document.activeElement ?? document.body;
      target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...modifiers }));
      await settled();
    },
    async type(field, value) {
      if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) throw new Error('no field to type into');
      field.focus();
      field.value = value;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await settled();
    },
    async barriers() {
      // Nothing is laid out or painted here: colours are the tokens' test, sizes are looked at.
      const unseen = ['color-contrast', 'target-size', 'scrollable-region-focusable'];
      const rules = Object.fromEntries(unseen.map((rule) => [rule, { enabled: false }]));
      const { violations } = await axe.run(document.body, { rules, resultTypes: ['violations'] });
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`);
    },
  };
  await settled();
  return opened;
}

function all(role: string, name?: string | RegExp): HTMLElement[] {
  const elements = [...document.querySelectorAll<HTMLElement>('*')];
  return elements.filter((element) => roleOf(element) === role && fits(element, name) && element.closest('[hidden]') === null);
}

/** Roles that come from the element itself. */
const implied: Readonly<Record<string, string>> = {
  A: 'link',
  BUTTON: 'button',
  DIALOG: 'dialog',
  FOOTER: 'contentinfo',
  H1: 'heading',
  H2: 'heading',
  H3: 'heading',
  MAIN: 'main',
  NAV: 'navigation',
  TEXTAREA: 'textbox',
};

function roleOf(element: HTMLElement): string | undefined {
  const given = element.getAttribute('role');
  if (given !== null) return given;
  if (element instanceof HTMLInputElement) return element.type === 'radio' ? 'radio' : 'textbox';
  return implied[element.tagName];
}

function nameOf(element: HTMLElement): string {
  const byId = element.getAttribute('aria-labelledby');
  const label = element.closest('label');
  return element.getAttribute('aria-label') ?? (byId === null ? text(label ?? element) : text(document.getElementById(byId)));
}

function text(from: Element | null): string {
  return from?.textContent?.trim().replaceAll(/\s+/g, ' ') ?? '';
}

function fits(element: HTMLElement, name: string | RegExp | undefined): boolean {
  if (name === undefined) return true;
  return typeof name === 'string' ? nameOf(element) === name : name.test(nameOf(element));
}
