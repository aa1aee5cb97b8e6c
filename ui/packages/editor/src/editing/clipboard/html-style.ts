/** What the styles of pasted HTML say about the look of text and about lists. Nothing of a style reaches the page. */

/** The longest style attribute that is read, in UTF-16 units. */
const STYLE_MAX = 4096;

/** The declarations of a style attribute, names and values in lower case. Word's own properties are in here too. */
export function styleOf(dom: Element): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const declaration of (dom.getAttribute('style') ?? '').slice(0, STYLE_MAX).split(';')) {
    const colon = declaration.indexOf(':');
    if (colon > 0) found.set(declaration.slice(0, colon).trim().toLowerCase(), declaration.slice(colon + 1).trim().toLowerCase());
  }
  return found;
}

/** A change of look: true puts a mark on, false takes it off, absent leaves it. */
export type Look = Readonly<Partial<Record<'bold' | 'italic' | 'underline' | 'strike' | 'code' | 'highlight', boolean>>>;

const TAGS: Readonly<Record<string, Look>> = {
  b: { bold: true },
  strong: { bold: true },
  i: { italic: true },
  em: { italic: true },
  cite: { italic: true },
  dfn: { italic: true },
  u: { underline: true },
  ins: { underline: true },
  s: { strike: true },
  strike: { strike: true },
  del: { strike: true },
  code: { code: true },
  kbd: { code: true },
  samp: { code: true },
  tt: { code: true },
  mark: { highlight: true },
};

/** What an element does to the look of its text: its tag, then its style, which may take back what the tag says. */
export function lookOf(dom: Element): Look {
  const style = styleOf(dom);
  const look: { -readonly [Key in keyof Look]: Look[Key] } = { ...TAGS[dom.localName] };
  const weight = style.get('font-weight');
  if (weight !== undefined) {
    if (weight === 'normal' || Number(weight) < 600) look.bold = false;
    else if (weight.startsWith('bold') || Number(weight) >= 600) look.bold = true;
  }
  const slant = style.get('font-style');
  if (slant === 'normal') look.italic = false;
  else if (slant === 'italic' || slant === 'oblique') look.italic = true;
  const line = `${style.get('text-decoration') ?? ''} ${style.get('text-decoration-line') ?? ''}`;
  if (line.includes('line-through')) look.strike = true;
  if (line.includes('underline') && dom.localName !== 'a') look.underline = true;
  return look;
}

/** Whether an element is not meant to be seen. */
export function isHidden(dom: Element): boolean {
  const style = styleOf(dom);
  return dom.hasAttribute('hidden') || style.get('display') === 'none' || style.get('mso-hide') === 'all';
}

/** A paragraph that Word means as a list item: its depth from 0. */
export function wordListDepth(dom: Element): number | null {
  const list = styleOf(dom).get('mso-list');
  const level = list === undefined ? null : /\blevel([1-9])\b/u.exec(list);
  return level ? Number(level[1]) - 1 : null;
}

/** Word writes bullets and numbers as text, in an element that says it is none. */
export const isWordMarker = (dom: Element): boolean => /^ignore\b/u.test(styleOf(dom).get('mso-list') ?? '');
