//! mdBook's `SUMMARY.md`, line by line.

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, parse_document};

use super::path;
use crate::document::{Block, Document, Marks, mark};
use crate::markdown::to_markdown;

/// Chapters nested deeper than this are text.
const DEPTH_MAX: usize = 32;

/// A parsed summary. Writing it gives its source back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Every line, blank ones included.
    pub lines: Vec<Line>,
}

/// A line: its source and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As written.
    pub source: String,
    /// What it is.
    pub kind: LineKind,
}

/// What a line of a summary is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineKind {
    /// A chapter.
    Chapter(Chapter),
    /// A heading: the summary's own title, or that of a part.
    Heading(String),
    /// A rule between chapters.
    Separator,
    /// Anything else, blank lines too.
    Text,
}

/// A chapter of a summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// The link's text without its marks.
    pub title: String,
    /// The link's destination as a path relative to the summary; none for a draft.
    pub path: Option<String>,
    /// Nesting, from 0.
    pub depth: usize,
    /// Whether it is an item of a list; prefix and suffix chapters are not.
    pub numbered: bool,
}

impl Summary {
    /// Reads a summary. Any text is one; what is no chapter, heading or rule is kept as text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(|line| Line { source: line.to_owned(), kind: LineKind::Text });
        let mut summary = Self { lines: lines.collect() };
        let arena = Arena::new();
        // Without its newline, comrak takes a last line that is a bare list marker for text.
        let root = parse_document(&arena, &format!("{text}\n"), &comrak::Options::default());
        for node in root.children() {
            summary.read(node, 0);
        }
        summary
    }

    fn read<'a>(&mut self, node: Node<'a>, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match &node.data().value {
            NodeValue::Heading(_) => self.set(node, LineKind::Heading(text_of(node))),
            NodeValue::ThematicBreak => self.set(node, LineKind::Separator),
            NodeValue::Paragraph => {
                node.children().for_each(|link| self.read_chapter(link, depth));
            }
            NodeValue::List(_) => {
                for child in node.children().flat_map(|item| item.children()) {
                    self.read(child, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// A link that has its line to itself.
    fn read_chapter<'a>(&mut self, node: Node<'a>, lists: usize) {
        let breaks = |node: Option<Node<'a>>| {
            node.is_none_or(|node| matches!(node.data().value, NodeValue::SoftBreak | NodeValue::LineBreak))
        };
        let data = node.data();
        let NodeValue::Link(link) = &data.value else { return };
        let one_line = data.sourcepos.start.line == data.sourcepos.end.line;
        if one_line && breaks(node.previous_sibling()) && breaks(node.next_sibling()) {
            let chapter = Chapter {
                title: text_of(node),
                path: (!link.url.is_empty()).then(|| path::percent_decode(&link.url)),
                depth: lists.saturating_sub(1),
                numbered: lists > 0,
            };
            self.set(node, LineKind::Chapter(chapter));
        }
    }

    fn set<'a>(&mut self, node: Node<'a>, kind: LineKind) {
        let line = node.data().sourcepos.start.line;
        if let Some(line) = line.checked_sub(1).and_then(|index| self.lines.get_mut(index)) {
            line.kind = kind;
        }
    }

    /// The chapters with their line numbers, from 1.
    pub fn chapters(&self) -> impl Iterator<Item = (usize, &Chapter)> {
        self.lines.iter().enumerate().filter_map(|(index, line)| match &line.kind {
            LineKind::Chapter(chapter) => Some((index + 1, chapter)),
            _ => None,
        })
    }

    /// The summary as text, ending in a newline unless it is empty.
    #[must_use]
    pub fn write(&self) -> String {
        self.lines.iter().flat_map(|line| [line.source.as_str(), "\n"]).collect()
    }

    /// A chapter's line in the manner of the others.
    pub(super) fn line_for(&self, chapter: Chapter) -> Line {
        let mut link = Block::default();
        let destination = path::percent_encode(chapter.path.as_deref().unwrap_or(""));
        let title = if chapter.title.trim().is_empty() { "Untitled" } else { chapter.title.trim() };
        let marks: Marks = [
            (mark::LINK.to_owned(), destination.as_str().into()),
            (mark::LINK_MD.to_owned(), format!("({destination})").into()),
        ]
        .into();
        link.push(&title.replace(['\n', '\r'], " "), &marks);
        let link = to_markdown(&Document { blocks: vec![link], ..Document::default() });
        let link = link.trim_end();
        let source = if chapter.numbered {
            let (marker, step) = self.manner();
            format!("{}{marker} {link}", " ".repeat(step * chapter.depth))
        } else {
            link.to_owned()
        };
        Line { source, kind: LineKind::Chapter(chapter) }
    }

    /// The list marker in use, and the indent of one level.
    fn manner(&self) -> (&str, usize) {
        let chapters = self.lines.iter().filter_map(|line| match &line.kind {
            LineKind::Chapter(chapter) if chapter.numbered => Some((chapter, line.source.as_str())),
            _ => None,
        });
        let mut manner = ("-", 2);
        for (chapter, source) in chapters {
            let indent = source.len() - source.trim_start_matches(' ').len();
            let marker = source.split_whitespace().next().unwrap_or("-");
            if matches!(marker, "-" | "*" | "+") {
                manner.0 = marker;
            }
            if chapter.depth == 1 && indent >= 2 {
                manner.1 = indent;
                break;
            }
        }
        manner
    }
}

fn text_of<'a>(node: Node<'a>) -> String {
    let mut out = String::new();
    for node in node.descendants() {
        match &node.data().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push(' '),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = "# Summary\n\n[Preface](preface.md)\n[Thanks](thanks.md)\n\n# Part One\n\n- [A `b`](a%20b.md)\n    - [Draft]()\n\n---\n\n<!-- - [Hidden](hidden.md) -->\n- [C](./c.md) by X\n* [D](d/e.md)\n\n[After](after.md)\n";

    #[test]
    fn a_summary_says_what_mdbook_reads() {
        let summary = Summary::parse(BOOK);
        let said: Vec<(usize, &str, Option<&str>, usize, bool)> = summary
            .chapters()
            .map(|(line, c)| (line, c.title.as_str(), c.path.as_deref(), c.depth, c.numbered))
            .collect();
        let wanted = [
            (3, "Preface", Some("preface.md"), 0, false),
            (4, "Thanks", Some("thanks.md"), 0, false),
            (8, "A b", Some("a b.md"), 0, true),
            (9, "Draft", None, 1, true),
            (15, "D", Some("d/e.md"), 0, true),
            (17, "After", Some("after.md"), 0, false),
        ];
        assert_eq!(said, wanted);
        let part = &summary.lines[5].kind;
        assert_eq!(*part, LineKind::Heading("Part One".to_owned()));
        assert_eq!(summary.lines[10].kind, LineKind::Separator);
        assert_eq!(summary.write(), BOOK);
    }

    #[test]
    fn new_lines_follow_the_manner_of_the_old() {
        let summary = Summary::parse("* [A](a.md)\n   * [B](b.md)\n");
        let chapter = |title: &str, depth| Chapter {
            title: title.to_owned(),
            path: Some("x (1).md".to_owned()),
            depth,
            numbered: true,
        };
        assert_eq!(summary.line_for(chapter("*x* [y]", 1)).source, "   * [\\*x\\* \\[y\\]](x%20%281%29.md)");
        let plain = Chapter { numbered: false, ..chapter("", 0) };
        assert_eq!(summary.line_for(plain).source, "[Untitled](x%20%281%29.md)");
    }
}
