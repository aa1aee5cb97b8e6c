//! Block nodes into blocks.

use comrak::nodes::{ListType, Node, NodeCodeBlock, NodeHeading, NodeList, NodeValue};
use comrak::{Arena, parse_document};
use serde_json::Value;

use super::inline_read::{Unmodelled, read_inlines};
use super::layout::Margin;
use super::source::{Container, Source, trim, trim_end};
use super::write::{Marker, default_fence, is_rule, marker_of, write_image};
use super::{options, raw_block, set_hint};
use crate::document::{Block, attr, kind, line_breaks};

/// Containers nested deeper are kept verbatim.
const DEPTH_MAX: usize = 16;

/// A top-level construct: its source and the blocks it became.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) source: String,
    /// Blank lines before it.
    pub(super) gap: usize,
    pub(super) blocks: Vec<Block>,
}

impl Unit {
    /// Keeps the source as it is.
    pub(super) fn make_raw(&mut self) {
        self.blocks = vec![raw_block(&self.source, "markdown")];
    }
}

/// Reads a page, unchecked. Lines that belong to no construct (definitions of links) become raw blocks.
pub(super) fn read_units(text: &str) -> Vec<Unit> {
    // Without a newline, comrak takes a last line that is a bare list marker for text; blank lines at the end would
    // belong to a fence that is never closed.
    let text = &format!("{}\n", trim_end(text));
    let arena = Arena::new();
    let root = parse_document(&arena, text, &options());
    let source = Source::new(text);
    let mut units = Units { source: &source, units: Vec::new(), read_to: 0 };
    let mut reader = BlockReader { source: &source, groups: 0 };
    for node in root.children() {
        let at = node.data().sourcepos;
        let first = at.start.line.max(units.read_to + 1);
        units.push(units.read_to + 1, first - 1, Vec::new());
        let mut blocks = Vec::new();
        let place = Place { within: Vec::new(), inset: 0, indent: 0, groups: Vec::new() };
        if reader.block(node, &place, &mut None, &mut blocks).is_err() {
            blocks.clear();
        }
        units.push(first, at.end.line.max(first), blocks);
    }
    units.push(units.read_to + 1, source.len(), Vec::new());
    units.units
}

struct Units<'r, 's> {
    source: &'r Source<'s>,
    units: Vec<Unit>,
    read_to: usize,
}

impl Units<'_, '_> {
    /// Adds the construct in these lines, raw where it has no blocks.
    fn push(&mut self, first: usize, last: usize, blocks: Vec<Block>) {
        let Some((first, last, source)) = self.source.lines(first, last) else { return };
        let gap = first - self.read_to - 1;
        let mut unit = Unit { source, gap, blocks };
        if unit.blocks.is_empty() {
            unit.make_raw();
        }
        self.units.push(unit);
        self.read_to = last;
    }
}

/// Where a block stands.
#[derive(Debug, Clone)]
struct Place {
    within: Vec<Container>,
    /// The width of what the writer puts before each line here.
    inset: usize,
    indent: usize,
    groups: Vec<String>,
}

impl Place {
    fn inside(&self, container: Container, inset: usize) -> Self {
        let mut place = self.clone();
        place.within.push(container);
        place.inset += inset;
        if matches!(container, Container::Item(_)) {
            place.indent += 1;
        }
        place
    }

    fn put(&self, mut block: Block) -> Block {
        if self.indent > 0 {
            block = block.with(attr::INDENT, self.indent);
        }
        if !self.groups.is_empty() {
            block = block.with(attr::IN, self.groups.clone());
        }
        block
    }
}

struct BlockReader<'r, 's> {
    source: &'r Source<'s>,
    groups: usize,
}

type Outcome = Result<(), Unmodelled>;

