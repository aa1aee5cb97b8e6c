import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  build: {
    // The oldest web view we open in; it knows `light-dark()` and `oklch()`, so styles are shipped as written.
    target: 'safari18',
    // The content security policy allows files of our own, never `data:` fonts or scripts.
    assetsInlineLimit: 0,
    // Every browser of that age preloads modules by itself.
    modulePreload: { polyfill: false },
  },
  server: { port: 5173, strictPort: true },
  // Its WebAssembly lies beside it, where a bundled copy would not look.
  optimizeDeps: { exclude: ['loro-crdt'] },
  clearScreen: false,
  // Without the condition Vitest resolves Svelte's server build, which cannot mount; with it Loro resolves to a build whose
  // WebAssembly only a bundler can load.
  resolve: process.env.VITEST ? { conditions: ['browser'], alias: { 'loro-crdt': 'loro-crdt/nodejs' } } : {},
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'packages/*/src/**/*.test.ts'],
  },
});
