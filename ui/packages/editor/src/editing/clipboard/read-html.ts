/**
 * Reads pasted HTML.
 *
 * Nothing of it reaches the page but text, known marks and known blocks: this reader knows what it takes, and leaves the
 * rest. Nested lists become depth, a table becomes source, and what Word and Google Docs say by style is understood.
 */
import { DOMParser, Fragment, type Mark, type ParseOptions, type Schema, Slice } from 'prosemirror-model';
import { safeHref } from '../../schema';
import { DEEPEST_INDENT } from '../blocks';
import { blockFromData, embedFromData } from './block-data';
import { isHidden, isWordMarker, type Look, lookOf, styleOf, wordListDepth } from './html-style';
import { type BlockStart, PageBuilder } from './page-builder';
import { readTable } from './read-table';

/** Elements nested deeper are left out; browsers nest no deeper than twice this themselves. */
const DEPTH_MAX = 256;

/** Never read, not even their text. */
const SKIPPED = new Set(
  'script style template noscript head title meta link base object embed iframe frame applet svg math canvas audio video button select textarea input option datalist dialog'.split(' '),
);

/** Elements that stand on lines of their own. */
const BLOCKS = new Set(
  'address article aside body center dd details div dl dt fieldset figcaption figure footer form header html legend main nav p section summary tbody td tfoot th thead tr table caption'.split(' '),
);

/** Where in the HTML the reader is. */
interface Place {
  readonly look: Look;
  readonly link: string | null;
  /** The depth of blocks here. */
  readonly indent: number;
  /** The list that items here belong to. */
  readonly list: 'bullet' | 'ordered' | null;
  readonly quote: boolean;
  readonly heading: boolean;
  readonly depth: number;
}

class HtmlReader {
  readonly #schema: Schema;
  readonly #page: PageBuilder;
  /** Whether the HTML is this editor's own: it says what its blocks are, and white space counts. */
  readonly #own: boolean;
  /** The number of the first item of the list that has just begun, if it is not 1. */
  #start: number | null = null;

  constructor(schema: Schema, own: boolean) {
    [this.#schema, this.#own] = [schema, own];
    this.#page = new PageBuilder(schema, own);
  }

  read(dom: Node): Slice {
    this.#children(dom, { look: {}, link: null, indent: 0, list: null, quote: false, heading: false, depth: 0 });
    const blocks = this.#page.finish();
    return Slice.maxOpen(Fragment.from([...blocks]));
  }

  #children(dom: Node, place: Place): void {
    if (place.depth > DEPTH_MAX) return;
    const inside = { ...place, depth: place.depth + 1 };
    for (let child = dom.firstChild; child; child = child.nextSibling) {
      if (child.nodeType === 3) this.#text(child.nodeValue ?? '', inside);
      else if (child.nodeType === 1) this.#element(child as Element, inside);
    }
  }

