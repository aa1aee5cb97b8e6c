//! What whoever follows a document is told.

use super::Engine;
use crate::backend::Backend;
use crate::feed::{Piece, Told};
use tombolo_core::{Code, DocRef, Error, PeerId, Result};
use tombolo_crdt::{Doc, unpack};

impl<B: Backend> Engine<B> {
    /// What a document has become since a follower was told last; none if that is nothing. With `anew`, or when
    /// operations that were told have gone, all of it.
    ///
    /// # Errors
    /// `ROW_NOT_FOUND` if there is no such row.
    pub(crate) fn piece(
        &mut self,
        doc: &DocRef,
        told: Option<&Told>,
        anew: bool,
    ) -> Result<Option<(Piece, Told)>> {
        let told = told.filter(|_| !anew);
        // What is open already is not touched, or it would seem to have changed.
        if self.docs.peek(doc).is_none() {
            self.nested(|engine| {
                if let Some(open) = engine.open_doc(doc)? {
                    engine.docs.put(doc.clone(), open);
                }
                engine.txn.touched.remove(doc);
                Ok(())
            })?;
        }
        let peer = PeerId::mint(self.random.as_mut());
        if let Some(open) = self.docs.peek(doc) {
            return piece(&open.doc, told, peer);
        }
        self.check_row_of_text(doc)?;
        piece(&Doc::new(PeerId(0)), told, peer)
    }

    /// A formatted text that nobody has written yet is empty; any other document that is not here is missing.
    fn check_row_of_text(&mut self, doc: &DocRef) -> Result<()> {
        let row = DocRef { field: None, ..doc.clone() };
        if doc.field.is_some() && (self.docs.peek(&row).is_some() || self.backend.doc_key(&row)?.is_some()) {
            return Ok(());
        }
        Err(Error::new(Code::RowNotFound, format!("{} has no row {}", doc.entity, doc.row))
            .with("entity", doc.entity.as_str())
            .with("id", doc.row.to_string()))
    }
}

/// `peer` is for a snapshot.
fn piece(doc: &Doc, told: Option<&Told>, peer: PeerId) -> Result<Option<(Piece, Told)>> {
    let now = doc.version()?;
    if let Some(told) = told.filter(|told| now.includes(&told.version)) {
        // The follower's own operations come from it.
        let known = told.version.clone().with_peer_of(told.peer, &now);
        let update = doc.update_since(&known)?;
        let bytes = update.map(|update| unpack(&update).into_owned());
        return Ok(bytes.map(|bytes| (Piece::Update { bytes }, Told { peer: told.peer, version: now })));
    }
    Ok(Some((Piece::Snapshot { peer, bytes: doc.snapshot()? }, Told { peer, version: now })))
}
