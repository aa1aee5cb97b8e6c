//! Blocks into Markdown.

use std::collections::HashMap;

use serde_json::Value;

use super::inline_write::{self, Escape, Style, destination};
use super::read::read_units;
use super::source::{trim, trim_end};
use super::{hint, hint_str, layout};
use crate::document::{Block, LINE_BREAK, Run, attr, kind, mark};

/// Boxes and list items nested deeper are written as if they were not nested.
const DEPTH_MAX: usize = 32;

/// The longest label of a definition, in bytes.
const LABEL_MAX: usize = 1000;

/// The most blank lines that a hint asks for.
pub(super) const GAP_MAX: u64 = 8;

/// The ways to write a text, from the one nearest its source to the one that loses its marks.
const STYLES: [Style; 5] = [
    Style { escape: Escape::Nothing, hints: true, marks: true },
    Style { escape: Escape::Starts, hints: true, marks: true },
    Style { escape: Escape::All, hints: true, marks: true },
    Style { escape: Escape::All, hints: false, marks: true },
    Style { escape: Escape::All, hints: false, marks: false },
];

/// A list item's marker.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Marker {
    number: Option<u64>,
    /// The bullet, or what follows the number.
    sign: char,
}

impl Marker {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let sign = chars.next_back()?;
        let digits = chars.as_str();
        match sign {
            '-' | '*' | '+' if digits.is_empty() => Some(Self { number: None, sign }),
            '.' | ')' if (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Self { number: digits.parse().ok(), sign })
            }
            _ => None,
        }
    }

    pub(super) fn text(&self) -> String {
        self.number.map_or_else(|| self.sign.to_string(), |number| format!("{number}{}", self.sign))
    }
}

/// The marker for an item after `before`: its hint where that fits, else the next number.
pub(super) fn marker_of(block: &Block, before: Option<&Marker>) -> Marker {
    let hint = hint_str(&block.attrs, "marker").and_then(Marker::parse);
    match block.str_attr(attr::KIND) {
        "ordered" => {
            let start = block.attrs.get(attr::START).and_then(Value::as_u64).filter(|n| *n < 1_000_000_000);
            let before = before.filter(|marker| marker.number.is_some());
            let next = before.and_then(|marker| marker.number).map_or(1, |n| (n + 1).min(999_999_999));
            let hint = hint.filter(|marker| marker.number.is_some());
            let sign = hint.as_ref().or(before).map_or('.', |marker| marker.sign);
            let number = start.or(hint.and_then(|marker| marker.number)).unwrap_or(next);
            Marker { number: Some(number), sign }
        }
        "task" => hint.unwrap_or(Marker { number: None, sign: '-' }),
        _ => hint.filter(|marker| marker.number.is_none()).unwrap_or(Marker { number: None, sign: '-' }),
    }
}

/// The shortest fence of backticks that the code does not close; tildes where the info string holds a backtick.
pub(super) fn default_fence(text: &str, info: &str) -> String {
    let sign = if info.contains('`') { '~' } else { '`' };
    let longest = text.split(|c| c != sign).map(str::len).max().unwrap_or(0);
    sign.to_string().repeat((longest + 1).max(3))
}