  #text(text: string, place: Place): void {
    if (!this.#page.isOpen) {
      // White space between blocks is the layout of the source.
      if (/^[ \t\r\n\f]*$/u.test(text)) return;
      this.#page.begin(this.#blockHere(place));
    }
    this.#page.text(text, this.#marks(place));
  }

  /** A block of running text at this place. */
  #blockHere({ indent, quote }: Place, keep = false): BlockStart {
    return { type: quote ? 'quote' : 'paragraph', attrs: { indent: indent || null }, keep };
  }

  #marks({ look, link, heading }: Place): Mark[] {
    const marks: Mark[] = [];
    for (const [name, on] of Object.entries(look)) {
      // What is bold in a heading is bold by being one.
      const type = on && !(heading && name === 'bold') ? this.#schema.marks[name] : undefined;
      if (type) marks.push(type.create());
    }
    const { link: linkType } = this.#schema.marks;
    if (link !== null && linkType) marks.push(linkType.create({ value: link }));
    return marks.reduce<readonly Mark[]>((set, mark) => mark.addToSet(set), []) as Mark[];
  }

  #element(dom: Element, place: Place): void {
    const tag = dom.localName;
    if (this.#own && dom.hasAttribute('data-block')) return this.#ownBlock(dom, place);
    if (this.#own && dom.hasAttribute('data-embed')) return this.#ownEmbed(dom, place);
    if (SKIPPED.has(tag) || isHidden(dom) || isWordMarker(dom)) return;
    const heading = /^h([1-6])$/u.exec(tag);
    if (heading) return this.#whole(dom, place, { type: 'heading', attrs: { level: Number(heading[1]) } });
    switch (tag) {
      case 'br':
        return this.#page.lineBreak(this.#marks(place));
      case 'hr':
        this.#page.begin({ type: 'divider', attrs: { indent: place.indent || null }, keep: true });
        return this.#page.end();
      case 'ul':
      case 'ol':
      case 'menu':
        return this.#listOf(dom, place);
      case 'li':
        return this.#item(dom, place);
      case 'pre':
        return this.#code(dom, place);
      case 'blockquote':
        return this.#apart(dom, { ...place, quote: true });
      case 'img':
        return this.#image(dom, place);
      case 'table':
        return this.#table(dom, place);
      case 'p':
        return this.#paragraph(dom, place);
      default:
        if (isProgram(dom)) this.#code(dom, place);
        else if (BLOCKS.has(tag)) this.#apart(dom, place);
        else this.#children(dom, this.#inline(dom, place));
    }
  }

  /** The place inside an inline element. */
  #inline(dom: Element, place: Place): Place {
    const href = dom.localName === 'a' ? dom.getAttribute('href') : null;
    // A relative address means nothing here.
    const link = href !== null && /^[a-z][a-z0-9+.-]*:/iu.test(href.trim()) ? safeHref(href.trim()) : place.link;
    return { ...place, link, look: { ...place.look, ...lookOf(dom) } };
  }

  /** An element on lines of its own. In an item that has no text yet, its text is the item's. */
  #apart(dom: Element, place: Place): void {
    const fresh = this.#page.isFresh && place.list !== null;
    if (!fresh) this.#page.end();
    this.#children(dom, this.#inline(dom, place));
    this.#page.end();
  }

  #whole(dom: Element, place: Place, start: BlockStart): void {
    if (this.#page.isFresh && place.list !== null) return this.#apart(dom, place);
    this.#page.begin({ ...start, attrs: { ...start.attrs, indent: place.indent || null } });
    this.#children(dom, { ...this.#inline(dom, place), heading: true });
    this.#page.end();
  }

  #paragraph(dom: Element, place: Place): void {
    const depth = wordListDepth(dom);
    const style = dom.getAttribute('class') ?? '';
    const heading = /\bMso(?:Heading([1-6])|Title)\b/u.exec(style);
    if (depth !== null) {
      const marker = [...dom.querySelectorAll('[style]')].find(isWordMarker)?.textContent ?? '';
      const kind = /^\s*[\p{L}\d]{1,6}[.)]/u.test(marker) ? 'ordered' : 'bullet';
      this.#page.begin({ type: 'list_item', attrs: { kind, indent: Math.min(place.indent + depth, DEEPEST_INDENT) || null } });
      this.#children(dom, this.#inline(dom, place));
      this.#page.end();
    } else if (heading) this.#whole(dom, place, { type: 'heading', attrs: { level: Number(heading[1] ?? 1) } });
    else this.#apart(dom, /\bMso(?:Intense)?Quote\b/u.test(style) ? { ...place, quote: true } : place);
  }

  #listOf(dom: Element, place: Place): void {
    // An item's list begins below its text; a list right in a list is one deeper, too.
    this.#page.end();
    const start = Number(dom.getAttribute('start') ?? 1);
    this.#start = dom.localName === 'ol' && Number.isSafeInteger(start) && start !== 1 ? start : null;
    const nested = ['ul', 'ol', 'menu'].includes(dom.parentElement?.localName ?? '');
    const indent = Math.min(place.indent + (nested ? 1 : 0), DEEPEST_INDENT);
    this.#children(dom, { ...place, indent, list: dom.localName === 'ol' ? 'ordered' : 'bullet' });
    this.#page.end();
  }

  #item(dom: Element, place: Place): void {
    const box = dom.querySelector('input[type=checkbox], .checkbox, [role=checkbox]');
    const own = dom.getAttribute('role') === 'checkbox' ? dom : box?.closest('li') === dom ? box : null;
    const checked =
      own !== null && (own.hasAttribute('checked') || own.getAttribute('aria-checked') === 'true' || own.classList.contains('checkbox-on'));
    const attrs = {
      kind: own ? 'task' : (place.list ?? 'bullet'),
      checked: checked ? true : null,
      start: own ? null : this.#start,
      indent: place.indent || null,
    };
    this.#start = null;
    this.#page.begin({ type: 'list_item', attrs });
    const indent = Math.min(place.indent + 1, DEEPEST_INDENT);
    this.#children(dom, { ...this.#inline(dom, place), indent, list: place.list ?? 'bullet' });
    this.#page.end();
  }

  #code(dom: Element, place: Place): void {
    const names = [dom, dom.querySelector('code'), dom.parentElement].map((each) => each?.getAttribute('class') ?? '').join(' ');
    const lang = /(?:^|\s)(?:language-|lang-|highlight-source-)([\w+#.-]{1,40})/u.exec(names)?.[1] ?? null;
    this.#page.begin({ type: 'code_block', attrs: { lang, indent: place.indent || null }, keep: true });
    this.#page.text(sourceText(dom, dom.localName === 'div').replace(/\n$/u, ''));
    this.#page.end();
  }

  #image(dom: Element, place: Place): void {
    const src = dom.getAttribute('src')?.trim() ?? '';
    // A picture on somebody's disk or inside the HTML cannot be kept by its address.
    if (!/^https?:/iu.test(src) || safeHref(src) === null) return;
    const resume = this.#page.isOpen && !this.#page.isFresh;
    this.#page.begin({ type: 'image', attrs: { src, indent: place.indent || null }, keep: true });
    this.#page.text(dom.getAttribute('alt') ?? '');
    this.#page.end();
    if (resume) this.#page.begin(this.#blockHere(place));
  }

  #table(dom: Element, place: Place): void {
    const source = readTable(dom);
    if (source === null) return this.#apart(dom, place);
    this.#page.begin({ type: 'raw', attrs: { lang: 'markdown', indent: place.indent || null } });
    this.#page.text(source);
    this.#page.end();
  }

  #ownBlock(dom: Element, place: Place): void {
    const start = blockFromData(this.#schema, dom.getAttribute('data-block') ?? '', dom.getAttribute('data-attrs'));
    this.#page.begin({ ...start, keep: true });
    if (start.type === 'code_block' || start.type === 'raw') this.#page.text(sourceText(dom));
    else if (start.type === 'image') this.#children(dom.querySelector('figcaption') ?? dom, { ...place, look: {}, link: null });
    else this.#children(dom, { ...place, look: {}, link: null });
    this.#page.end();
  }

  #ownEmbed(dom: Element, place: Place): void {
    const embed = embedFromData(this.#schema, dom.getAttribute('data-embed'), this.#marks(place));
    if (embed) this.#page.inline(embed);
  }
}

