//! The public face: real pages, golden documents, properties.

#![allow(clippy::unwrap_used)]

mod properties;
mod vault;

/// Block ids in order.
pub(crate) fn counter() -> impl FnMut() -> String {
    let mut next = 0_u32;
    move || {
        next += 1;
        format!("b{next:07}")
    }
}
