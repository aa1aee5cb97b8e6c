//! Updates without their envelope.
//!
//! Loro puts 22 bytes before an update: a magic word, a checksum in a field of sixteen bytes of which twelve are zero,
//! and the mode. A keystroke's update has only about 70 bytes besides. So updates are stored and sent as one byte that
//! says so, the four bytes of the checksum, and the rest.

use crate::wire::{MAGIC, MODE_UPDATES};
use std::borrow::Cow;

/// The first byte of a packed update; an update with its envelope begins with `l`.
const PACKED: u8 = 1;
/// What stands between the magic word and the checksum.
const ZEROS: [u8; 12] = [0; 12];
const CHECKSUM: usize = 4;

/// Takes the envelope off an update. What is no update stays as it is.
#[must_use]
pub(crate) fn pack(update: &[u8]) -> Vec<u8> {
    let checked = update.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(&ZEROS));
    let parts = checked.and_then(|rest| rest.split_at_checked(CHECKSUM));
    match parts.and_then(|(checksum, rest)| Some((checksum, rest.strip_prefix(&MODE_UPDATES)?))) {
        Some((checksum, body)) => [&[PACKED], checksum, body].concat(),
        None => update.to_vec(),
    }
}

/// The update as Loro reads it, from either form.
#[must_use]
pub fn unpack(bytes: &[u8]) -> Cow<'_, [u8]> {
    let packed = bytes.strip_prefix(&[PACKED]).and_then(|rest| rest.split_at_checked(CHECKSUM));
    match packed {
        Some((checksum, body)) => Cow::Owned([MAGIC, &ZEROS, checksum, &MODE_UPDATES, body].concat()),
        None => Cow::Borrowed(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Doc;
    use tombolo_core::PeerId;

    #[test]
    fn a_packed_update_is_the_update() {
        let mut doc = Doc::new(PeerId(1));
        doc.edit(|edit| edit.set_text("title", Some("hello"))).unwrap();
        let raw = doc.guard(|loro| Ok(loro.export(loro::ExportMode::all_updates()).unwrap())).unwrap();
        let packed = pack(&raw);
        assert_eq!(packed.len(), raw.len() - 17);
        assert_eq!(unpack(&packed), raw);
        assert_eq!(unpack(&raw), raw);
        for other in [b"".as_slice(), b"loro", b"\x01", doc.snapshot().unwrap().as_slice()] {
            assert_eq!(pack(other), other);
            assert_eq!(unpack(other), other);
        }
        let mut damaged = packed;
        damaged[9] ^= 1;
        assert!(Doc::open(PeerId(2), None, [damaged.as_slice()]).is_err(), "the checksum is kept");
    }
}
