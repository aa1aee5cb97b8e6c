//! Lines of bounded length.

use std::io::BufRead;

/// The longest line without its end.
pub(super) const LINE_BYTES: usize = 2 * 1024 * 1024;

/// A line of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// Its bytes, without the end.
    Whole(&'l [u8]),
    /// It was longer than [`LINE_BYTES`] and is not kept.
    TooLong,
}

/// Hands over each line that is not blank, until there are no more or `take` says that it is enough.
pub(super) fn each(mut input: impl BufRead, mut take: impl FnMut(Line<'_>) -> bool) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut whole = true;
        let ended = loop {
            let Ok(chunk) = input.fill_buf() else { break true };
            if chunk.is_empty() {
                break true;
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let content = end.unwrap_or(chunk.len());
            whole &= line.len() + content <= LINE_BYTES;
            if whole {
                line.extend_from_slice(&chunk[..content]);
            }
            let used = end.map_or(chunk.len(), |end| end + 1);
            input.consume(used);
            if end.is_some() {
                break false;
            }
        };
        let enough = match whole {
            true if line.trim_ascii().is_empty() => false,
            true => !take(Line::Whole(&line)),
            false => !take(Line::TooLong),
        };
        if ended || enough {
            return;
        }
        // One long line does not hold its memory for ever.
        line.shrink_to(LINE_BYTES / 16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut seen = Vec::new();
        let reader = std::io::BufReader::with_capacity(3, input);
        each(reader, |line| {
            seen.push(match line {
                Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Line::TooLong => "too long".to_owned(),
            });
            true
        });
        assert_eq!(seen, expected);
    }

    #[test]
    fn lines_come_one_by_one() {
        check(b"", &[]);
        check(b"\n\n  \n", &[]);
        check(b"one\r\ntwo long\n\nlast", &["one\r", "two long", "last"]);
        check(b"\xff\n", &["\u{fffd}"]);
    }

    #[test]
    fn a_long_line_costs_only_itself() {
        let mut input = vec![b'x'; LINE_BYTES + 1];
        input.extend_from_slice(b"\nnext\n");
        check(&input, &["too long", "next"]);
        input.remove(0);
        let whole = String::from_utf8(input[..LINE_BYTES].to_vec()).unwrap();
        check(&input, &[&whole, "next"]);
    }

    #[test]
    fn whoever_takes_may_stop() {
        let mut seen = 0;
        each(&b"a\nb\nc\n"[..], |_| {
            seen += 1;
            seen < 2
        });
        assert_eq!(seen, 2);
    }
}
