use super::out_of_range;
use crate::{Error, Result};

/// What is left of some bytes. Nothing it reads is larger than what is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(super) fn new(rest: &'b [u8]) -> Self {
        Self { rest }
    }

    /// The columns of a structure whose only field is a table.
    pub(super) fn table(bytes: &'b [u8], columns: u64) -> Result<Self> {
        let mut reader = Self::new(bytes);
        match (reader.varint()?, reader.varint()?) {
            (1, found) if found == columns => Ok(reader),
            _ => Err(Error::decode(format!("a table has not {columns} columns"))),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(&self) -> &'b [u8] {
        self.rest
    }

    pub(super) fn end(&self) -> Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => Err(Error::decode("a section is longer than what it holds")),
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| Error::decode("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Bytes with their length before them.
    pub(super) fn sized(&mut self) -> Result<&'b [u8]> {
        let length = self.varint()?;
        self.take(usize::try_from(length).map_err(|_| out_of_range("a length"))?)
    }

    /// How many of something follow, each of which takes at least this many bytes.
    pub(super) fn count(&mut self, each: usize) -> Result<usize> {
        let count = usize::try_from(self.varint()?).ok().filter(|count| *count <= self.len() / each);
        count.ok_or_else(|| out_of_range("a count"))
    }

    pub(super) fn varint(&mut self) -> Result<u64> {
        u64::try_from(self.wide()?).map_err(|_| out_of_range("a number"))
    }

    pub(super) fn number(&mut self) -> Result<u32> {
        u32::try_from(self.wide()?).map_err(|_| out_of_range("a number"))
    }

    pub(super) fn numbers<const N: usize>(&mut self) -> Result<[u32; N]> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Ok(numbers)
    }

    /// A signed number, its sign in the lowest bit.
    pub(super) fn signed(&mut self) -> Result<i128> {
        let wide = self.wide()?;
        let magnitude = i128::try_from(wide >> 1).map_err(|_| out_of_range("a number"))?;
        Ok(if wide & 1 == 0 { magnitude } else { -magnitude - 1 })
    }

    /// How many values a run has, and whether each is told by itself.
    pub(super) fn run(&mut self) -> Result<(usize, bool)> {
        let count = self.signed()?;
        match usize::try_from(count.unsigned_abs()) {
            Ok(length) if length > 0 => Ok((length, count < 0)),
            _ => Err(out_of_range("a run")),
        }
    }

    /// Seven bits a byte, the lowest first.
    fn wide(&mut self) -> Result<u128> {
        let mut value = 0_u128;
        for shift in (0..126).step_by(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(out_of_range("a number"))
    }
}
