/** The languages that code is coloured in. Each grammar is loaded when the first block needs it. */
import type { HLJSApi, LanguageFn } from 'highlight.js';

type Loader = () => Promise<{ readonly default: LanguageFn }>;

const LOADERS: Readonly<Record<string, Loader>> = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  go: () => import('highlight.js/lib/languages/go'),
  graphql: () => import('highlight.js/lib/languages/graphql'),
  haskell: () => import('highlight.js/lib/languages/haskell'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  lua: () => import('highlight.js/lib/languages/lua'),
  makefile: () => import('highlight.js/lib/languages/makefile'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  nix: () => import('highlight.js/lib/languages/nix'),
  perl: () => import('highlight.js/lib/languages/perl'),
  php: () => import('highlight.js/lib/languages/php'),
  powershell: () => import('highlight.js/lib/languages/powershell'),
  python: () => import('highlight.js/lib/languages/python'),
  r: () => import('highlight.js/lib/languages/r'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  scss: () => import('highlight.js/lib/languages/scss'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
};

/** Other names that people write. */
const ALIASES: Readonly<Record<string, string>> = {
  'c#': 'csharp',
  'c++': 'cpp',
  cc: 'cpp',
  console: 'bash',
  cs: 'csharp',
  docker: 'dockerfile',
  golang: 'go',
  gql: 'graphql',
  h: 'c',
  hpp: 'cpp',
  hs: 'haskell',
  html: 'xml',
  js: 'javascript',
  json5: 'json',
  jsonc: 'json',
  jsx: 'javascript',
  kt: 'kotlin',
  make: 'makefile',
  md: 'markdown',
  mjs: 'javascript',
  mts: 'typescript',
  patch: 'diff',
  pl: 'perl',
  ps1: 'powershell',
  py: 'python',
  rb: 'ruby',
  rs: 'rust',
  sass: 'scss',
  sh: 'bash',
  shell: 'bash',
  svelte: 'xml',
  svg: 'xml',
  toml: 'ini',
  ts: 'typescript',
  tsx: 'typescript',
  vue: 'xml',
  yml: 'yaml',
  zsh: 'bash',
};

/** Grammars that others use for what is nested in them. */
const NESTED: Readonly<Record<string, readonly string[]>> = {
  markdown: ['xml'],
  php: ['xml'],
  typescript: ['xml'],
  javascript: ['xml'],
  xml: ['css', 'javascript'],
};

/** The grammar for what a code block says of itself (a name, perhaps with more behind it), or null. */
export function grammarOf(lang: string): string | null {
  const name = /^[\w+#.-]+/u.exec(lang.trim().toLowerCase())?.[0] ?? '';
  const known = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  return Object.hasOwn(LOADERS, known) ? known : null;
}

/** A stretch of text and the classes of its colour. */
export interface Token {
  readonly from: number;
  readonly to: number;
  readonly classes: string;
}

/** What is loaded, for all editors of the window. */
let api: HLJSApi | null = null;
const loading = new Map<string, Promise<void>>();

/** Whether code of a grammar can be coloured at once. */
export const isLoaded = (grammar: string): boolean => api?.getLanguage(grammar) !== undefined;

/** Loads a grammar and those nested in it. */
export function load(grammar: string): Promise<void> {
  const known = loading.get(grammar);
  if (known) return known;
  // Set before anything is awaited: grammars are nested in each other.
  const loaded = loadOne(grammar);
  loading.set(grammar, loaded);
  return loaded;
}

async function loadOne(grammar: string): Promise<void> {
  const loader = LOADERS[grammar];
  if (!loader) return;
  const [{ default: core }, { default: language }] = await Promise.all([import('highlight.js/lib/core'), loader()]);
  api = core;
  core.registerLanguage(grammar, language);
  for (const nested of NESTED[grammar] ?? []) if (!loading.has(nested)) await load(nested);
}

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" };

/** The coloured stretches of a text, in order; none of them overlap. */
export function tokenize(text: string, grammar: string): readonly Token[] {
  if (!api || !isLoaded(grammar)) return [];
  const { value } = api.highlight(text, { language: grammar, ignoreIllegals: true });
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = 0;
  // The result is HTML of a kind: spans with a class, and text with five entities.
  for (const [piece, classes] of value.matchAll(/<span class="([^"]*)">|<\/span>|&(?:amp|lt|gt|quot|#x27);|[^<&]+/gu)) {
    if (classes !== undefined) open.push(classes);
    else if (piece === '</span>') open.pop();
    else {
      const to = at + (ENTITIES[piece] ?? piece).length;
      const last = tokens.at(-1);
      const colour = open.at(-1) ?? '';
      if (colour !== '' && last?.to === at && last.classes === colour) tokens[tokens.length - 1] = { ...last, to };
      else if (colour !== '') tokens.push({ from: at, to, classes: colour });
      at = to;
    }
  }
  return tokens;
}
