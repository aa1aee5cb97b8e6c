//! The primitives: bytes, LEB128 numbers, zigzag numbers, texts and ids.

use crate::error::{ProtocolError, Result, at_most, malformed};

pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Small numbers of either sign become small numbers.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the `put` functions wrote. Nothing is allocated for what is not there.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(ProtocolError::Truncated { what })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8> {
        self.take(1, what).map(|byte| byte[0])
    }

    pub(crate) fn id(&mut self, what: &'static str) -> Result<[u8; 16]> {
        let mut id = [0; 16];
        id.copy_from_slice(self.take(16, what)?);
        Ok(id)
    }

    /// A number in its shortest form: one value has one encoding.
    pub(crate) fn number(&mut self, what: &'static str) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            if (shift == 63 && bits > 1) || (byte == 0 && shift > 0) {
                return malformed(what);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        malformed(what)
    }

    pub(crate) fn small(&mut self, what: &'static str) -> Result<u32> {
        u32::try_from(self.number(what)?).or_else(|_| malformed(what))
    }

    pub(crate) fn signed(&mut self, what: &'static str) -> Result<i64> {
        let number = self.number(what)?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(crate) fn bytes(&mut self, max: usize, what: &'static str) -> Result<&'a [u8]> {
        let len = at_most(what, self.number(what)?, max)?;
        self.take(len, what)
    }

    pub(crate) fn text(&mut self, max: usize, what: &'static str) -> Result<String> {
        let bytes = self.bytes(max, what)?;
        std::str::from_utf8(bytes).map(str::to_owned).or_else(|_| malformed(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_survive(number: u64, signed: i64) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            put_signed(&mut out, signed);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.number("n").unwrap(), number);
            prop_assert_eq!(reader.signed("s").unwrap(), signed);
            prop_assert!(reader.is_empty());
        }
    }

    #[test]
    fn odd_numbers_are_refused() {
        for bytes in [
            &[][..],
            &[0x80],
            &[0x80, 0],
            &[0xff; 10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        ] {
            assert!(Reader::new(bytes).number("n").is_err(), "{bytes:?}");
        }
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x10]).small("n").is_err());
    }

    #[test]
    fn a_length_is_checked_before_it_is_used() {
        let mut out = Vec::new();
        put_number(&mut out, u64::MAX);
        assert!(matches!(Reader::new(&out).bytes(10, "x"), Err(ProtocolError::TooLarge { max: 10, .. })));
        assert!(matches!(Reader::new(&[5, 1]).bytes(10, "x"), Err(ProtocolError::Truncated { .. })));
        assert!(Reader::new(&[1, 0xff]).text(10, "x").is_err());
    }
}
