//! Folders of Markdown as trees of pages, both ways; the caller does the reading and writing of files.
//!
//! What a folder says beyond its pages' texts lives in ordinary fields of a page: `title`, `parent`, the order among
//! siblings, and one optional string, `path`:
//!
//! | `path` | the page |
//! |---|---|
//! | `"ch01.md"` | came from this file, relative to the folder, `/` between the parts |
//! | `"guide/"` | stands for a folder that has no file of its own |
//! | `""` | a draft: a line of `SUMMARY.md` that names no file |
//! | none | was made in the app; gets a file named after its title |
//!
//! A folder with a `SUMMARY.md` (mdBook) takes titles, nesting and order from it. That file is a page too, so parts,
//! separators, prefix and suffix chapters and whatever else it says are kept in its text; on export its lines are
//! matched with the pages and only what changed is written anew. Other folders nest by directories: `a.md`,
//! `a/index.md` or `a/README.md` is the parent of what lies in `a/`.
//!
//! A page's body is its whole file, front matter and title heading included. Links stay as they are written.

mod export;
mod path;
mod summary;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use self::export::plan_export;
pub use self::summary::{Chapter, Line, LineKind, Summary};
use crate::document::{Document, attr, kind};
use crate::markdown::from_markdown;

/// The name of the file that orders a folder.
const SUMMARY_FILE: &str = "SUMMARY.md";

/// A page between a folder and the store.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedPage {
    /// The page's file; see the module's table.
    pub path: Option<String>,
    /// The chapter's title in `SUMMARY.md`, else the first level-one heading, else the file's name.
    pub title: String,
    /// The index of the parent in the list of pages.
    pub parent: Option<usize>,
    /// The place among the pages with the same parent, from 0.
    pub order: usize,
    /// The whole file.
    pub document: Document,
}

/// Why a folder cannot be taken as a tree of pages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FolderError {
    /// A chapter's file is not among the files.
    #[error("{file}:{line}: there is no file {path:?}")]
    Missing {
        /// The summary.
        file: String,
        /// Its line, from 1.
        line: usize,
        /// The chapter's path as written.
        path: String,
    },
    /// A chapter's path leads out of the folder, is absolute or is an address.
    #[error("{file}:{line}: {path:?} is not a path inside the folder")]
    Outside {
        /// The summary.
        file: String,
        /// Its line, from 1.
        line: usize,
        /// The chapter's path as written.
        path: String,
    },
    /// Two chapters share a file, or the summary lists itself: the tree would not be one.
    #[error("{file}:{line}: {path:?} has its place already")]
    Repeated {
        /// The summary.
        file: String,
        /// Its line, from 1.
        line: usize,
        /// The chapter's path as written.
        path: String,
    },
    /// A given file name is no relative path.
    #[error("{path:?} is not a path inside the folder")]
    BadName {
        /// The name as given.
        path: String,
    },
}

impl FolderError {
    /// The stable error code: `FILE_UNREADABLE` where a file is missing, else `INVALID_DATA`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "FILE_UNREADABLE",
            Self::Outside { .. } | Self::Repeated { .. } | Self::BadName { .. } => "INVALID_DATA",
        }
    }
}

/// Plans the pages for a folder's Markdown files (relative path → text). Parents stand before their children.
///
/// # Errors
/// [`FolderError`] where `SUMMARY.md` names files that are not there, twice or outside, or a file's own name is no
/// relative path.
pub fn plan_import(
    files: &BTreeMap<String, String>,
    ids: &mut dyn FnMut() -> String,
) -> Result<Vec<PlannedPage>, FolderError> {
    if let Some(path) = files.keys().find(|path| path::resolve("", path).as_ref() != Some(*path)) {
        return Err(FolderError::BadName { path: path.clone() });
    }
    let mut plan = Plan { pages: Vec::new(), siblings: BTreeMap::new() };
    match summary_path(files.keys().map(String::as_str)) {
        Some(summary) => plan.by_summary(summary, files, ids)?,
        None => plan.by_folders(files, ids),
    }
    Ok(plan.pages)
}

/// The summary among these paths: the one nearest the root.
fn summary_path<'p>(paths: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    paths
        .filter(|path| path::file_name(path) == SUMMARY_FILE)
        .min_by_key(|path| (path.matches('/').count(), path.len(), *path))
}

