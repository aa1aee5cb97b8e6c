//! Pages made to hurt: they end, keep their text and return.

use tombolo_richtext::{Block, Document, Run, attr, from_markdown, kind, mark, to_markdown};

use crate::counter;

fn returns(name: &str, source: &str) {
    let started = std::time::Instant::now();
    let document = from_markdown(source, &mut counter());
    let written = to_markdown(&document);
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '>').collect::<String>();
    assert_eq!(bare(&written), bare(source), "{name}");
    assert!(from_markdown(&written, &mut counter()).same_content(&document), "{name}");
    println!("{name}: {} bytes, {} blocks, {:?}", source.len(), document.blocks.len(), started.elapsed());
}

#[test]
fn deep_and_long_pages_return() {
    let many = |piece: &str, times: usize| piece.repeat(times);
    let stairs: String = (0..300).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect();
    let steps: String = (0..200).map(|depth| format!("{} a\n\n", ">".repeat(depth + 1))).collect();
    let pages = [
        ("quotes", many(">", 10_000)),
        ("quotes with text", format!("{}a", many("> ", 10_000))),
        ("brackets", many("[", 10_000)),
        ("closed brackets", format!("{}a{}", many("[", 10_000), many("]", 10_000))),
        ("images", many("![[", 10_000)),
        ("stars", format!("{}a{}", many("*", 10_000), many("*", 10_000))),
        ("open emphasis", many("*a ", 10_000)),
        ("two emphases", many("*_", 10_000)),
        ("emphasis words", many("*a* _b_ ", 5_000)),
        ("list signs", format!("{}a", many("- ", 5_000))),
        ("numbers", many("1. ", 5_000)),
        ("stairs", stairs),
        ("steps", steps),
        ("ampersands", many("&", 20_000)),
        ("entities", many("&amp;", 5_000)),
        ("escapes", many("\\*", 10_000)),
        ("angles", many("<", 20_000)),
        ("links", many("[a](b) ", 3_000)),
        ("half links", many("[a](", 10_000)),
        ("definitions", format!("{}\n{}", many("[a]: b\n", 2_000), many("[a] ", 2_000))),
        ("backticks", (1..300).map(|n| "`".repeat(n) + "a").collect()),
        ("hard breaks", many("a\\\n", 5_000)),
        ("wide table", format!("{}|\n{}|\n{}", many("|a", 500), many("|-", 500), many("|b\n", 500))),
        ("footnotes", many("[^1]: ", 3_000)),
        ("many blocks", many("a\n\n", 5_000)),
        ("tildes", many("~a", 10_000)),
    ];
    for (name, page) in pages {
        returns(name, &page);
    }
}

#[test]
fn a_page_beyond_the_limit_is_one_raw_block() {
    let page = "# a\n\n".repeat((8 << 20) / 5 + 1);
    let document = from_markdown(&page, &mut counter());
    assert_eq!(document.blocks.len(), 1);
    assert_eq!(document.blocks[0].kind, kind::RAW);
    assert_eq!(to_markdown(&document).trim_end(), page.trim_end());
}

#[test]
fn deep_documents_are_written() {
    let deep = |kind: &str, depth: u64| Block::new(kind).with(attr::INDENT, depth).text("a");
    let items = (0..2_000).map(|depth| deep(kind::LIST_ITEM, depth));
    let groups: Vec<String> = (0..2_000).map(|group| format!("g{group}")).collect();
    let boxed = Block::default().with(attr::IN, groups).text("b");
    let far = deep(kind::LIST_ITEM, u64::MAX);
    let document = Document { blocks: items.chain([boxed, far]).collect(), ..Document::default() };
    let written = to_markdown(&document);
    assert_eq!(written.matches('a').count(), 2_001);
    assert_eq!(written.matches('b').count(), 1);
}

#[test]
fn stale_hints_are_not_followed() {
    let run = |text: &str| Run::plain(text);
    let cases = [
        // The source says something else than the text.
        (vec![run("a*b*").with(mark::MD, "\\*")], "a\\*b\\*\n"),
        (
            vec![run("text").with(mark::LINK, "new.md").with(mark::LINK_MD, "(old.md \"t\")")],
            "[text](new.md)\n",
        ),
        (vec![run("text").with(mark::LINK, "new.md").with(mark::LINK_MD, "[gone]")], "[text](new.md)\n"),
        (vec![run("a <b c").with(mark::MD, true)], "a \\<b c\n"),
        (vec![run("in"), run("word").with(mark::ITALIC, "_"), run("s")], "in*word*s\n"),
    ];
    for (runs, wanted) in cases {
        let block = Block { runs, ..Block::default() };
        let document = Document { blocks: vec![block], ..Document::default() };
        assert_eq!(to_markdown(&document), wanted);
    }
    let heading = Block::new(kind::HEADING)
        .with(attr::LEVEL, 3)
        .with(attr::MD, serde_json::json!({"setext": "===", "close": 7}));
    let code =
        Block::new(kind::CODE_BLOCK).with(attr::MD, serde_json::json!({"fence": "```"})).text("```\u{2028}x");
    let document = Document { blocks: vec![heading.text("a"), code], ..Document::default() };
    assert_eq!(to_markdown(&document), "### a\n\n````\n```\nx\n````\n");
}
