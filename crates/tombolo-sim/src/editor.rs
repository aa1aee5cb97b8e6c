//! Somebody who types into an open document and sends what changed, as a web view does.

use crate::model::{Acked, Call};
use crate::world::{Place, World};
use serde_json::json;
use std::sync::Arc;
use tombolo_core::{Code, Crdt, DocRef, PeerId, Result};
use tombolo_crdt::{Doc, Version};

/// How many updates somebody sends who types fast: enough for the document to be folded.
const BURST: usize = 70;

/// An open document outside the engine.
pub(crate) struct Editor {
    doc: Doc,
    of: DocRef,
    field: String,
    max_length: Option<u64>,
    /// What the engine has, or was sent with calls that it has not answered.
    acked: Version,
    /// What was typed since and could not be saved.
    unsaved: Acked,
}

impl World {
    /// Types a little, or now and then a lot, and sends what the engine does not have.
    pub(crate) fn edit(&mut self, at: usize) {
        let open = match self.replicas[at].editor.take() {
            Some(editor) => Some(editor),
            None => self.open_editor(at).unwrap_or_default(),
        };
        let Some(mut editor) = open else { return };
        let updates = if self.happens(20) { BURST } else { 1 };
        let calls: Result<Vec<Call>> = (0..updates).map(|_| self.type_into(&mut editor)).collect();
        let Ok(calls) = calls else { return };
        let sent: Vec<Acked> = calls.iter().map(|call| call.effect.clone()).collect();
        let answers = self.perform(Place::Replica(at), calls);
        let failed = answers.iter().position(Result::is_err).unwrap_or(answers.len());
        self.seen.editor_updates += failed as u64;
        match answers.into_iter().nth(failed).and_then(Result::err) {
            None => editor.unsaved = Acked::default(),
            // One update is sent again with the next; of many, some are there and some are not.
            Some(error) if error.code == Code::StorageFailed && updates == 1 => {
                editor.unsaved = sent.into_iter().next().unwrap_or_default();
            }
            // The document was rebuilt after a refusal, or the text is too long: the editor opens it again.
            Some(_) => return,
        }
        if !self.happens(200) {
            self.replicas[at].editor = Some(editor);
        }
    }

    fn open_editor(&mut self, at: usize) -> Result<Option<Editor>> {
        let manifest = Arc::clone(&self.manifest);
        let texts: Vec<_> = manifest
            .entities
            .iter()
            .flat_map(|entity| entity.fields.iter().map(move |field| (entity, field)))
            .filter(|(_, field)| field.crdt == Crdt::Text && !field.is_richtext())
            .collect();
        let n = self.index(texts.len());
        let Some((entity, field)) = texts.get(n) else { return Ok(None) };
        let rows = self.rows(Place::Replica(at), entity);
        let n = self.index(rows.len());
        let Some(row) = rows.get(n) else { return Ok(None) };
        let of = DocRef { entity: entity.name.clone(), row: row.id, field: None };
        let peer = PeerId::mint(&mut self.random);
        let Some(doc) = stored(self.replicas[at].node.engine().backend(), &of, peer)? else {
            return Ok(None);
        };
        let (acked, unsaved) = (doc.version()?, Acked::default());
        let (field, max_length) = (field.name.clone(), field.max_length);
        Ok(Some(Editor { doc, of, field, max_length, acked, unsaved }))
    }

    /// The call that sends what is typed now and what was not saved before.
    fn type_into(&mut self, editor: &mut Editor) -> Result<Call> {
        let mut effect = std::mem::take(&mut editor.unsaved);
        if effect.typed.is_empty() && effect.removed.is_empty() {
            editor.acked = editor.doc.version()?;
        }
        let old = editor.doc.text(&editor.field)?;
        let new = self.edited(&old, editor.max_length, &mut effect);
        editor.doc.edit(|edit| edit.set_text(&editor.field, Some(&new)))?;
        use base64::Engine as _;
        let update = editor.doc.update_since(&editor.acked)?.unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD.encode(update);
        let args = json!({"entity": editor.of.entity, "id": editor.of.row, "bytes": bytes});
        Ok(Call { name: "crdt_apply_update".to_owned(), args, effect })
    }
}

/// A document from the bytes that are stored.
pub(crate) fn stored(
    reader: &impl tombolo_store::backend::Read,
    of: &DocRef,
    peer: PeerId,
) -> Result<Option<Doc>> {
    let Some(key) = reader.doc_key(of)? else { return Ok(None) };
    let stored = reader.load_doc(key)?;
    let updates = stored.parts.iter().map(|part| part.bytes.as_slice());
    Ok(Some(Doc::open(peer, stored.base.as_deref(), updates)?))
}