struct Plan {
    pages: Vec<PlannedPage>,
    /// How many children each parent has so far.
    siblings: BTreeMap<Option<usize>, usize>,
}

impl Plan {
    fn add(&mut self, path: &str, title: String, parent: Option<usize>, document: Document) -> usize {
        let order = self.siblings.entry(parent).or_insert(0);
        let page = PlannedPage { path: Some(path.to_owned()), title, parent, order: *order, document };
        *order += 1;
        self.pages.push(page);
        self.pages.len() - 1
    }

    fn by_summary(
        &mut self,
        summary_file: &str,
        files: &BTreeMap<String, String>,
        ids: &mut dyn FnMut() -> String,
    ) -> Result<(), FolderError> {
        let text = files.get(summary_file).map_or("", String::as_str);
        let summary = Summary::parse(text);
        let base = path::directory(summary_file);
        let mut listed = BTreeSet::from([summary_file.to_owned()]);
        // The chapters that the next one may belong to, with their depths.
        let mut above: Vec<(usize, usize)> = Vec::new();
        for (line, chapter) in summary.chapters() {
            let file = summary_file.to_owned();
            let (path, document) = match &chapter.path {
                None => (String::new(), Document::default()),
                Some(written) => {
                    let named = || written.clone();
                    let path = path::resolve(base, written).ok_or_else(|| FolderError::Outside {
                        file: file.clone(),
                        line,
                        path: named(),
                    })?;
                    if !listed.insert(path.clone()) {
                        return Err(FolderError::Repeated { file, line, path: named() });
                    }
                    let text = files.get(&path);
                    let text = text.ok_or_else(|| FolderError::Missing { file, line, path: named() })?;
                    (path, from_markdown(text, ids))
                }
            };
            above.retain(|(depth, _)| chapter.numbered && *depth < chapter.depth);
            let parent = above.last().map(|(_, page)| *page);
            let page = self.add(&path, chapter.title.clone(), parent, document);
            if chapter.numbered {
                above.push((chapter.depth, page));
            }
        }
        for (path, text) in files.iter().filter(|(path, _)| !listed.contains(*path)) {
            let document = from_markdown(text, ids);
            self.add(path, title_of(&document, path), None, document);
        }
        self.add(summary_file, "Summary".to_owned(), None, from_markdown(text, ids));
        Ok(())
    }

    fn by_folders(&mut self, files: &BTreeMap<String, String>, ids: &mut dyn FnMut() -> String) {
        let mut folders: BTreeMap<String, usize> = BTreeMap::new();
        // A folder's own page comes before what lies in the folder.
        let mut paths: Vec<&String> = files.keys().collect();
        paths.sort_by_cached_key(|path| (path::inner(path), path::file_name(path).to_owned()));
        for path in paths {
            let parent = self.folder(path::directory(&path::place(path)), &mut folders);
            let document = from_markdown(&files[path], ids);
            let page = self.add(path, title_of(&document, path), parent, document);
            folders.entry(path::inner(path)).or_insert(page);
        }
    }

    /// The page of a folder (`""`: none), made with those around it where it has no file.
    fn folder(&mut self, directory: &str, folders: &mut BTreeMap<String, usize>) -> Option<usize> {
        let mut parent = None;
        let ends = directory.match_indices('/').map(|(at, _)| at).chain([directory.len()]);
        for end in ends.filter(|end| *end > 0) {
            let folder = &directory[..end];
            let page = match folders.get(folder) {
                Some(page) => *page,
                None => {
                    let title = path::file_name(folder).to_owned();
                    let page = self.add(&format!("{folder}/"), title, parent, Document::default());
                    folders.insert(folder.to_owned(), page);
                    page
                }
            };
            parent = Some(page);
        }
        parent
    }
}

/// The title that a file gives itself: its first level-one heading, else its name.
fn title_of(document: &Document, path: &str) -> String {
    let is_title = |block: &&crate::Block| {
        block.kind == kind::HEADING && block.attrs.get(attr::LEVEL).and_then(Value::as_u64) == Some(1)
    };
    let heading = document.visible().find(is_title).map(|block| block.plain_text().replace('\n', " "));
    heading.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| path::stem(path).to_owned())
}
