//! Source text by comrak's positions: lines from 1, columns in bytes from 1, ends included.

use comrak::nodes::{LineColumn, Sourcepos};

use crate::document::LINE_BREAK;

/// What Markdown takes for blank; other white space is text.
const BLANK: [char; 2] = [' ', '\t'];

/// A line without the blanks at its ends.
pub(super) fn trim(line: &str) -> &str {
    line.trim_matches(BLANK)
}

/// A text without the blanks and line ends at its end.
pub(super) fn trim_end(text: &str) -> &str {
    text.trim_end_matches([' ', '\t', '\n'])
}

/// A container that puts something in front of its lines.
#[derive(Debug, Clone, Copy)]
pub(super) enum Container {
    Quote,
    /// A list item whose content starts this many columns in.
    Item(usize),
}

/// The lines of a page.
pub(super) struct Source<'s> {
    lines: Vec<&'s str>,
}

/// Line ends as `\n`, no byte order mark at the start, no NUL (which CommonMark replaces too). U+2028 is a line end:
/// inside a document it has that meaning.
pub(super) fn normalize(source: &str) -> String {
    let mut text = source.replace("\r\n", "\n").replace(['\r', LINE_BREAK], "\n").replace('\0', "\u{FFFD}");
    let start = text.len() - text.trim_start_matches(['\u{FEFF}', '\n', ' ', '\t']).len();
    if text[..start].contains('\u{FEFF}') {
        let blank = text[..start].replace('\u{FEFF}', "");
        text.replace_range(..start, &blank);
    }
    text
}

impl<'s> Source<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Self { lines: text.split('\n').collect() }
    }

    /// Lines `first` to `last` (from 1, both included) without the blank ones at their ends: the number of the first
    /// and the last that are left, and their text. None where all are blank.
    pub(super) fn lines(&self, first: usize, last: usize) -> Option<(usize, usize, String)> {
        let from = first.saturating_sub(1);
        let lines = self.lines.get(from..last.min(self.lines.len()))?;
        let solid = |line: &&str| !trim(line).is_empty();
        let start = lines.iter().position(solid)?;
        let end = lines.iter().rposition(solid)?;
        let text = lines[start..=end].join("\n");
        Some((from + start + 1, from + end + 1, trim_end(&text).to_owned()))
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The source of a node without what its containers put in front of its lines. None where the position is none.
    pub(super) fn slice(&self, at: Sourcepos, within: &[Container]) -> Option<String> {
        self.between(at.start, at.end, within)
    }

    pub(super) fn between(&self, start: LineColumn, end: LineColumn, within: &[Container]) -> Option<String> {
        let first = self.lines.get(start.line.checked_sub(1)?)?;
        let from = start.column.checked_sub(1)?;
        if start.line == end.line {
            return Some(first.get(from..end.column)?.to_owned());
        }
        let mut out = first.get(from..)?.to_owned();
        for line in self.lines.get(start.line..end.line.checked_sub(1)?)? {
            out.push('\n');
            out.push_str(strip(line, within));
        }
        let last = self.lines.get(end.line - 1)?.get(..end.column)?;
        out.push('\n');
        out.push_str(strip(last, within));
        Some(out)
    }

    /// The text from a position to the end of its line.
    pub(super) fn rest_of_line(&self, at: LineColumn) -> Option<&'s str> {
        self.lines.get(at.line.checked_sub(1)?)?.get(at.column.checked_sub(1)?..)
    }
}

/// Takes off what the containers put in front of a line; a line that lazily continues a paragraph has none.
fn strip<'l>(mut line: &'l str, within: &[Container]) -> &'l str {
    for container in within {
        match container {
            Container::Quote => {
                let Some(rest) = line.trim_start().strip_prefix('>') else { return line };
                line = rest.strip_prefix(' ').unwrap_or(rest);
            }
            Container::Item(columns) => {
                let mut left = *columns;
                while let Some(rest) = line.strip_prefix([' ', '\t']).filter(|_| left > 0) {
                    left = left.saturating_sub(if line.starts_with('\t') { 4 } else { 1 });
                    line = rest;
                }
            }
        }
    }
    line
}
