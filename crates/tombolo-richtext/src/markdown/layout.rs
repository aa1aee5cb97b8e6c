//! Breaking lines at a column, so that a paragraph goes back to its file as it was broken there.

use serde_json::Value;

use super::inline_write;
use super::{set_hint, source};
use crate::document::{Attrs, Block, Run, mark};

/// Columns that people break at, the likeliest first.
const COLUMNS: [usize; 4] = [80, 100, 72, 120];

/// Breaks each line at the last space that fits; words that would start a block stay where they are.
///
/// `lead` is the width of what stands before the text in its first line alone; widths count Unicode scalar values.
pub(super) fn wrap(text: &str, column: usize, lead: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        wrap_line(&mut out, line, column, if index == 0 { lead } else { 0 });
    }
    out
}

fn wrap_line(out: &mut String, line: &str, column: usize, lead: usize) {
    let mut width = lead;
    let mut after_blank = true;
    for (index, word) in line.split(' ').enumerate() {
        let length = word.chars().count();
        if index > 0 {
            let breaks =
                width + 1 + length > column && !after_blank && !word.is_empty() && !starts_block(word);
            out.push(if breaks { '\n' } else { ' ' });
            width = if breaks { 0 } else { width + 1 };
        }
        out.push_str(word);
        width += length;
        after_blank = word.is_empty();
    }
}

fn starts_block(word: &str) -> bool {
    let rule = |c: char| word.chars().all(|d| d == c);
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    word.starts_with(['#', '>', '|'])
        || word.starts_with("```")
        || word.starts_with("~~~")
        || word == "+"
        || ['-', '*', '_', '='].into_iter().any(rule)
        || (digits > 0 && matches!(&word[digits..], "." | ")"))
}

/// What stands before a paragraph's text in the source.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Margin {
    /// The width before every line.
    pub(super) every: usize,
    /// The width before the first line alone, added to that.
    pub(super) lead: usize,
}

/// Whether the run's source says nothing but where a line ended.
fn breaks_only(run: &Run) -> bool {
    match run.marks.get(mark::MD) {
        Some(Value::String(source)) if run.marks.contains_key(mark::CODE) => {
            source.contains('\n') && source.replace('\n', " ") == inline_write::code_span(&run.text)
        }
        Some(source) => source == "\n",
        None => false,
    }
}

/// Drops the hints for single line ends where one column explains them all, and records that column in `attrs`.
pub(super) fn find_wrap(runs: Vec<Run>, written: &[&str], margin: Margin, attrs: &mut Attrs) -> Vec<Run> {
    let md = |run: &Run| run.marks.get(mark::MD).cloned();
    let verbatim = runs.len() == 1 && md(&runs[0]) == Some(Value::Bool(true));
    if written.len() < 2 || verbatim {
        return runs;
    }
    let mut joined = Block::default();
    for run in &runs {
        let mut marks = run.marks.clone();
        if breaks_only(run) {
            marks.remove(mark::MD);
        }
        joined.push(&run.text, &marks);
    }
    let line = inline_write::verbatim(&joined.runs);
    let widths = written.iter().map(|line| line.chars().count() + margin.every);
    let longest = widths.max().unwrap_or(0);
    let columns = COLUMNS.into_iter().chain([longest]).filter(|column| *column >= longest);
    for column in columns {
        let lines = wrap(&line, column.saturating_sub(margin.every), margin.lead);
        if lines.split('\n').map(source::trim).eq(written.iter().copied()) {
            if line.split('\n').count() != written.len() {
                set_hint(attrs, "wrap", column);
            }
            return joined.runs;
        }
    }
    runs
}