impl BlockReader<'_, '_> {
    /// `marker` is that of the list item directly before, in the same container.
    fn block<'a>(
        &mut self,
        node: Node<'a>,
        place: &Place,
        marker: &mut Option<Marker>,
        out: &mut Vec<Block>,
    ) -> Outcome {
        if place.within.len() > DEPTH_MAX {
            return Err(Unmodelled);
        }
        let value = node.data().value.clone();
        if let NodeValue::List(_) = value {
            return node.children().try_for_each(|item| self.item(item, place, marker, out));
        }
        *marker = None;
        let block = match value {
            NodeValue::BlockQuote => return self.quote(node, place, out),
            NodeValue::Paragraph => self.paragraph(node, place),
            NodeValue::Heading(heading) => self.heading(node, place, &heading)?,
            NodeValue::CodeBlock(code) => code_block(&code),
            NodeValue::ThematicBreak => {
                let mut block = Block::new(kind::DIVIDER);
                let rule = self.slice(node, place)?;
                if trim(&rule) != "---" && is_rule(trim(&rule)) {
                    set_hint(&mut block.attrs, "rule", trim(&rule));
                }
                block
            }
            NodeValue::HtmlBlock(_) => raw_block(&self.slice(node, place)?, "html"),
            NodeValue::FrontMatter(text) => raw_block(trim_end(&text), "yaml"),
            _ => raw_block(&self.slice(node, place)?, "markdown"),
        };
        out.push(place.put(block));
        Ok(())
    }

    fn slice<'a>(&self, node: Node<'a>, place: &Place) -> Result<String, Unmodelled> {
        let slice = self.source.slice(node.data().sourcepos, &place.within).ok_or(Unmodelled)?;
        Ok(trim_end(&slice).to_owned())
    }

    fn children<'a>(&mut self, node: Node<'a>, place: &Place, out: &mut Vec<Block>) -> Outcome {
        let mut marker = None;
        node.children().try_for_each(|child| self.block(child, place, &mut marker, out))
    }

    fn paragraph<'a>(&self, node: Node<'a>, place: &Place) -> Block {
        if let Some(image) = self.image(node, place) {
            return image;
        }
        let mut block = Block::default();
        block.runs = read_inlines(
            self.source,
            node,
            &place.within,
            Margin { every: place.inset, lead: 0 },
            &mut block.attrs,
        );
        block
    }

    /// A paragraph that is one image, written as this version would.
    fn image<'a>(&self, node: Node<'a>, place: &Place) -> Option<Block> {
        let only = node.first_child().filter(|child| child.next_sibling().is_none())?;
        let data = only.data();
        let NodeValue::Image(link) = &data.value else { return None };
        let mut block = Block::new(kind::IMAGE).with(attr::SRC, link.url.as_str());
        if !link.title.is_empty() {
            block = block.with(attr::TITLE, link.title.as_str());
        }
        let margin = Margin::default();
        block.runs = read_inlines(self.source, only, &place.within, margin, &mut block.attrs);
        block.attrs.remove(attr::MD);
        let slice = self.source.slice(data.sourcepos, &place.within)?;
        let plain = block.runs.iter().all(|run| run.marks.is_empty());
        (plain && write_image(&block) == slice).then_some(block)
    }

    fn heading<'a>(&self, node: Node<'a>, place: &Place, heading: &NodeHeading) -> Result<Block, Unmodelled> {
        let mut block = Block::new(kind::HEADING).with(attr::LEVEL, heading.level);
        let slice = self.slice(node, place)?;
        if heading.setext {
            let underline = trim(slice.lines().next_back().unwrap_or(""));
            set_hint(&mut block.attrs, "setext", underline);
        } else if heading.closed {
            let hashes = slice.len() - slice.trim_end_matches('#').len();
            set_hint(&mut block.attrs, "close", "#".repeat(hashes));
        }
        block.runs = read_inlines(
            self.source,
            node,
            &place.within,
            Margin { every: place.inset, lead: 0 },
            &mut block.attrs,
        );
        Ok(block)
    }

    fn quote<'a>(&mut self, node: Node<'a>, place: &Place, out: &mut Vec<Block>) -> Outcome {
        let mut inside = place.inside(Container::Quote, 2);
        let only = node.first_child().filter(|child| child.next_sibling().is_none());
        if let Some(only) = only.filter(|child| matches!(child.data().value, NodeValue::Paragraph)) {
            let mut block = self.paragraph(only, &inside);
            if block.kind == kind::PARAGRAPH {
                kind::QUOTE.clone_into(&mut block.kind);
                out.push(place.put(block));
                return Ok(());
            }
        }
        let before = out.len();
        inside.groups.push(format!("g{}", self.groups));
        self.groups += 1;
        self.children(node, &inside, out)?;
        if out.len() == before { Err(Unmodelled) } else { Ok(()) }
    }

    fn item<'a>(
        &mut self,
        node: Node<'a>,
        place: &Place,
        marker: &mut Option<Marker>,
        out: &mut Vec<Block>,
    ) -> Outcome {
        let data = node.data();
        let at = data.sourcepos.start;
        let written = self.source.rest_of_line(at).ok_or(Unmodelled)?;
        let parent = node.parent().ok_or(Unmodelled)?;
        let NodeValue::List(list) = parent.data().value else { return Err(Unmodelled) };
        let mut block = place.put(Block::new(kind::LIST_ITEM));
        let task = match &data.value {
            NodeValue::TaskItem(task) => Some(task.symbol),
            NodeValue::Item(_) => None,
            _ => return Err(Unmodelled),
        };
        let own = item_marker(written, &list)?;
        if !list.tight {
            set_hint(&mut block.attrs, "loose", looseness(node));
        }
        describe_item(&mut block, &own, &list, task, marker.as_ref(), node.previous_sibling().is_none());
        let content = Container::Item(content_column(written, &own, &list));
        let inside = place.inside(content, own.text().len() + 1);
        let mut first = node.first_child();
        if let Some(text) = first.filter(|child| matches!(child.data().value, NodeValue::Paragraph)) {
            let lead = if task.is_some() { 4 } else { 0 };
            let margin = Margin { every: inside.inset, lead };
            block.runs = read_inlines(self.source, text, &inside.within, margin, &mut block.attrs);
            first = text.next_sibling();
        }
        *marker = Some(own);
        out.push(block);
        let mut inner = None;
        while let Some(child) = first {
            self.block(child, &inside, &mut inner, out)?;
            first = child.next_sibling();
        }
        Ok(())
    }
}

