//! Pages back into files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::summary::{Chapter, Line, LineKind, Summary};
use super::{PlannedPage, path, summary_path, title_of};
use crate::document::{Block, Document, attr, kind};
use crate::markdown::to_markdown;

/// Plans the files (relative path → text) for pages. Siblings stand by their `order`.
///
/// What [`plan_import`](super::plan_import) gave comes back as the files it came from. A page whose `path` is not one
/// that may be written (hidden, outside, no Markdown, already taken) gets a file named after its title, and so does a
/// page made in the app, whose file begins with its title as a heading. Parents that are not in the list, or that form
/// a ring, count as none.
#[must_use]
pub fn plan_export(pages: &[PlannedPage]) -> BTreeMap<String, String> {
    let tree = Tree::new(pages);
    let known = pages.iter().filter_map(|page| page.path.as_deref());
    let summary = summary_path(known.filter(|path| path::is_writable(path)));
    let summary = pages.iter().position(|page| summary.is_some() && page.path.as_deref() == summary);
    let mut export =
        Export { pages, tree: &tree, summary, paths: vec![None; pages.len()], taken: HashMap::new() };
    export.give_paths();
    export.files()
}

/// Pages in reading order.
struct Tree {
    /// Index and depth of each page, parents before children.
    order: Vec<(usize, usize)>,
    parents: Vec<Option<usize>>,
}

impl Tree {
    fn new(pages: &[PlannedPage]) -> Self {
        let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        let mut parents: Vec<Option<usize>> =
            pages.iter().map(|page| page.parent.filter(|parent| *parent < pages.len())).collect();
        for (index, parent) in parents.iter().enumerate() {
            children.entry(*parent).or_default().push(index);
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|index| (pages[*index].order, *index));
        }
        let mut order = Vec::with_capacity(pages.len());
        let mut seen = vec![false; pages.len()];
        let roots = children.get(&None).cloned().unwrap_or_default();
        // Pages of a ring are under no root: each that is still unseen becomes one.
        for root in roots.into_iter().chain(0..pages.len()) {
            let mut stack = vec![(root, 0)];
            while let Some((page, depth)) = stack.pop() {
                if std::mem::replace(&mut seen[page], true) {
                    continue;
                }
                if depth == 0 {
                    parents[page] = None;
                }
                order.push((page, depth));
                stack.extend(
                    children.get(&Some(page)).into_iter().flatten().rev().map(|child| (*child, depth + 1)),
                );
            }
        }
        Self { order, parents }
    }
}

struct Export<'p> {
    pages: &'p [PlannedPage],
    tree: &'p Tree,
    summary: Option<usize>,
    /// Where each page is written, or the directory it stands for (ending in `/`), or nowhere (empty: a draft).
    paths: Vec<Option<String>>,
    /// Lower-cased, because many file systems do not tell cases apart; with the number last tried for that name.
    taken: HashMap<String, u64>,
}

