//! A formatted text in its document: one text with block markers, and a map of later attribute changes.

use crate::{Doc, Edit, Error, Result};
use loro::{LoroDoc, LoroValue, TextDelta};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use tombolo_richtext::{Document, Marks, flatten, parse_flat};

/// The root text.
const TEXT: &str = "text";
/// The root map of attributes changed later, by `<block>/<attribute>`.
const BLOCKS: &str = "blocks";
/// The root map of facts about the document, such as its schema version.
const META: &str = "meta";
/// The mark on a newline that makes it a block's marker.
const MARKER: &str = "b";

impl Doc {
    /// The formatted text that the document holds.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn richtext(&self) -> Result<Document> {
        self.guard(|loro| Ok(read(loro)))
    }

    /// The formatted text as plain text.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn richtext_plain(&self) -> Result<String> {
        Ok(self.richtext()?.plain_text())
    }
}

impl Edit<'_> {
    /// Makes the formatted text say this.
    ///
    /// # Errors
    /// `INTERNAL` if Loro refuses.
    pub fn set_richtext(&mut self, document: &Document) -> Result<()> {
        let text = self.loro.get_text(TEXT);
        if !text.is_empty() {
            text.delete(0, text.len_unicode()).map_err(Error::edit)?;
        }
        let flat = flatten(document);
        text.insert(0, &flat.text).map_err(Error::edit)?;
        for marker in &flat.markers {
            let attrs = Json::Object(marker.attrs.clone().into_iter().collect());
            let range = marker.pos..marker.pos + 1;
            text.mark(range, MARKER, LoroValue::from(attrs)).map_err(Error::edit)?;
        }
        for mark in flat.marks {
            text.mark(mark.range, &mark.key, LoroValue::from(mark.value)).map_err(Error::edit)?;
        }
        let meta = self.loro.get_map(META);
        let schema = LoroValue::I64(i64::from(document.schema));
        if meta.get("schema").is_none() {
            meta.insert("schema", schema).map_err(Error::edit)?;
        }
        Ok(())
    }
}

fn json(value: &LoroValue) -> Json {
    serde_json::to_value(value).unwrap_or(Json::Null)
}

fn read(loro: &LoroDoc) -> Document {
    let Some(text) = loro.try_get_text(TEXT) else { return Document::default() };
    let segments: Vec<(String, Marks)> = text
        .to_delta()
        .into_iter()
        .filter_map(|delta| match delta {
            TextDelta::Insert { insert, attributes } => {
                let marks = attributes.unwrap_or_default().into_iter();
                Some((insert, marks.map(|(key, value)| (key.to_string(), json(&value))).collect()))
            }
            _ => None,
        })
        .collect();
    let mut overrides = BTreeMap::new();
    if let Some(LoroValue::Map(blocks)) = loro.try_get_map(BLOCKS).map(|blocks| blocks.get_value()) {
        overrides.extend(blocks.iter().map(|(key, value)| (key.clone(), json(value))));
    }
    let mut document = parse_flat(segments.iter().map(|(text, marks)| (text.as_str(), marks)), &overrides);
    let schema =
        loro.try_get_map(META).and_then(|meta| meta.get("schema")).map(|schema| schema.get_deep_value());
    if let Some(LoroValue::I64(schema)) = schema {
        document.schema = u32::try_from(schema).unwrap_or(document.schema);
    }
    document
}
