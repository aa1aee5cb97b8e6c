//! Runs into inline Markdown.

use comrak::nodes::NodeValue;
use comrak::{Arena, parse_document};
use serde_json::Value;

use crate::document::{EMBED, LINE_BREAK, Marks, Run, embed_text, mark};

/// The hint mark that holds the order of marks, outermost first, separated by spaces.
pub(super) const NEST: &str = "nest";

/// Marks that Markdown writes around text, in the order that stands where nothing else decides, outermost first.
const AROUND: [&str; 6] =
    [mark::LINK, mark::BOLD, mark::ITALIC, mark::STRIKE, mark::UNDERLINE, mark::HIGHLIGHT];

/// How far ahead the extent of a mark is looked up.
const LOOKAHEAD_MAX: usize = 256;

/// How much is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Escape {
    Nothing,
    /// What could start a block.
    Starts,
    /// Everything that could be syntax.
    All,
}

/// How runs are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    pub(super) escape: Escape,
    /// Follow the spelling hints.
    pub(super) hints: bool,
    /// Write emphasis, links and verbatim source; else the bare text.
    pub(super) marks: bool,
}

/// Whether the mark is written around text.
pub(super) fn nests(key: &str) -> bool {
    AROUND.contains(&key)
}

/// The runs with all hints followed and nothing escaped.
pub(super) fn verbatim(runs: &[Run]) -> String {
    write(runs, Style { escape: Escape::Nothing, hints: true, marks: true })
}

/// What Markdown can say of the runs: no hints, no unknown marks, embeds as their text, and spaces at the edge of an
/// emphasis outside it.
pub(super) fn essence(runs: &[Run]) -> Vec<Run> {
    prepare(runs, Style { escape: Escape::Nothing, hints: false, marks: true })
}

/// Writes runs as inline Markdown; line breaks give more than one line.
pub(super) fn write(runs: &[Run], style: Style) -> String {
    let runs = prepare(runs, style);
    let spans: Vec<Vec<Span>> = runs.iter().map(spans_of).collect();
    let mut out = String::new();
    let mut open: Vec<&Span> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        if let Some(keep) = open.iter().position(|span| !spans[index].contains(span)) {
            close(&mut out, &mut open, keep);
        }
        let mut opening: Vec<&Span> = spans[index].iter().filter(|span| !open.contains(span)).collect();
        if opening.len() > 1 {
            let nest = run.marks.get(NEST).and_then(Value::as_str).unwrap_or("");
            opening.sort_by_cached_key(|span| match nest.split(' ').position(|key| key == span.key) {
                Some(place) => (place, 0),
                None => (AROUND.len(), LOOKAHEAD_MAX - extent(&spans[index..], span)),
            });
        }
        for span in opening {
            out.push_str(&span.open);
            open.push(span);
        }
        push_body(&mut out, run, style);
    }
    close(&mut out, &mut open, 0);
    if style.escape == Escape::All {
        keep_trailing_space(&mut out);
    }
    out
}

fn close(out: &mut String, open: &mut Vec<&Span>, keep: usize) {
    for span in open.drain(keep..).rev() {
        out.push_str(&span.close);
    }
}

fn extent(spans: &[Vec<Span>], span: &Span) -> usize {
    spans.iter().take(LOOKAHEAD_MAX).take_while(|here| here.contains(span)).count()
}

/// A mark around text, as written.
#[derive(Debug, PartialEq)]
struct Span {
    key: &'static str,
    open: String,
    close: String,
}

fn spans_of(run: &Run) -> Vec<Span> {
    let span = |key, open: &str, close: String| Span { key, open: open.to_owned(), close };
    let mut spans = Vec::new();
    for key in AROUND {
        let Some(value) = run.marks.get(key) else { continue };
        match key {
            mark::LINK if is_autolink(run) => {}
            mark::LINK => {
                let suffix = run.marks.get(mark::LINK_MD).and_then(Value::as_str).map(str::to_owned);
                let suffix = suffix.or_else(|| value.as_str().map(link_suffix));
                spans.extend(suffix.map(|suffix| span(key, "[", format!("]{suffix}"))));
            }
            mark::UNDERLINE => spans.push(span(key, "<u>", "</u>".to_owned())),
            mark::HIGHLIGHT => spans.push(span(key, "<mark>", "</mark>".to_owned())),
            _ => {
                let delimiter = match (key, value.as_str()) {
                    (mark::BOLD, Some("__")) => "__",
                    (mark::BOLD, _) => "**",
                    (mark::ITALIC, Some("_")) => "_",
                    (mark::ITALIC, _) => "*",
                    (_, Some("~")) => "~",
                    _ => "~~",
                };
                spans.push(span(key, delimiter, delimiter.to_owned()));
            }
        }
    }
    spans
}