impl Export<'_> {
    fn give_paths(&mut self) {
        // Files that exist keep their names before new ones are made.
        let (old, new): (Vec<_>, Vec<_>) =
            self.tree.order.iter().map(|(page, _)| *page).partition(|page| self.keeps_path(*page));
        let in_order =
            if self.summary.is_some() { old.into_iter().chain(new).collect() } else { self.in_tree_order() };
        for page in in_order {
            let path = self.path_for(page);
            self.paths[page] = Some(path);
        }
    }

    fn in_tree_order(&self) -> Vec<usize> {
        self.tree.order.iter().map(|(page, _)| *page).collect()
    }

    fn keeps_path(&self, page: usize) -> bool {
        self.pages[page].path.as_deref().is_some_and(path::is_writable)
    }

    fn path_for(&mut self, page: usize) -> String {
        let given = self.pages[page].path.as_deref();
        let is_empty = self.pages[page].document.visible().next().is_none();
        let directory = self.directory_for(page);
        let wanted = match given {
            Some("") if is_empty && self.summary.is_some() => return String::new(),
            Some(path) if self.summary.is_some() && path::is_writable(path) => path.to_owned(),
            Some(path) if path::is_writable(path) && path::is_folder_file(path) => {
                path::join(&path::join(&directory, path::stem(path)), path::file_name(path))
            }
            Some(path) if path::is_writable(path) => path::join(&directory, path::file_name(path)),
            Some(path) if path.ends_with('/') && path::is_writable(&format!("{path}index.md")) => {
                let folder = path::join(&directory, path::stem(path));
                if is_empty {
                    return format!("{folder}/");
                }
                path::join(&folder, "index.md")
            }
            _ => path::join(&directory, &format!("{}.md", path::slug(&self.pages[page].title))),
        };
        self.take(&wanted)
    }

    /// The directory for a page: by its parent's file, with a summary beside it.
    fn directory_for(&self, page: usize) -> String {
        let parent = self.tree.parents[page].and_then(|parent| self.paths[parent].as_deref());
        let parent = parent.filter(|path| !path.is_empty());
        match (parent, self.summary) {
            (Some(parent), Some(_)) => path::directory(parent).to_owned(),
            (Some(parent), None) => path::inner(parent),
            (None, Some(summary)) => {
                path::directory(self.pages[summary].path.as_deref().unwrap_or("")).to_owned()
            }
            (None, None) => String::new(),
        }
    }

    /// The path, with a number where it is taken.
    fn take(&mut self, wanted: &str) -> String {
        let cut = wanted.rfind('.').unwrap_or(wanted.len());
        let mut path = wanted.to_owned();
        let mut number = self.taken.get(&wanted.to_lowercase()).copied().unwrap_or(1);
        while self.taken.contains_key(&path.to_lowercase()) {
            number += 1;
            path = format!("{}-{number}{}", &wanted[..cut], &wanted[cut..]);
        }
        self.taken.insert(wanted.to_lowercase(), number);
        self.taken.entry(path.to_lowercase()).or_insert(1);
        path
    }

    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (index, page) in self.pages.iter().enumerate() {
            let path = self.paths[index].as_deref().unwrap_or("");
            if path.is_empty() || path.ends_with('/') {
                continue;
            }
            let text = if self.summary == Some(index) {
                self.summary_text(&page.document)
            } else {
                to_markdown(&self.titled(page))
            };
            files.insert(path.to_owned(), text);
        }
        files
    }

    /// The page's document with its title in it, where nothing else would carry the title.
    fn titled(&self, page: &PlannedPage) -> Document {
        let mut document = page.document.clone();
        let title = page.title.replace(['\n', '\r'], " ");
        let path = page.path.as_deref().filter(|path| path::is_writable(path));
        let kept = match path {
            Some(_) if self.summary.is_some() => true,
            Some(path) => title_of(&document, path) == page.title,
            None => title_of(&document, "") == title,
        };
        if kept || title.trim().is_empty() {
            return document;
        }
        let is_title = |block: &Block| {
            block.kind == kind::HEADING && block.attrs.get(attr::LEVEL).and_then(Value::as_u64) == Some(1)
        };
        let front = document
            .blocks
            .first()
            .is_some_and(|block| block.kind == kind::RAW && block.str_attr(attr::LANG) == "yaml");
        match document.blocks.iter_mut().find(|block| is_title(block)) {
            Some(heading) if path.is_some() => {
                *heading = Block { runs: Vec::new(), ..heading.clone() }.text(&title)
            }
            _ => {
                let heading = Block::new(kind::HEADING).with(attr::LEVEL, 1).text(&title);
                document.blocks.insert(usize::from(front), heading);
            }
        }
        document
    }

    /// The summary with its lines matched to the pages: what did not change keeps its line, with whatever stood
    /// before it; what is gone goes; what is new is written in its place.
    fn summary_text(&self, document: &Document) -> String {
        let old = Summary::parse(&to_markdown(document));
        let base =
            path::directory(self.summary.and_then(|page| self.pages[page].path.as_deref()).unwrap_or(""));
        let (mut lines, mut groups, mut rest) = grouped(&old);
        let matched = self.matched(&groups, base);
        keep_text_of_gone(&mut groups, &mut rest, &matched);
        let numbered = self.numbered(&groups, &matched);
        let mut hidden: BTreeSet<usize> = BTreeSet::new();
        for (index, depth) in &self.tree.order {
            let page = &self.pages[*index];
            let group = matched.get(index).map(|group| &groups[*group]);
            let under_hidden = self.tree.parents[*index].is_some_and(|parent| hidden.contains(&parent));
            if group.is_none() && (under_hidden || self.keeps_path(*index) || self.summary == Some(*index)) {
                hidden.insert(*index);
                continue;
            }
            let path = self.paths[*index].as_deref().filter(|path| !path.is_empty());
            let chapter = Chapter {
                title: page.title.clone(),
                path: path.map(|path| relative(base, path)),
                depth: *depth,
                numbered: numbered.contains(index),
            };
            lines.extend(group.into_iter().flat_map(|group| group.before.iter().cloned()));
            let line = match group {
                Some(group) if group.says(&chapter, base) => group.line.clone(),
                _ => old.line_for(chapter),
            };
            push_apart(&mut lines, line);
        }
        lines.extend(rest);
        Summary { lines }.write()
    }

    /// The pages that are items of a list: all but prefix and suffix chapters, among which a new page joins in.
    fn numbered(&self, groups: &[Group<'_>], matched: &HashMap<usize, usize>) -> BTreeSet<usize> {
        let parents: BTreeSet<usize> = self.tree.parents.iter().flatten().copied().collect();
        let own = |page: &usize| matched.get(page).map(|group| groups[*group].chapter.numbered);
        let mut next_is: Vec<Option<bool>> = Vec::with_capacity(self.tree.order.len());
        let mut next = None;
        for (page, depth) in self.tree.order.iter().rev() {
            next_is.push(next);
            next = own(page).filter(|_| *depth == 0).or(next);
        }
        let mut numbered = BTreeSet::new();
        let mut last = None;
        for ((page, depth), next) in self.tree.order.iter().zip(next_is.into_iter().rev()) {
            let after_suffix = last == Some(false) && !numbered.is_empty();
            let usual = own(page).unwrap_or(next != Some(false) && !after_suffix);
            if *depth > 0 || parents.contains(page) || usual {
                numbered.insert(*page);
            }
            last = own(page).filter(|_| *depth == 0).or(last);
        }
        numbered
    }

    /// The group of lines that belongs to each page: by its file, drafts by their title.
    fn matched(&self, groups: &[Group<'_>], base: &str) -> HashMap<usize, usize> {
        let mut by_path: HashMap<Option<String>, Vec<usize>> = HashMap::new();
        for (index, group) in groups.iter().enumerate().rev() {
            let path = group.chapter.path.as_deref().and_then(|path| path::resolve(base, path));
            by_path.entry(path).or_default().push(index);
        }
        let mut matched = HashMap::new();
        for (page, _) in &self.tree.order {
            let given = self.pages[*page].path.as_deref();
            let found = match given {
                Some("") => by_path.get_mut(&None).and_then(|drafts| {
                    let same = |group: &usize| groups[*group].chapter.title == self.pages[*page].title;
                    drafts.iter().rposition(same).map(|at| drafts.remove(at))
                }),
                Some(path) => by_path.get_mut(&Some(path.to_owned())).and_then(Vec::pop),
                None => None,
            };
            matched.extend(found.map(|group| (*page, group)));
        }
        matched
    }
}

/// Adds a line; one that is no item stands apart from an item, or it would belong to it.
fn push_apart(lines: &mut Vec<Line>, line: Line) {
    let numbered = |line: &Line| matches!(&line.kind, LineKind::Chapter(chapter) if chapter.numbered);
    if lines.last().is_some_and(numbered) && !numbered(&line) {
        lines.push(Line { source: String::new(), kind: LineKind::Text });
    }
    lines.push(line);
}

/// A chapter's line and the lines between it and the chapter before.
struct Group<'s> {
    before: Vec<Line>,
    line: &'s Line,
    chapter: &'s Chapter,
    /// How many chapters it is under; less than its depth where items of the list are no chapters.
    depth: usize,
}

