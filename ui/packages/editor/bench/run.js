// Runs the measurements with the sources as they are, in a document without layout.
import { Window } from 'happy-dom';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const window = new Window();
const names = [
  'document',
  'navigator',
  'Node',
  'Element',
  'HTMLElement',
  'MutationObserver',
  'getComputedStyle',
  'Range',
  'DOMParser',
];
for (const name of names) {
  Object.defineProperty(globalThis, name, { value: Reflect.get(window, name), configurable: true, writable: true });
}
Object.defineProperty(globalThis, 'window', { value: window, configurable: true });

const file = fileURLToPath(new URL('./bench.ts', import.meta.url));
const { module } = await runnerImport(file, { configFile: false, logLevel: 'error' });
await module.bench();
process.exit(0);