/// The marker at the start of an item's first line.
fn item_marker(written: &str, list: &NodeList) -> Result<Marker, Unmodelled> {
    let length = match list.list_type {
        ListType::Bullet => 1,
        ListType::Ordered => written.bytes().take_while(u8::is_ascii_digit).count() + 1,
    };
    written.get(..length).and_then(Marker::parse).ok_or(Unmodelled)
}

/// How far an item's content stands from where its marker does.
fn content_column(written: &str, own: &Marker, list: &NodeList) -> usize {
    let width = own.text().len();
    let spaces = written[width..].bytes().take_while(|byte| *byte == b' ').count();
    let content = if (1..=4).contains(&spaces) && written.len() > width + spaces { spaces } else { 1 };
    list.marker_offset + width + content
}

/// How the source of a loose list sets an item apart: from its neighbours alone, or its text from what follows too.
fn looseness<'a>(item: Node<'a>) -> Value {
    let text = item.first_child();
    let next = text.and_then(|text| text.next_sibling());
    let touching = |(text, next): (Node<'a>, Node<'a>)| {
        next.data().sourcepos.start.line == text.data().sourcepos.end.line + 1
    };
    if text.zip(next).is_some_and(touching) { Value::from("items") } else { Value::Bool(true) }
}

fn describe_item(
    block: &mut Block,
    own: &Marker,
    list: &NodeList,
    task: Option<Option<char>>,
    before: Option<&Marker>,
    first: bool,
) {
    match (task, list.list_type) {
        (Some(symbol), _) => {
            block.attrs.insert(attr::KIND.to_owned(), Value::from("task"));
            block.attrs.insert(attr::CHECKED.to_owned(), Value::from(symbol.is_some()));
            if let Some(symbol) = symbol.filter(|symbol| *symbol != 'x') {
                set_hint(&mut block.attrs, "check", symbol.to_string());
            }
        }
        (None, ListType::Ordered) => {
            block.attrs.insert(attr::KIND.to_owned(), Value::from("ordered"));
            if first && list.start != 1 {
                block.attrs.insert(attr::START.to_owned(), Value::from(list.start));
            }
        }
        (None, ListType::Bullet) => {
            block.attrs.insert(attr::KIND.to_owned(), Value::from("bullet"));
        }
    }
    let expected = marker_of(block, before);
    if expected.text() != own.text() {
        set_hint(&mut block.attrs, "marker", own.text());
    }
}

fn code_block(code: &NodeCodeBlock) -> Block {
    let mut block = Block::new(kind::CODE_BLOCK);
    if !code.info.is_empty() {
        block = block.with(attr::LANG, code.info.as_str());
    }
    let text = code.literal.strip_suffix('\n').unwrap_or(&code.literal);
    let fence = if code.fenced {
        char::from(code.fence_char).to_string().repeat(code.fence_length)
    } else {
        String::new()
    };
    if fence != default_fence(text, &code.info) {
        set_hint(&mut block.attrs, "fence", fence);
    }
    block.text(&line_breaks(text))
}