impl Group<'_> {
    /// Whether the line says this chapter already.
    fn says(&self, chapter: &Chapter, base: &str) -> bool {
        let path = |chapter: &Chapter| chapter.path.as_deref().map(|path| path::resolve(base, path));
        self.chapter.title == chapter.title
            && self.chapter.numbered == chapter.numbered
            && self.depth == chapter.depth
            && path(self.chapter) == path(chapter)
    }
}

/// The lines with the summary's own title, the chapters, and the lines after the last.
fn grouped(summary: &Summary) -> (Vec<Line>, Vec<Group<'_>>, Vec<Line>) {
    let mut headings = 0;
    let ends_title = |line: &Line| {
        let is_heading = matches!(line.kind, LineKind::Heading(_));
        headings += usize::from(is_heading);
        headings > 1 || (!is_heading && !line.source.trim().is_empty())
    };
    let own = summary.lines.iter().position(ends_title).unwrap_or(summary.lines.len());
    let (title, lines) = summary.lines.split_at(own);
    let mut groups = Vec::new();
    let mut before = Vec::new();
    let mut above: Vec<usize> = Vec::new();
    for line in lines {
        match &line.kind {
            LineKind::Chapter(chapter) => {
                above.retain(|depth| chapter.numbered && *depth < chapter.depth);
                groups.push(Group { before: std::mem::take(&mut before), line, chapter, depth: above.len() });
                above.extend(chapter.numbered.then_some(chapter.depth));
            }
            _ => before.push(line.clone()),
        }
    }
    (title.to_vec(), groups, before)
}

/// Gives what stood before a chapter that is gone (the heading of a part) to the next one that is not.
fn keep_text_of_gone(groups: &mut [Group<'_>], rest: &mut Vec<Line>, matched: &HashMap<usize, usize>) {
    let kept: BTreeSet<usize> = matched.values().copied().collect();
    let mut left: Vec<Line> = Vec::new();
    for (index, group) in groups.iter_mut().enumerate() {
        let says_more = group.before.iter().any(|line| !line.source.trim().is_empty());
        if !kept.contains(&index) {
            if says_more {
                left.append(&mut group.before);
            }
        } else if !left.is_empty() {
            left.append(&mut group.before);
            group.before = std::mem::take(&mut left);
        }
    }
    left.append(rest);
    *rest = left;
}

/// A path from the root of the folder as one from the directory `base`.
fn relative(base: &str, path: &str) -> String {
    let mut from = base.split('/').filter(|part| !part.is_empty()).peekable();
    let mut to = path.split('/').peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up = from.map(|_| "..");
    up.chain(to).collect::<Vec<_>>().join("/")
}
