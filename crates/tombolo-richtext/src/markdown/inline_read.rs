//! Inline nodes into runs.

use comrak::nodes::{LineColumn, Node, NodeValue};
use serde_json::Value;

use super::inline_write::{self, NEST, code_span, link_suffix};
use super::layout::{self, Margin};
use super::source::{Container, Source, trim};
use crate::document::{Attrs, LINE_BREAK, Marks, Run, line_breaks, mark};

/// Inline nesting beyond this is kept verbatim.
const DEPTH_MAX: usize = 32;

/// The longest entity with its `&` and `;`, in bytes.
const ENTITY_MAX: usize = 40;

/// The inlines have no faithful form as runs.
pub(super) struct Unmodelled;

type Outcome = Result<(), Unmodelled>;

struct InlineReader<'r, 's> {
    source: &'r Source<'s>,
    within: &'r [Container],
    /// Marks around the current node, outermost first.
    open: Vec<(&'static str, Value)>,
    runs: Vec<Run>,
    /// For each run the order of its marks.
    nests: Vec<String>,
}

/// Reads a block's inlines. Sets the hint `wrap` in `attrs` where breaking at a column gives the source's lines.
///
pub(super) fn read_inlines<'a>(
    source: &Source<'_>,
    node: Node<'a>,
    within: &[Container],
    margin: Margin,
    attrs: &mut Attrs,
) -> Vec<Run> {
    let (Some(first), Some(last)) = (node.first_child(), node.last_child()) else {
        return Vec::new();
    };
    let (start, end) = (first.data().sourcepos.start, last.data().sourcepos.end);
    let Some(written) = source.between(start, end, within) else { return Vec::new() };
    let written: Vec<&str> = written.split('\n').map(trim).collect();
    let mut reader = InlineReader { source, within, open: Vec::new(), runs: Vec::new(), nests: Vec::new() };
    let read = reader.children(node, 0);
    let (runs, nests) = (reader.runs, reader.nests);
    let same = |runs: &[Run]| squash(&inline_write::verbatim(runs)) == squash(&written.concat());
    let runs = match read {
        Ok(()) if same(&runs) => merge(runs),
        Ok(()) => {
            let nested = merge(with_nests(runs, &nests));
            if same(&nested) { nested } else { source_run(&written) }
        }
        Err(Unmodelled) => source_run(&written),
    };
    layout::find_wrap(runs, &written, margin, attrs)
}

fn squash(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn source_run(written: &[&str]) -> Vec<Run> {
    vec![Run::plain(&line_breaks(&written.join("\n"))).with(mark::MD, true)]
}

fn with_nests(mut runs: Vec<Run>, nests: &[String]) -> Vec<Run> {
    for (run, nest) in runs.iter_mut().zip(nests) {
        if nest.contains(' ') {
            run.marks.insert(NEST.to_owned(), Value::from(nest.as_str()));
        }
    }
    runs
}

/// Joins neighbours whose marks are equal; neighbours that differ only in their source, to one source.
fn merge(runs: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match out.last_mut() {
            Some(last) if joins(last, &run) => {
                last.text.push_str(&run.text);
                if let (Some(Value::String(there)), Some(Value::String(here))) =
                    (last.marks.get_mut(mark::MD), run.marks.get(mark::MD))
                {
                    there.push_str(here);
                }
            }
            _ => out.push(run),
        }
    }
    out
}

fn joins(last: &Run, run: &Run) -> bool {
    let is_source = |run: &Run| run.marks.get(mark::MD).is_some_and(Value::is_string);
    let is_break =
        |run: &Run| run.marks.get(mark::MD).and_then(Value::as_str).is_some_and(|md| md.ends_with('\n'));
    if is_source(last) && is_source(run) {
        let others = |run: &Run| {
            run.marks
                .iter()
                .filter(|(key, _)| *key != mark::MD)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect::<Vec<_>>()
        };
        return !is_break(last) && !is_break(run) && others(last) == others(run);
    }
    last.marks == run.marks
}