/// An image on its own.
pub(super) fn write_image(block: &Block) -> String {
    let alt = block.plain_text().replace('\n', " ");
    let title = block.str_attr(attr::TITLE).replace('\n', " ");
    let title = if title.is_empty() {
        title
    } else {
        format!(" \"{}\"", title.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let src = block.str_attr(attr::SRC);
    let src = if src.is_empty() && title.is_empty() { String::new() } else { destination(src) };
    let mut escaped = String::with_capacity(alt.len());
    for c in alt.chars() {
        if "\\[]`<*_&".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("![{escaped}]({src}{title})")
}

/// What a part of the page is, as far as the space around it asks.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// `starts`: its number begins a list; `empty`: it has no text; items with another `sign` are another list.
    Item {
        loose: bool,
        starts: bool,
        empty: bool,
        sign: char,
    },
    Code,
    Other,
}

/// Writes blocks; knows the definitions of links and footnotes in the page's raw blocks.
pub(super) struct Writer {
    definitions: HashMap<String, String>,
}

impl Writer {
    pub(super) fn new(blocks: &[&Block]) -> Self {
        let mut definitions = HashMap::new();
        for run in blocks.iter().filter(|block| block.kind == kind::RAW).flat_map(|block| &block.runs) {
            for line in run.text.split(LINE_BREAK) {
                let label = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]:"));
                if let Some((label, _)) = label {
                    definitions.entry(normal_label(label)).or_insert_with(|| line.trim().to_owned());
                }
            }
        }
        Self { definitions }
    }

    /// The whole page.
    pub(super) fn page(&self, blocks: &[&Block]) -> String {
        let mut lines = self.sequence(blocks, 0, 0, 0, true);
        let front = blocks.first().is_some_and(|block| block.kind == kind::RAW);
        if !front
            && lines.first().is_some_and(|line| line == "---")
            && lines[1..].iter().any(|line| line == "---")
        {
            // The reader would take what follows for front matter.
            "***".clone_into(&mut lines[0]);
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        if lines.is_empty() {
            return String::new();
        }
        lines.join("\n") + "\n"
    }

    /// Blocks of one container, line by line. `groups` is the number of boxes around it, `before` the width of what
    /// its containers put in front of each line, `apart` whether a blank line stands between any two of them.
    fn sequence(
        &self,
        blocks: &[&Block],
        depth: usize,
        groups: usize,
        before: usize,
        apart: bool,
    ) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut last: Option<(Shape, &Block)> = None;
        let mut marker: Option<Marker> = None;
        let mut rest = blocks;
        while let Some(block) = rest.first() {
            let own = block.groups();
            let boxed = own.get(groups).filter(|_| depth < DEPTH_MAX);
            let (taken, lines, shape) = if let Some(group) = boxed {
                let taken = rest.iter().take_while(|other| other.groups().get(groups) == Some(group)).count();
                let inner = self.sequence(&rest[..taken], depth + 1, groups + 1, before + 2, true);
                marker = None;
                (taken, quoted(inner), Shape::Other)
            } else if block.kind == kind::LIST_ITEM {
                let deeper = |other: &&&Block| other.indent() > block.indent();
                let children =
                    if depth < DEPTH_MAX { rest[1..].iter().take_while(deeper).count() } else { 0 };
                let own = marker_of(block, marker.as_ref());
                let starts = own.number.is_some_and(|number| number != 1)
                    && marker.as_ref().is_none_or(|m| m.number.is_none());
                let loose = hint(&block.attrs, "loose").is_some();
                let sign = own.sign;
                let lines = self.item(&rest[..=children], &own, depth, groups, before);
                marker = Some(own);
                (children + 1, lines, Shape::Item { loose, starts, empty: block.runs.is_empty(), sign })
            } else {
                marker = None;
                let shape = if block.kind == kind::CODE_BLOCK { Shape::Code } else { Shape::Other };
                (1, self.leaf(block, before, ""), shape)
            };
            if !lines.is_empty() {
                let blank =
                    last.as_ref().is_some_and(|(shape_before, _)| blank_between(shape_before, &shape, apart));
                let gap = hint(&block.attrs, "gap").and_then(Value::as_u64).filter(|_| before == 0);
                let blanks = match (gap, &last) {
                    (Some(0), Some((_, last))) if touches(last, block) => 0,
                    (Some(lines @ 1..=GAP_MAX), _) => lines,
                    _ => u64::from(blank),
                };
                out.extend((0..blanks).map(|_| String::new()));
                out.extend(lines);
                last = Some((shape, rest[taken - 1]));
            }
            rest = &rest[taken..];
        }
        out
    }

    fn item(
        &self,
        blocks: &[&Block],
        marker: &Marker,
        depth: usize,
        groups: usize,
        before: usize,
    ) -> Vec<String> {
        let block = blocks[0];
        let marker = marker.text();
        let inset = marker.len() + 1;
        let task = block.str_attr(attr::KIND) == "task";
        let check = match block.attrs.get(attr::CHECKED) {
            Some(Value::Bool(true)) => {
                hint_str(&block.attrs, "check").filter(|sign| sign.chars().count() == 1).unwrap_or("x")
            }
            _ => " ",
        };
        let lead = if task { format!("[{check}] ") } else { String::new() };
        let mut lines = self.leaf(block, before + inset, &lead);
        let loose = hint(&block.attrs, "loose") == Some(&Value::Bool(true));
        let children = self.sequence(&blocks[1..], depth + 1, groups, before + inset, loose);
        let tight = matches!(blocks.get(1), Some(next) if next.kind == kind::LIST_ITEM || next.kind == kind::CODE_BLOCK);
        if lines.is_empty() {
            lines.push(lead.trim_end().to_owned());
        } else if !children.is_empty() && (loose || !tight || starts_apart(blocks[1])) {
            lines.push(String::new());
        }
        lines.extend(children);
        let first = format!("{marker} {}", lines[0]).trim_end().to_owned();
        let indent = " ".repeat(inset);
        let rest = lines[1..]
            .iter()
            .map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
        std::iter::once(first).chain(rest).collect()
    }

    /// A block without those that belong to it.
    fn leaf(&self, block: &Block, before: usize, lead: &str) -> Vec<String> {
        match block.kind.as_str() {
            kind::RAW => split_lines(trim_end(&block.plain_text())),
            kind::CODE_BLOCK => code(block),
            kind::DIVIDER => {
                let mut lines = vec![rule(block)];
                if !block.runs.is_empty() {
                    lines.push(String::new());
                    lines.extend(self.text(
                        &Block { runs: block.runs.clone(), ..Block::default() },
                        before,
                        "",
                    ));
                }
                lines
            }
            kind::IMAGE => vec![write_image(block)],
            kind::QUOTE => quoted(self.text(block, before + 2, lead)),
            _ => self.text(block, before, lead),
        }
    }

    /// A block's text in the barest writing that reads as that text.
    fn text(&self, block: &Block, before: usize, lead: &str) -> Vec<String> {
        if block.runs.is_empty() {
            let empty = if block.kind == kind::HEADING { heading(block, "") } else { String::new() };
            return split_lines(&empty);
        }
        let column = hint(&block.attrs, "wrap").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        let mut last = String::new();
        for style in STYLES {
            let bare = inline_write::write(&block.runs, style);
            let wrapped = match column.filter(|_| style.hints) {
                Some(column) => layout::wrap(&bare, column.saturating_sub(before), lead.len()),
                None => bare,
            };
            last = match block.kind.as_str() {
                kind::HEADING => heading(block, &wrapped),
                _ => format!("{lead}{wrapped}"),
            };
            if self.reads_back(block, &last) {
                break;
            }
        }
        last.split('\n').map(str::to_owned).collect()
    }

    /// Whether Markdown reads the text, in a block of this type, as this block.
    fn reads_back(&self, block: &Block, text: &str) -> bool {
        if block.kind != kind::HEADING && is_harmless(block, text) {
            return true;
        }
        let mut page = match block.kind.as_str() {
            kind::LIST_ITEM => {
                format!("{} {}", marker_of(block, None).text(), text.replace('\n', "\n          "))
            }
            kind::QUOTE => quoted(text.split('\n').map(str::to_owned).collect()).join("\n"),
            _ => text.to_owned(),
        };
        for label in labels(text) {
            if let Some(definition) = self.definitions.get(&normal_label(label)) {
                page.push_str("\n\n");
                page.push_str(definition);
            }
        }
        let mut blocks = read_units(&page).into_iter().flat_map(|unit| unit.blocks);
        let Some(read) = blocks.next() else { return false };
        let wanted = match block.kind.as_str() {
            known @ (kind::HEADING | kind::LIST_ITEM | kind::QUOTE) => known,
            _ => kind::PARAGRAPH,
        };
        let same = |name: &str| read.attrs.get(name) == block.attrs.get(name);
        read.kind == wanted
            && inline_write::essence(&read.runs) == inline_write::essence(&block.runs)
            && match wanted {
                kind::HEADING => level(&read) == level(block),
                kind::LIST_ITEM => {
                    (read.str_attr(attr::KIND) == "task") == (block.str_attr(attr::KIND) == "task")
                        && (same(attr::CHECKED) || block.str_attr(attr::KIND) != "task")
                }
                _ => true,
            }
            && blocks.all(|rest| rest.kind == kind::RAW)
    }
}

/// Whether a blank line stands between two neighbours.
fn blank_between(last: &Shape, next: &Shape, apart: bool) -> bool {
    match (last, next) {
        (Shape::Item { sign: a, .. }, Shape::Item { sign: b, .. }) if a != b && apart => true,
        (Shape::Item { loose: a, .. }, Shape::Item { loose: b, starts, .. }) => *a || *b || *starts,
        (_, Shape::Item { starts, empty, .. }) => apart || *starts || *empty,
        (Shape::Item { .. }, _) => true,
        (Shape::Code, _) => apart,
        (_, Shape::Code) => apart,
        _ => true,
    }
}

/// Whether two neighbours of the page stay two without a blank line between them.
pub(super) fn touches(last: &Block, next: &Block) -> bool {
    let fenced =
        |block: &Block| block.kind == kind::CODE_BLOCK && hint_str(&block.attrs, "fence") != Some("");
    let comment = |block: &Block| {
        let text = block.plain_text();
        block.kind == kind::RAW
            && text.starts_with("<!--")
            && text.find("-->") == Some(text.len().saturating_sub(3))
    };
    let alone = last.indent() == 0 && last.groups().is_empty();
    let ended = last.kind == kind::HEADING
        || fenced(last)
        || comment(last)
        || (last.kind == kind::DIVIDER && last.runs.is_empty());
    let interrupts = (next.kind == kind::HEADING && hint(&next.attrs, "setext").is_none())
        || fenced(next)
        || comment(next)
        || (next.kind == kind::LIST_ITEM && last.kind == kind::PARAGRAPH && !starts_apart(next));
    (alone && ended) || (interrupts && last.kind != kind::RAW)
}

/// Whether a first child needs a blank line before it, because it could not interrupt a paragraph.
fn starts_apart(block: &Block) -> bool {
    match block.kind.as_str() {
        kind::LIST_ITEM => {
            block.runs.is_empty() || marker_of(block, None).number.is_some_and(|number| number != 1)
        }
        kind::CODE_BLOCK => hint_str(&block.attrs, "fence") == Some(""),
        _ => true,
    }
}

/// Text that has nothing Markdown could take for syntax.
fn is_harmless(block: &Block, text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || " ,.;'\"?/%()’“”–—…".contains(c);
    block.runs.iter().all(|run: &Run| {
        run.marks.keys().all(|key| {
            !inline_write::nests(key) && key != mark::CODE && key != mark::MD && key != mark::EMBED
        })
    }) && text.starts_with(char::is_alphabetic)
        && text.ends_with(|c: char| c != ' ')
        && text.chars().all(plain)
}

fn level(block: &Block) -> usize {
    let level = block.attrs.get(attr::LEVEL).and_then(Value::as_u64).unwrap_or(1);
    usize::try_from(level.clamp(1, 6)).unwrap_or(1)
}

fn heading(block: &Block, text: &str) -> String {
    let level = level(block);
    let sign = if level == 1 { '=' } else { '-' };
    let underline = hint_str(&block.attrs, "setext")
        .filter(|line| level <= 2 && !line.is_empty() && line.chars().all(|c| c == sign));
    if let Some(underline) = underline.filter(|_| !text.is_empty()) {
        return format!("{text}\n{underline}");
    }
    if text.contains('\n') && level <= 2 && !text.contains("\n\n") {
        return format!("{text}\n{}", sign.to_string().repeat(3));
    }
    let close = hint_str(&block.attrs, "close").filter(|close| close.chars().all(|c| c == '#')).unwrap_or("");
    let text = text.replace("\\\n", " ").replace('\n', " ");
    format!("{} {text} {close}", "#".repeat(level)).trim_end().to_owned()
}

fn rule(block: &Block) -> String {
    hint_str(&block.attrs, "rule").filter(|rule| is_rule(rule)).unwrap_or("---").to_owned()
}

/// Whether the line is a rule across the page.
pub(super) fn is_rule(line: &str) -> bool {
    let signs: String = line.chars().filter(|c| *c != ' ').collect();
    signs.len() >= 3 && ["-", "_", "*"].iter().any(|sign| signs.replace(sign, "").is_empty())
}

fn code(block: &Block) -> Vec<String> {
    let text = block.plain_text();
    let info = block.str_attr(attr::LANG).replace(['\n', '\r', LINE_BREAK], " ");
    let info = info.trim();
    let fence = default_fence(&text, info);
    let lines = split_lines(&text);
    let fence = match hint_str(&block.attrs, "fence") {
        Some("") if info.is_empty() && fits_indented(&lines) => {
            let indent = |line: String| if line.is_empty() { line } else { format!("    {line}") };
            return lines.into_iter().map(indent).collect();
        }
        Some(hint) if fits_fence(hint, &lines, info) => hint.to_owned(),
        _ => fence,
    };
    let mut out = vec![format!("{fence}{info}")];
    out.extend(lines);
    out.push(fence);
    out
}

fn fits_indented(lines: &[String]) -> bool {
    let solid = |line: Option<&String>| line.is_some_and(|line| !trim(line).is_empty());
    solid(lines.first()) && solid(lines.last())
}

fn fits_fence(fence: &str, lines: &[String], info: &str) -> bool {
    let Some(sign) = fence.chars().next().filter(|sign| "`~".contains(*sign)) else { return false };
    let closes = |line: &String| {
        let line = line.trim();
        line.len() >= fence.len() && line.chars().all(|c| c == sign)
    };
    fence.len() >= 3
        && fence.chars().all(|c| c == sign)
        && !(sign == '`' && info.contains('`'))
        && !lines.iter().any(closes)
}

fn quoted(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") }).collect()
}

fn split_lines(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { text.split('\n').map(str::to_owned).collect() }
}

/// What stands in brackets, and could name a definition.
fn labels(text: &str) -> impl Iterator<Item = &str> {
    let label = |rest: &'_ str| rest.bytes().take(LABEL_MAX).position(|byte| byte == b']');
    text.split('[').skip(1).filter_map(move |rest| Some(&rest[..label(rest)?]))
}

fn normal_label(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
