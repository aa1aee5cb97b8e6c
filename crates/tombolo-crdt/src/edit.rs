use crate::doc::ROW;
use crate::row::{DELETED, Place, text_root};
use crate::{Error, Result};
use loro::{LoroDoc, LoroText, LoroValue, UpdateOptions};
use tombolo_core::{Millis, Value};

/// Above this many differing characters, old and new together, a text is replaced in one piece instead of compared:
/// the comparison's cost grows with their square.
const COMPARE_CHARS_MAX: usize = 2_000;

/// An edit in progress on one document.
pub struct Edit<'d> {
    pub(crate) loro: &'d LoroDoc,
}

impl std::fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Edit")
    }
}

impl<'d> Edit<'d> {
    pub(crate) fn new(loro: &'d LoroDoc) -> Self {
        Self { loro }
    }

    /// Sets a scalar of the row. An equal value is not written again.
    ///
    /// # Errors
    /// `INTERNAL` if Loro refuses.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<()> {
        let value = match value {
            Value::Null => LoroValue::Null,
            Value::Bool(flag) => LoroValue::Bool(*flag),
            Value::Int(number) | Value::Time(number) => LoroValue::I64(*number),
            Value::Float(number) => LoroValue::Double(*number),
            Value::Text(text) => LoroValue::String(text.as_str().into()),
            Value::Bytes(bytes) => LoroValue::Binary(bytes.clone().into()),
            Value::Id(id) => LoroValue::String(id.to_string().into()),
        };
        self.put(key, value)
    }

    /// Puts the row at a place in its tree.
    ///
    /// # Errors
    /// `INTERNAL` if Loro refuses.
    pub fn place(&mut self, key: &str, place: &Place) -> Result<()> {
        self.put(key, place.to_loro())
    }

    /// Puts the row into the trash, or takes it out.
    ///
    /// # Errors
    /// `INTERNAL` if Loro refuses.
    pub fn set_deleted(&mut self, at: Option<Millis>) -> Result<()> {
        self.put(DELETED, at.map_or(LoroValue::Null, LoroValue::I64))
    }

    /// Makes a merged text say this, with as few insertions and deletions as are found quickly. None clears it.
    ///
    /// An empty text that was written differs from one that never was: the row remembers it.
    ///
    /// # Errors
    /// `INTERNAL` if Loro refuses.
    pub fn set_text(&mut self, field: &str, new: Option<&str>) -> Result<()> {
        let root = text_root(field);
        let text = self.loro.get_text(root.as_str());
        let wanted = new.unwrap_or_default();
        if !(wanted.is_empty() && text.is_empty()) {
            update_text(&text, wanted)?;
        }
        let present = new.is_some_and(str::is_empty);
        match (present, self.loro.get_map(ROW).get(&root).is_some()) {
            (true, _) => self.put(&root, LoroValue::Bool(true)),
            (false, true) => self.put(&root, LoroValue::Null),
            (false, false) => Ok(()),
        }
    }

    /// Deletes from a merged text and inserts there, as an editor does with each keystroke. Positions and lengths are
    /// counted in Unicode scalars.
    ///
    /// Unlike [`Edit::set_text`] this leaves the mark of an empty text as it is.
    ///
    /// # Errors
    /// `INTERNAL` if the text does not reach from `at` over all that is deleted.
    pub fn splice_text(&mut self, field: &str, at: usize, deleted: usize, inserted: &str) -> Result<()> {
        let text = self.loro.get_text(text_root(field).as_str());
        text.splice(at, deleted, inserted).map(drop).map_err(Error::edit)
    }

    fn put(&mut self, key: &str, value: LoroValue) -> Result<()> {
        let row = self.loro.get_map(ROW);
        let now = row.get(key).map(|now| now.get_deep_value());
        if now.as_ref() == Some(&value) || (now.is_none() && value.is_null()) {
            return Ok(());
        }
        row.insert(key, value).map_err(Error::edit)
    }
}

/// Replaces only what lies between the common beginning and the common end.
fn update_text(text: &LoroText, new: &str) -> Result<()> {
    let old = text.to_string();
    let same = |pair: &(char, char)| pair.0 == pair.1;
    let head = old.chars().zip(new.chars()).take_while(same).count();
    let (old_len, new_len) = (old.chars().count(), new.chars().count());
    let tail = old.chars().rev().zip(new.chars().rev()).take_while(same).count();
    let tail = tail.min(old_len.min(new_len) - head);
    let (removed, added) = (old_len - head - tail, new_len - head - tail);
    if removed + added > COMPARE_CHARS_MAX || removed == 0 || added == 0 {
        let middle: String = new.chars().skip(head).take(added).collect();
        text.splice(head, removed, &middle).map_err(Error::edit)?;
        return Ok(());
    }
    let options = UpdateOptions { timeout_ms: None, use_refined_diff: true };
    text.update(new, options).map_err(|_| Error::edit("the comparison of two texts did not end"))
}