impl InlineReader<'_, '_> {
    fn children<'a>(&mut self, node: Node<'a>, depth: usize) -> Outcome {
        if depth > DEPTH_MAX {
            return Err(Unmodelled);
        }
        let mut next = node.first_child();
        while let Some(child) = next {
            next = match self.tagged(child, depth)? {
                Some(close) => close.next_sibling(),
                None => {
                    self.node(child, depth)?;
                    child.next_sibling()
                }
            };
        }
        Ok(())
    }

    /// Reads `<u>…</u>` and `<mark>…</mark>` as marks; gives the closing tag.
    fn tagged<'a>(&mut self, open: Node<'a>, depth: usize) -> Result<Option<Node<'a>>, Unmodelled> {
        let (key, closing) = match &open.data().value {
            NodeValue::HtmlInline(tag) if tag == "<u>" => (mark::UNDERLINE, "</u>"),
            NodeValue::HtmlInline(tag) if tag == "<mark>" => (mark::HIGHLIGHT, "</mark>"),
            _ => return Ok(None),
        };
        let is_html = |node: &Node<'a>| matches!(&node.data().value, NodeValue::HtmlInline(_));
        let tag = open.following_siblings().skip(1).find(is_html);
        let close =
            tag.filter(|node| matches!(&node.data().value, NodeValue::HtmlInline(tag) if tag == closing));
        let Some(close) = close else { return Ok(None) };
        self.open.push((key, Value::Bool(true)));
        let mut next = open.next_sibling();
        while let Some(child) = next.filter(|child| !child.same_node(close)) {
            self.node(child, depth)?;
            next = child.next_sibling();
        }
        self.open.pop();
        Ok(Some(close))
    }

    fn node<'a>(&mut self, node: Node<'a>, depth: usize) -> Outcome {
        let data = node.data();
        let at = data.sourcepos;
        match &data.value {
            NodeValue::Text(text) => self.text(text, &self.slice(node)?),
            NodeValue::SoftBreak => self.push(" ", Some(Value::from("\n"))),
            NodeValue::LineBreak => {
                let bare = self.source.rest_of_line(at.start).is_some_and(|rest| rest.starts_with('\\'));
                self.push(&LINE_BREAK.to_string(), (!bare).then(|| Value::from("  \n")));
            }
            NodeValue::Code(code) => {
                let written = self.slice(node)?;
                let md = (written != code_span(&code.literal)).then(|| Value::from(written));
                self.open.push((mark::CODE, Value::Bool(true)));
                self.push(&line_breaks(&code.literal), md);
                self.open.pop();
            }
            NodeValue::Escaped => {
                let text = node.first_child().ok_or(Unmodelled)?;
                let NodeValue::Text(text) = &text.data().value else { return Err(Unmodelled) };
                self.push(text, Some(Value::from(self.slice(node)?)));
            }
            NodeValue::Emph => self.emphasis(node, depth, mark::ITALIC, 1)?,
            NodeValue::Strong => self.emphasis(node, depth, mark::BOLD, 2)?,
            NodeValue::Strikethrough => {
                let width = if self.slice(node)?.starts_with("~~") { 2 } else { 1 };
                self.emphasis(node, depth, mark::STRIKE, width)?;
            }
            NodeValue::Link(link) => self.link(node, depth, &link.url)?,
            _ => {
                let written = self.slice(node)?;
                self.push(&line_breaks(&written), Some(Value::Bool(true)));
            }
        }
        Ok(())
    }

    fn slice<'a>(&self, node: Node<'a>) -> Result<String, Unmodelled> {
        let at = node.data().sourcepos;
        let slice = self.source.slice(at, self.within).ok_or(Unmodelled)?;
        Ok(if slice.contains('\n') {
            slice.split('\n').map(trim).collect::<Vec<_>>().join("\n")
        } else {
            slice
        })
    }

    fn emphasis<'a>(&mut self, node: Node<'a>, depth: usize, key: &'static str, width: usize) -> Outcome {
        let written = self.slice(node)?;
        let delimiter = written.get(..width).ok_or(Unmodelled)?;
        let default =
            matches!((key, delimiter), (mark::ITALIC, "*") | (mark::BOLD, "**") | (mark::STRIKE, "~~"));
        let value = if default { Value::Bool(true) } else { Value::from(delimiter) };
        self.nested(node, depth, vec![(key, value)])
    }

    fn nested<'a>(&mut self, node: Node<'a>, depth: usize, marks: Vec<(&'static str, Value)>) -> Outcome {
        // The same emphasis twice around one text is one mark.
        if marks.iter().any(|(key, _)| self.open.iter().any(|(open, _)| open == key)) {
            return Err(Unmodelled);
        }
        let before = self.open.len();
        self.open.extend(marks);
        self.children(node, depth + 1)?;
        self.open.truncate(before);
        Ok(())
    }

    fn link<'a>(&mut self, node: Node<'a>, depth: usize, url: &str) -> Outcome {
        let at = node.data().sourcepos;
        let written = self.slice(node)?;
        let Some(last) = node.last_child() else {
            self.push(&line_breaks(&written), Some(Value::Bool(true)));
            return Ok(());
        };
        if !written.starts_with('[') {
            let NodeValue::Text(text) = &last.data().value else { return Err(Unmodelled) };
            self.open.push((mark::LINK, Value::from(url)));
            self.push(text, Some(Value::from(written)));
            self.open.pop();
            return Ok(());
        }
        let end = last.data().sourcepos.end;
        let from = LineColumn { line: end.line, column: end.column + 1 };
        let rest = self.source.between(from, at.end, self.within).ok_or(Unmodelled)?;
        let suffix = rest.trim_start().strip_prefix(']').ok_or(Unmodelled)?;
        let suffix = suffix.split('\n').map(trim).collect::<Vec<_>>().join(" ");
        let mut marks = vec![(mark::LINK, Value::from(url))];
        let like_autolink = written.strip_prefix('[').is_some_and(|text| text.starts_with(url));
        if like_autolink || suffix != link_suffix(url) {
            marks.push((mark::LINK_MD, Value::from(suffix)));
        }
        self.nested(node, depth, marks)
    }

    /// A text node: where its source is not the text itself, the escapes and entities in it become runs of their own.
    fn text(&mut self, text: &str, written: &str) {
        if text == written {
            return self.push(text, None);
        }
        let mut rest = text;
        let mut source = written;
        while let Some(at) = source.find('&') {
            let Some(tail) = rest.get(at..).filter(|_| rest.get(..at) == source.get(..at)) else { break };
            let end = source[at..].bytes().take(ENTITY_MAX).position(|byte| byte == b';');
            let entity = end.map(|end| &source[at..=at + end]);
            let value = entity.and_then(inline_write::decode_entity);
            let (piece, value) = match (entity, value) {
                (Some(entity), Some(value)) if tail.starts_with(&value) => (entity, value),
                _ => ("&", "&".to_owned()),
            };
            self.push(&rest[..at], None);
            self.push(&value, (piece != "&").then(|| Value::from(piece)));
            let Some(after) = tail.get(value.len()..) else { break };
            rest = after;
            source = &source[at + piece.len()..];
        }
        let md = (rest != source).then(|| Value::from(source));
        self.push(rest, md);
    }

    fn push(&mut self, text: &str, md: Option<Value>) {
        if text.is_empty() {
            return;
        }
        let mut marks: Marks =
            self.open.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        if let Some(md) = md {
            marks.insert(mark::MD.to_owned(), md);
        }
        let order: Vec<&str> =
            self.open.iter().map(|(key, _)| *key).filter(|key| inline_write::nests(key)).collect();
        self.nests.push(order.join(" "));
        self.runs.push(Run { text: text.to_owned(), marks });
    }
}