/// Whether the run is written `<destination>`: by its hint, or because its text is its destination.
fn is_autolink(run: &Run) -> bool {
    if run.marks.contains_key(mark::LINK_MD) || run.marks.contains_key(mark::CODE) {
        return false;
    }
    match (run.marks.get(mark::MD), run.marks.get(mark::LINK)) {
        (Some(Value::String(md)), _) => md.starts_with('<'),
        (None, Some(Value::String(link))) => *link == run.text && is_uri(link),
        _ => false,
    }
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    (2..=32).contains(&scheme.len())
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
        && !rest.contains(|c: char| c.is_ascii_control() || c.is_whitespace() || c == '<' || c == '>')
}

fn push_body(out: &mut String, run: &Run, style: Style) {
    if run.marks.contains_key(mark::CODE) && !run.marks.contains_key(mark::MD) {
        return out.push_str(&code_span(&run.text.replace(LINE_BREAK, " ")));
    }
    match run.marks.get(mark::MD) {
        Some(Value::String(source)) => out.push_str(source),
        Some(_) => out.push_str(&run.text.replace(LINE_BREAK, "\n")),
        None if run.marks.contains_key(mark::LINK) && is_autolink(run) => {
            out.push('<');
            out.push_str(&run.text);
            out.push('>');
        }
        None => push_text(out, &run.text, style.escape),
    }
}