/** Whether an element is a copy from a program editor: its text is set like source, and each line is an element. */
function isProgram(dom: Element): boolean {
  if (dom.localName !== 'div' || !dom.hasAttribute('style')) return false;
  const style = styleOf(dom);
  return /^pre\b/u.test(style.get('white-space') ?? '') && /\bmono(?:space)?\b/u.test(style.get('font-family') ?? '');
}

/** The text of source, with its line breaks. `lines`: each `div` is a line. */
function sourceText(dom: Node, lines = false): string {
  const parts: string[] = [];
  const stack: Node[] = [dom];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.nodeType === 3) parts.push(node.nodeValue ?? '');
    else if (node.nodeType === 1 && (node as Element).localName === 'br') parts.push('\n');
    if (lines && node.nodeType === 1 && (node as Element).localName === 'div' && parts.length > 0) parts.push('\n');
    for (let child = node.lastChild; child; child = child.previousSibling) stack.push(child);
  }
  return parts.join('');
}

/** HTML without its style sheets: nobody reads them here, and applying them to every element takes its time. */
export function withoutStyleSheets(html: string): string {
  const lower = html.toLowerCase();
  let kept = '';
  for (let at = 0; at < html.length; ) {
    const start = lower.indexOf('<style', at);
    if (start < 0) return kept + html.slice(at);
    kept += html.slice(at, start);
    const end = lower.indexOf('</style', start);
    const close = end < 0 ? -1 : lower.indexOf('>', end);
    if (close < 0) return kept;
    at = close + 1;
  }
  return kept;
}

/** The parser that a view uses for pasted and dropped HTML. */
export class ClipboardParser extends DOMParser {
  constructor(schema: Schema) {
    super(schema, []);
  }

  override parseSlice(dom: Node, options: ParseOptions = {}): Slice {
    return new HtmlReader(this.schema, options.preserveWhitespace === true).read(dom);
  }
}
