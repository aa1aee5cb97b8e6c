//! Goals 4 and 5: what a keystroke costs, in time and bytes.

use crate::local::open;
use crate::report::{Bound, Line, Times};
use std::time::Instant;
use tombolo_core::{Code, Commit, Error, Operation, Options, PeerId, Result, RowId, Seq};
use tombolo_crdt::Doc;
use tombolo_sqlite::Durability;
use tombolo_store::{DataStore, Role, Store};

/// An editor: it holds the document and sends each keystroke's update.
struct Editor {
    doc: Doc,
    row: RowId,
    text: String,
}

impl Editor {
    fn new(row: RowId, peer: u64) -> Self {
        Self { doc: Doc::new(PeerId(peer)), row, text: String::new() }
    }

    /// Types a character somewhere in the middle, as people do.
    fn key(&mut self, n: usize) -> Result<Operation> {
        let at = self.text.len() / 2;
        self.text.insert(at, char::from(b'a' + u8::try_from(n % 26).unwrap_or(0)));
        let text = self.text.clone();
        self.update(&text)
    }

    fn update(&mut self, text: &str) -> Result<Operation> {
        let (_, update) = self.doc.edit(|edit| edit.set_text("text", Some(text)))?;
        let bytes = update.ok_or_else(|| Error::new(Code::Internal, "nothing was typed"))?;
        Ok(Operation::CrdtApplyUpdate {
            entity: "Text".into(),
            id: self.row,
            field: None,
            bytes,
            options: Options::default(),
        })
    }

    /// Builds a document of about this many operations, many characters an update.
    fn grow(&mut self, operations: usize, store: &Store<tombolo_sqlite::Sqlite>) -> Result<()> {
        while self.text.len() < operations {
            let many = (operations - self.text.len()).min(10_000);
            let at = self.text.len() / 2;
            let typed: String =
                (0..many).map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0))).collect();
            self.text.insert_str(at, &typed);
            let text = self.text.clone();
            store.execute(self.update(&text)?)?;
        }
        Ok(())
    }
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|e| Error::new(Code::StorageFailed, e.to_string()))
}

pub(crate) fn cost(keys: usize) -> Result<Vec<Line>> {
    let folder = folder()?;
    // A server's engine, so that folding runs as it does once commits are acknowledged.
    let store = open(&folder.path().join("store.sqlite"), Durability::Normal, Role::Server)?;
    let sizes = [1_000, 100_000, 1_000_000];
    let mut editors = Vec::new();
    for (n, size) in sizes.into_iter().enumerate() {
        let n = u8::try_from(n).unwrap_or(0);
        let mut editor = Editor::new(RowId::from_bytes([n + 1; 16]), u64::from(n) + 10);
        editor.grow(size, &store)?;
        // The first edits after a document was opened or built pay for what Loro does lazily.
        for n in 0..100 {
            store.execute(editor.key(n)?)?;
        }
        editors.push((editor, Times::default()));
    }
    for n in 0..keys {
        for (editor, times) in &mut editors {
            let operation = editor.key(n)?;
            let start = Instant::now();
            store.execute(operation)?;
            times.add(start.elapsed());
        }
    }
    let micros = |times: &Times| times.median().as_secs_f64() * 1e6;
    let small = micros(&editors[0].1);
    let line = |n: usize, what: &str, goal: f64| Line {
        goal: "4",
        what: format!("keystroke at {what} operations, through `crdt_apply_update`"),
        figure: format!(
            "{:.0} µs (p99 {:.0})",
            micros(&editors[n].1),
            editors[n].1.quantile(0.99).as_secs_f64() * 1e6
        ),
        baseline: format!("{small:.0} µs at 1k"),
        ratio: Some((micros(&editors[n].1) / small, Bound::AtMost(goal))),
    };
    Ok(vec![line(1, "100k", 1.5), line(2, "1M", 2.0)])
}

pub(crate) fn bytes(keys: usize) -> Result<Vec<Line>> {
    let folder = folder()?;
    let path = folder.path().join("store.sqlite");
    let store = open(&path, Durability::Normal, Role::Replica)?;
    let mut editor = Editor::new(RowId::from_bytes([9; 16]), 9);
    editor.grow(10_000, &store)?;
    let size =
        |store: &Store<tombolo_sqlite::Sqlite>| store.submitter().run(|engine| engine.backend().size_bytes());
    let before = size(&store)?;
    let head =
        store.submitter().outbox(Seq(0), usize::MAX, usize::MAX >> 1)?.last().map_or(Seq(0), |last| last.0);
    let mut update_bytes = 0;
    for n in 0..keys {
        let operation = editor.key(n)?;
        if let Operation::CrdtApplyUpdate { bytes, .. } = &operation {
            update_bytes += bytes.len();
        }
        store.execute(operation)?;
    }
    let disk = size(&store)? - before;
    let commits: Vec<Commit> =
        store.submitter().outbox(head, usize::MAX, keys)?.into_iter().map(|(_, commit)| commit).collect();
    let wire = crate::wire::bytes_of(&commits)?;
    #[allow(clippy::cast_precision_loss)]
    let per_key = |bytes: u64| bytes as f64 / keys as f64;
    let update = per_key(update_bytes as u64);
    Ok(vec![
        Line {
            goal: "5",
            what: "bytes a keystroke on the wire, one a frame".into(),
            figure: format!("{:.0} B", per_key(wire)),
            baseline: format!("{update:.0} B the update alone"),
            ratio: Some((per_key(wire), Bound::AtMost(100.0))),
        },
        Line {
            goal: "5",
            what: "bytes a keystroke on disk, before compaction".into(),
            figure: format!("{:.0} B", per_key(disk)),
            baseline: format!("{update:.0} B the update alone"),
            ratio: Some((per_key(disk), Bound::AtMost(200.0))),
        },
    ])
}