fn push_text(out: &mut String, text: &str, escape: Escape) {
    for (index, line) in text.split(LINE_BREAK).enumerate() {
        if index > 0 {
            if escape == Escape::All {
                keep_trailing_space(out);
            }
            out.push_str("\\\n");
        }
        let starts = out.is_empty() || out.ends_with('\n');
        let at = start_syntax(line).filter(|_| starts && escape != Escape::Nothing);
        for (place, c) in line.char_indices() {
            match c {
                ' ' if place == 0 && starts && escape == Escape::All => out.push_str("&#32;"),
                '\t' if place == 0 && starts && escape == Escape::All => out.push_str("&#9;"),
                _ => {
                    if at == Some(place) || (escape == Escape::All && "\\`*_[]<&~#".contains(c)) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
}

/// Markdown drops spaces at the end of a line: writes the last one as a character reference.
fn keep_trailing_space(out: &mut String) {
    match out.pop() {
        Some(' ') => out.push_str("&#32;"),
        Some('\t') => out.push_str("&#9;"),
        Some(c) => out.push(c),
        None => {}
    }
}

/// Where in a line a backslash keeps it from starting a block.
fn start_syntax(line: &str) -> Option<usize> {
    let first = line.chars().next()?;
    if "#>-+*=_~`|:<[".contains(first) {
        return Some(0);
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    ((1..=9).contains(&digits) && line[digits..].starts_with(['.', ')'])).then_some(digits)
}

/// A code span with the shortest delimiter.
pub(super) fn code_span(text: &str) -> String {
    let fence = "`".repeat(free_backticks(text));
    let spaced = text.starts_with(' ') && text.ends_with(' ') && !text.trim_matches(' ').is_empty();
    let pad = if spaced || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The smallest number of backticks that does not occur in the text as a run of its own.
fn free_backticks(text: &str) -> usize {
    let runs: std::collections::BTreeSet<usize> = text.split(|c| c != '`').map(str::len).collect();
    (1..).find(|n| !runs.contains(n)).unwrap_or(1)
}

/// What follows a link's text: `](url)` without the bracket.
pub(super) fn link_suffix(url: &str) -> String {
    format!("({})", destination(url))
}

/// A link destination; in angle brackets where it needs them.
pub(super) fn destination(url: &str) -> String {
    let url = url.replace(['\n', '\r', LINE_BREAK], "%0A");
    let balanced = url.chars().try_fold(0_i32, |depth, c| match c {
        '(' => Some(depth + 1),
        ')' if depth > 0 => Some(depth - 1),
        ')' => None,
        _ => Some(depth),
    });
    let bare = balanced == Some(0)
        && !url.starts_with('<')
        && !url.contains(|c: char| c.is_ascii_control() || c == ' ');
    if bare && !(url.is_empty()) {
        return url;
    }
    format!("<{}>", url.replace('<', "%3C").replace('>', "%3E"))
}

/// The characters that an entity or character reference stands for.
pub(super) fn decode_entity(entity: &str) -> Option<String> {
    let arena = Arena::new();
    let root = parse_document(&arena, entity, &super::options());
    let text = root.first_child()?.first_child()?;
    match &text.data().value {
        NodeValue::Text(text) if *text != entity => Some(text.to_string()),
        _ => None,
    }
}

/// Leaves only what the style writes, and moves spaces at the edge of an emphasis out of it, where Markdown wants them.
fn prepare(runs: &[Run], style: Style) -> Vec<Run> {
    let mut parts: Vec<Run> = Vec::new();
    for run in runs {
        let marks = written_marks(run, style);
        if marks.contains_key(mark::CODE) || marks.contains_key(mark::MD) {
            let text = if marks.contains_key(mark::CODE) {
                run.text.replace(LINE_BREAK, " ")
            } else {
                run.text.clone()
            };
            parts.push(Run { text, marks });
            continue;
        }
        let text = match run.marks.get(mark::EMBED) {
            Some(embed) => run.text.replace(EMBED, embed_text(embed)),
            None => run.text.clone(),
        };
        let inner = text.trim();
        let start = text.len() - text.trim_start().len();
        for part in [&text[..start], inner, &text[start + inner.len()..]] {
            if !part.is_empty() {
                parts.push(Run { text: part.to_owned(), marks: marks.clone() });
            }
        }
    }
    settle_spaces(&mut parts);
    let mut out: Vec<Run> = Vec::with_capacity(parts.len());
    for part in parts {
        match out.last_mut() {
            Some(last)
                if last.marks == part.marks && !last.marks.get(mark::MD).is_some_and(Value::is_string) =>
            {
                last.text.push_str(&part.text);
            }
            _ => out.push(part),
        }
    }
    out
}

fn written_marks(run: &Run, style: Style) -> Marks {
    let mut marks = Marks::new();
    for (key, value) in run.marks.iter().filter(|_| style.marks) {
        let value = match key.as_str() {
            mark::MD if *value == Value::Bool(true) => value.clone(),
            mark::MD if !value.is_string() => continue,
            mark::MD | mark::LINK_MD | NEST if !style.hints => continue,
            mark::MD | mark::LINK_MD | NEST => value.clone(),
            mark::BOLD | mark::ITALIC | mark::STRIKE if style.hints && value.is_string() => value.clone(),
            mark::LINK if value.is_string() => value.clone(),
            mark::LINK => continue,
            mark::CODE | mark::BOLD | mark::ITALIC | mark::STRIKE | mark::UNDERLINE | mark::HIGHLIGHT => {
                if *value == Value::Bool(false) {
                    continue;
                }
                Value::Bool(true)
            }
            _ => continue,
        };
        marks.insert(key.clone(), value);
    }
    if !marks.contains_key(mark::LINK) {
        marks.remove(mark::LINK_MD);
    }
    marks
}

/// Spaces keep only the emphasis that both their neighbours carry.
fn settle_spaces(parts: &mut [Run]) {
    let is_space = |run: &Run| {
        !run.marks.contains_key(mark::CODE)
            && run.marks.get(mark::MD) != Some(&Value::Bool(true))
            && run.text.chars().all(char::is_whitespace)
    };
    let mut index = 0;
    while index < parts.len() {
        let end = index + parts[index..].iter().take_while(|run| is_space(run)).count();
        if end == index {
            index += 1;
            continue;
        }
        for key in [mark::BOLD, mark::ITALIC, mark::STRIKE] {
            let before = index.checked_sub(1).and_then(|at| parts[at].marks.get(key)).cloned();
            let after = parts.get(end).and_then(|run| run.marks.get(key)).cloned();
            for run in &mut parts[index..end] {
                if before != after || run.marks.get(key) != before.as_ref() {
                    run.marks.remove(key);
                }
            }
        }
        index = end;
    }
}
