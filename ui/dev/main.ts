/**
 * The app on a store in memory, to look at it in any browser: `npm run dev`, then `/dev/index.html`.
 *
 * `?pages=0` shows an empty workspace, `?pages=5000` a large one, `?theme=dark` a theme, `?dir=rtl` the other direction.
 * `tombolo.fake` in the console does what happens to a store from outside.
 */
import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import '@tombolo/editor/editor.css';
import '../src/tokens.css';
import '../src/base.css';
import type { Data, Manifest } from '@tombolo/client';
import { fakeStore } from '@tombolo/client/fake';
import { LoroDoc } from 'loro-crdt';
import { mount } from 'svelte';
import manifest from '../manifest.json';
import App from '../src/App.svelte';
import { readSettings } from '../src/lib/shell';
import { fakeShell } from '../src/testing/shell';
import { withTitles } from '../src/testing/titles';

const asked = new URLSearchParams(location.search);
const id = (n: number): string => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

const sample: [title: string, above?: number][] = [
  ['Field notes'],
  ['Spring tides', 0],
  ['Reading the tables', 1],
  ['Crossing to the island at low water', 1],
  ['Birds of the sandbar', 0],
  ['Project plan'],
  ['Week 48', 5],
  ['Budget', 5],
  ['خطة المشروع', 5],
  ['潮汐表', 0],
  ['A very long title that goes on and on, past the edge of any sidebar, to see how it ends'],
  [''],
  ['Recipes'],
];

function pages(): Data[] {
  const wanted = Number(asked.get('pages') ?? sample.length);
  if (wanted <= sample.length) return sample.slice(0, wanted).map(([title, above], n) => ({ id: id(n), title, parent: above === undefined ? null : id(above) }));
  return Array.from({ length: wanted }, (_, n) => ({ id: id(n), title: `Page ${n}`, parent: n < 20 ? null : id(n % 20) }));
}

const store = withTitles(fakeStore(manifest as Manifest, { Page: pages() }, { newDocument: () => new LoroDoc() }));
const shell = fakeShell(readSettings({ theme: asked.get('theme'), last_page: id(0) }));
document.documentElement.dir = asked.get('dir') ?? 'ltr';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no element #app');
mount(App, { target, props: { surroundings: { store, shell, onlyPage: asked.get('page') } } });
Object.assign(window, { tombolo: store });
