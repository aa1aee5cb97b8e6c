//! `import` and `export`: a folder of Markdown becomes pages, and pages a folder.
//!
//! What becomes of which file is planned in `tombolo-richtext`; here are the files and the store.

use crate::folder::Data;
use crate::output;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tombolo_core::{
    Code, Error, Fields, Operation, Options, Random, Result, RichtextForm, RowId, SystemClock, SystemRandom,
};
use tombolo_richtext::folder::{FolderError, PlannedPage, plan_export, plan_import};
use tombolo_richtext::{Block, Document, block_id, kind, mark};
use tombolo_store::DataStore;

/// The entity that pages are.
const PAGE: &str = "Page";
/// The most files of one import.
const FILES_MAX: usize = 100_000;
/// The largest file.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How many bytes of text go into one transaction; the documents of these are a few times larger.
const CHUNK_BYTES: usize = 1024 * 1024;
/// The longest title of a page.
const TITLE_CHARS_MAX: usize = 500;

/// Brings a folder of Markdown files in as pages.
///
/// SUMMARY.md gives their nesting and order where there is one, the folders otherwise. Links are kept as they are
/// written. Images are referred to, their bytes stay where they are. Everything is read before anything is written.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    #[command(flatten)]
    data: Data,
    /// The folder of Markdown files
    from: PathBuf,
}

/// Writes every page outside the trash into a folder of Markdown files.
///
/// Pages that came from files go back to these paths, SUMMARY.md included. The folder must be new or empty.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    #[command(flatten)]
    data: Data,
    /// The folder to write
    to: PathBuf,
}

impl Import {
    pub(crate) fn run(self) -> Result<()> {
        let done = self.data.with_store(|store| {
            let bar = Bar::new("pages imported");
            import(store, &self.from, |done, all| bar.show(done, all))
        })?;
        output::line(&format!(
            "imported {} pages from {}; {} images are referred to, not copied",
            done.pages,
            self.from.display(),
            done.images
        ))
    }
}

impl Export {
    pub(crate) fn run(self) -> Result<()> {
        let done = self.data.with_store(|store| {
            let bar = Bar::new("pages read");
            export(store, &self.to, |done, all| bar.show(done, all))
        })?;
        output::line(&format!("exported {} files to {}", done.pages, self.to.display()))
    }
}

/// Progress on a terminal; nothing elsewhere.
struct Bar(indicatif::ProgressBar);

impl Bar {
    fn new(what: &'static str) -> Self {
        let style = indicatif::ProgressStyle::with_template("{pos}/{len} {msg} {wide_bar}");
        let bar = indicatif::ProgressBar::new(0).with_message(what);
        Self(match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        })
    }

    fn show(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// What an import or export did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Done {
    /// Pages that were made or written.
    pages: usize,
    /// Images that the pages refer to; their bytes are not taken.
    images: usize,
}

/// Imports every Markdown file below a folder. All files are read and planned before anything is written.
///
/// # Errors
/// `FILE_UNREADABLE` with the path; `INVALID_DATA` for a `SUMMARY.md` that cannot be followed; those of the store.
fn import(store: &dyn DataStore, folder: &Path, progress: impl Fn(usize, usize)) -> Result<Done> {
    let entity = store.manifest().entity(PAGE)?;
    for field in ["title", "parent", "path", "body"] {
        entity.field(field)?;
    }
    let mut files = BTreeMap::new();
    collect(folder, folder, &mut files)?;
    if files.is_empty() {
        return Err(unreadable(folder, "there is no Markdown file in it"));
    }
    let mut random = SystemRandom;
    let pages = plan_import(&files, &mut || block_id(random.u64())).map_err(|error| planning(&error))?;
    let now = tombolo_core::Clock::now(&SystemClock);
    let ids: Vec<RowId> = pages.iter().map(|_| RowId::mint(now, &mut SystemRandom)).collect();
    let origin = format!("import {}", folder.file_name().unwrap_or_default().to_string_lossy());
    let options = Options { origin: Some(origin.chars().take(200).collect()), ..Options::default() };
    let (mut ops, mut bytes, mut done) = (Vec::new(), 0, 0);
    for (page, id) in pages.iter().zip(&ids) {
        let op = insert(page, *id, page.parent.map(|parent| ids[parent]));
        let size = page.path.as_ref().and_then(|path| files.get(path)).map_or(0, String::len);
        if bytes + size > CHUNK_BYTES && !ops.is_empty() {
            done += write(store, std::mem::take(&mut ops), &options)?;
            progress(done, pages.len());
            bytes = 0;
        }
        bytes += size;
        ops.push(op);
    }
    done += write(store, ops, &options)?;
    progress(done, pages.len());
    Ok(Done { pages: done, images: pages.iter().map(|page| images(&page.document)).sum() })
}

/// Writes every page outside the trash into a folder that is new or empty.
///
/// # Errors
/// `CONFLICT` if the folder holds something; `STORAGE_FAILED` if it cannot be written; those of the store.
fn export(store: &dyn DataStore, folder: &Path, progress: impl Fn(usize, usize)) -> Result<Done> {
    let failed = |path: &Path, error: &std::io::Error| {
        Error::new(Code::StorageFailed, format!("{} cannot be written: {error}", path.display()))
            .with("path", path.display().to_string())
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut entries = std::fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    if entries.next().is_some() {
        return Err(Error::new(
            Code::Conflict,
            format!("{} is not empty; choose a new folder, so that nothing is overwritten", folder.display()),
        ));
    }
    let pages = pages(store, &progress)?;
    let images = pages.iter().map(|page| images(&page.document)).sum();
    let files = plan_export(&pages);
    for (path, text) in &files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
        }
        std::fs::write(&path, text).map_err(|error| failed(&path, &error))?;
    }
    Ok(Done { pages: files.len(), images })
}

