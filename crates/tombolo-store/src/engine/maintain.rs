//! What is done when nobody waits: folding acknowledged commits into bases, and catching up projections.

use super::{Engine, Role, Waiting};
use crate::backend::Backend;
use crate::docs::Open;
use std::collections::BTreeSet;
use tombolo_core::{DocRef, Error, Result};

/// A document is folded when this many updates follow its base …
const FOLD_PARTS: usize = 64;
/// … or this many bytes of updates.
const FOLD_PART_BYTES: usize = 256 * 1024;
/// A large document is folded only when its updates have grown to a fraction of it.
const FOLD_FRACTION: usize = 8;

pub(super) fn is_worth_folding(open: &Open) -> bool {
    let base_bytes = open.doc.len_bytes().saturating_sub(open.part_bytes);
    open.part_bytes >= FOLD_PART_BYTES.max(base_bytes / FOLD_FRACTION)
        || (open.parts >= FOLD_PARTS && open.part_bytes >= base_bytes / FOLD_FRACTION)
}

impl<B: Backend> Engine<B> {
    /// Whether [`Engine::maintain`] has something to do.
    pub fn has_maintenance(&self) -> bool {
        !self.foldable.is_empty()
    }

    /// Whether some projections wait to be caught up.
    pub fn has_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The entities and fields whose projections wait; no field is a row's own document.
    pub(crate) fn dirty_fields(&self) -> BTreeSet<(String, Option<String>)> {
        self.dirty.values().map(|waiting| (waiting.doc.entity.clone(), waiting.doc.field.clone())).collect()
    }

    /// Folds one document's acknowledged updates into its base, in a group of its own.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`: nothing has changed.
    pub fn maintain(&mut self) -> Result<()> {
        let Some(doc) = self.foldable.pop_first() else { return Ok(()) };
        self.begin()?;
        match self.nested(|engine| engine.fold(&doc)) {
            Ok(()) => self.commit().map(drop),
            Err(error) => {
                self.rollback()?;
                Err(error)
            }
        }
    }

    fn fold(&mut self, doc: &DocRef) -> Result<()> {
        let Some(mut open) = self.open_doc(doc)? else { return Ok(()) };
        if open.pending == 0 && open.parts > 0 {
            let snapshot = open.doc.snapshot()?;
            // The device forgets the bytes; a server keeps its whole log for those who catch up.
            self.backend.fold_doc(open.key, &snapshot, self.role == Role::Replica)?;
            open.parts = 0;
            open.part_bytes = 0;
            open.doc.set_len_bytes(snapshot.len());
        }
        self.docs.put(doc.clone(), open);
        Ok(())
    }

    /// Catches up every projection that waits, in a group of its own.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`: nothing has changed.
    pub fn catch_up_now(&mut self) -> Result<()> {
        if self.dirty.is_empty() {
            return Ok(());
        }
        self.begin()?;
        match self.catch_up() {
            Ok(()) => self.commit().map(drop),
            Err(error) => {
                self.rollback()?;
                Err(error)
            }
        }
    }

    /// Catches up every projection that waits, as part of the open group.
    ///
    /// # Errors
    /// `STORAGE_FAILED`, `STORAGE_FULL`.
    pub fn catch_up(&mut self) -> Result<()> {
        self.nested(|engine| {
            for (key, Waiting { doc, last }) in std::mem::take(&mut engine.dirty) {
                let manifest = std::sync::Arc::clone(&engine.manifest);
                if let (Ok(entity), Some(open)) = (manifest.entity(&doc.entity), engine.open_doc(&doc)?) {
                    let shown = engine.project_texts(entity, &doc, &open, last);
                    engine.docs.put(doc.clone(), open);
                    shown?;
                    engine.group.committed.entities.insert(doc.entity.clone());
                }
                engine.backend.set_dirty(key, false)?;
            }
            Ok::<(), Error>(())
        })
    }
}