/// Reads the Markdown files below a folder. Hidden ones and symbolic links are left out.
fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error.to_string()))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error.to_string()))?;
        if entry.file_name().to_string_lossy().starts_with('.') || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("md")) {
            let (name, text) = read(root, &path)?;
            files.insert(name, text);
            if files.len() > FILES_MAX {
                return Err(Error::new(Code::TooLarge, format!("an import takes {FILES_MAX} files at most")));
            }
        }
    }
    Ok(())
}

fn read(root: &Path, path: &Path) -> Result<(String, String)> {
    let failed = |error: std::io::Error| unreadable(path, &error.to_string());
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > FILE_BYTES_MAX {
        return Err(Error::new(
            Code::TooLarge,
            format!("{} has {size} bytes; 8 MiB is the most", path.display()),
        )
        .with("path", path.display().to_string()));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        unreadable(path, &format!("it is not valid UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })?;
    let relative = path.strip_prefix(root).unwrap_or(path);
    let mut name = Vec::new();
    for part in relative.components() {
        let part = part.as_os_str().to_str();
        name.push(part.ok_or_else(|| unreadable(path, "its name is not valid Unicode"))?);
    }
    Ok((name.join("/"), text))
}

fn insert(page: &PlannedPage, id: RowId, parent: Option<RowId>) -> Json {
    let title: String = page.title.chars().take(TITLE_CHARS_MAX).collect();
    json!({"op": "insert", "entity": PAGE, "data": {
        "id": id, "title": title, "parent": parent, "path": page.path,
        "body": {"document": page.document.to_json()}}})
}

fn write(store: &dyn DataStore, ops: Vec<Json>, options: &Options) -> Result<usize> {
    if ops.is_empty() {
        return Ok(0);
    }
    let count = ops.len();
    store.execute(Operation::Transact { ops, options: options.clone() })?;
    Ok(count)
}

fn only<const N: usize>(names: [&str; N]) -> Fields {
    Fields::Only(names.map(str::to_owned).into())
}

/// All pages outside the trash, parents before children, siblings in their order.
fn pages(store: &dyn DataStore, progress: &impl Fn(usize, usize)) -> Result<Vec<PlannedPage>> {
    let filter = json!({"$order": {"parent_order": "asc"}});
    let query =
        Operation::QueryFiltered { entity: PAGE.into(), filter, fields: only(["title", "parent", "path"]) };
    let rows = store.execute(query)?.into_json();
    let rows: Vec<&Map<String, Json>> =
        rows.as_array().into_iter().flatten().filter_map(Json::as_object).collect();
    let text = |row: &Map<String, Json>, key: &str| row.get(key).and_then(Json::as_str).map(str::to_owned);
    let mut below: HashMap<Option<String>, Vec<&Map<String, Json>>> = HashMap::new();
    for row in &rows {
        below.entry(text(row, "parent")).or_default().push(row);
    }
    let mut pages: Vec<PlannedPage> = Vec::with_capacity(rows.len());
    let mut open: Vec<(Option<usize>, usize, &Map<String, Json>)> = Vec::new();
    let push = |open: &mut Vec<_>, parent: Option<usize>, id: Option<String>| {
        let children = below.get(&id).map_or(&[][..], Vec::as_slice).iter().enumerate();
        open.extend(children.map(|(order, row)| (parent, order, *row)).rev());
    };
    push(&mut open, None, None);
    while let Some((parent, order, row)) = open.pop() {
        let id = text(row, "id").unwrap_or_default();
        let get = Operation::GetById {
            entity: PAGE.into(),
            id: id.parse()?,
            richtext: RichtextForm::Document,
            fields: only(["body"]),
        };
        let whole = store.execute(get)?.into_json();
        let document = match &whole["body"] {
            body @ Json::Object(_) => Document::from_json(body)
                .map_err(|error| Error::new(Code::Internal, format!("page {id} cannot be read: {error}")))?,
            _ => Document::default(),
        };
        let title = text(row, "title").unwrap_or_default();
        pages.push(PlannedPage { path: text(row, "path"), title, parent, order, document });
        progress(pages.len(), rows.len());
        push(&mut open, Some(pages.len() - 1), Some(id));
    }
    Ok(pages)
}

/// Images that a page refers to: as blocks, and in Markdown or HTML that is kept as it was written.
fn images(document: &Document) -> usize {
    let is_image = |rest: &&str| rest.split_once(']').is_some_and(|(_, after)| after.starts_with(['(', '[']));
    let within =
        |text: &str| text.split("![").skip(1).filter(is_image).count() + text.matches("<img ").count();
    let of_block = |block: &Block| match block.kind.as_str() {
        kind::IMAGE => 1,
        kind::RAW => block.runs.iter().map(|run| within(&run.text)).sum(),
        _ => {
            let verbatim = block.runs.iter().filter(|run| run.marks.contains_key(mark::MD));
            verbatim.map(|run| within(&run.text)).sum()
        }
    };
    document.blocks.iter().map(of_block).sum()
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(
        Code::FileUnreadable,
        format!("{} cannot be read: {why}; nothing was imported", path.display()),
    )
    .with("path", path.display().to_string())
}

fn planning(error: &FolderError) -> Error {
    let code = if error.code() == "FILE_UNREADABLE" { Code::FileUnreadable } else { Code::InvalidData };
    Error::new(code, format!("{error}; nothing was imported"))
}
