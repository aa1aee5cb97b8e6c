use super::reader::Reader;
use super::{Kind, out_of_range};
use crate::{Error, Result};
use tombolo_core::limit;

/// What an operation does to a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Adds as many elements.
    Insert(u64),
    /// Removes as many elements.
    Delete(u64),
    Other,
}

impl Content {
    /// How many operations it counts as.
    pub(super) fn len(self) -> u64 {
        match self {
            Content::Insert(count) | Content::Delete(count) => count,
            Content::Other => 1,
        }
    }
}

/// The values of a block's operations, one after the other.
pub(super) struct Values<'b> {
    reader: Reader<'b>,
    keys: &'b [&'b str],
    peers: u64,
    deletions: std::vec::IntoIter<i128>,
    copies: &'b mut usize,
}

impl<'b> Values<'b> {
    pub(super) fn new(
        bytes: &'b [u8],
        keys: &'b [&'b str],
        peers: usize,
        deletions: Vec<i128>,
        copies: &'b mut usize,
    ) -> Self {
        let deletions = deletions.into_iter();
        Self { reader: Reader::new(bytes), keys, peers: peers as u64, deletions, copies }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        match self.deletions.next() {
            None => self.reader.end(),
            Some(_) => Err(Error::decode("it has more deletions than operations")),
        }
    }

    /// The next operation's value, of the kind that the operation says. In a map the place is the key's number.
    pub(super) fn next(&mut self, kind: u8, container: Kind, place: u32) -> Result<Content> {
        if container == Kind::Map && place as usize >= self.keys.len() {
            return Err(Error::decode("it names a key that is not there"));
        }
        match (container, kind) {
            (Kind::Text, 0) => Ok(Content::Other),
            (Kind::Text, 5) => self.text(),
            (Kind::Text, 12) => self.mark(),
            (Kind::Text | Kind::List | Kind::MovableList, 9) => self.deletion(),
            (Kind::Map, 8) => Ok(Content::Other),
            (Kind::Map, 11) => self.value(0).map(|_| Content::Other),
            (Kind::List | Kind::MovableList, 11) => match self.value(0)? {
                Some(0) => Err(Error::decode("an insertion is empty")),
                Some(count) => Ok(Content::Insert(count)),
                None => Err(Error::decode("a list is given what is no list")),
            },
            (Kind::MovableList, 14) => {
                self.reader.varint()?;
                self.peer()?;
                self.reader.number().map(|_| Content::Other)
            }
            (Kind::MovableList, 15) => {
                self.peer()?;
                self.reader.number()?;
                self.value(0).map(|_| Content::Other)
            }
            (Kind::Tree, 16) => self.tree_move(),
            (Kind::Counter, 3) => self.leb().map(|()| Content::Other),
            (Kind::Counter, 4) => self.reader.take(8).map(|_| Content::Other),
            _ => Err(Error::decode("an operation is of a kind that its container does not know")),
        }
    }

    fn text(&mut self) -> Result<Content> {
        let text = std::str::from_utf8(self.reader.sized()?);
        match text.map_err(|_| Error::decode("a text is none"))?.chars().count() {
            0 => Err(Error::decode("an insertion is empty")),
            count => Ok(Content::Insert(count as u64)),
        }
    }

    fn mark(&mut self) -> Result<Content> {
        self.reader.byte()?;
        match self.reader.number()? {
            0 => return Err(Error::decode("a mark is empty")),
            length if i32::try_from(length).is_err() => return Err(out_of_range("a mark's length")),
            _ => {}
        }
        self.key()?;
        self.value(0).map(|_| Content::Other)
    }

    fn deletion(&mut self) -> Result<Content> {
        let length = self.deletions.next().ok_or_else(|| Error::decode("a deletion says not of what"))?;
        u64::try_from(length.unsigned_abs()).map(Content::Delete).map_err(|_| out_of_range("a deletion"))
    }

    fn tree_move(&mut self) -> Result<Content> {
        self.peer()?;
        self.counter()?;
        self.reader.varint()?;
        if self.reader.byte()? == 0 {
            self.peer()?;
            self.counter()?;
        }
        Ok(Content::Other)
    }

    fn counter(&mut self) -> Result<()> {
        match i32::try_from(self.reader.varint()?) {
            Ok(_) => Ok(()),
            Err(_) => Err(out_of_range("a counter")),
        }
    }

    fn peer(&mut self) -> Result<()> {
        match self.reader.varint()? < self.peers {
            true => Ok(()),
            false => Err(Error::decode("it names a peer that is not there")),
        }
    }

    /// The length of a key, which is copied where it is the key of a map's entry.
    fn key(&mut self) -> Result<usize> {
        let key = usize::try_from(self.reader.varint()?).ok().and_then(|key| self.keys.get(key));
        key.map(|key| key.len()).ok_or_else(|| Error::decode("it names a key that is not there"))
    }

    /// A signed number in ten bytes or fewer, which Loro reads in its own way.
    fn leb(&mut self) -> Result<()> {
        for _ in 0..10 {
            if self.reader.byte()? & 0x80 == 0 {
                return Ok(());
            }
        }
        Err(out_of_range("a number"))
    }

    /// A value; if it is a list, its length.
    fn value(&mut self, depth: usize) -> Result<Option<u64>> {
        if depth > limit::VALUE_DEPTH {
            return Err(Error::decode(format!("a value is nested more than {} levels", limit::VALUE_DEPTH)));
        }
        match self.reader.byte()? {
            0..=2 => {}
            3 => self.leb()?,
            4 => {
                self.reader.take(8)?;
            }
            5 => {
                let text = std::str::from_utf8(self.reader.sized()?);
                text.map_err(|_| Error::decode("a text is none"))?;
            }
            6 => {
                self.reader.sized()?;
            }
            7 => {
                let count = self.reader.count(1)?;
                (0..count).try_for_each(|_| self.value(depth + 1).map(|_| ()))?;
                return Ok(Some(count as u64));
            }
            8 => {
                for _ in 0..self.reader.count(2)? {
                    let key = self.key()?;
                    *self.copies =
                        self.copies.checked_sub(key).ok_or_else(|| out_of_range("the length of its keys"))?;
                    self.value(depth + 1)?;
                }
            }
            9 => {
                Kind::from_number(self.reader.byte()?)?;
            }
            other => return Err(Error::decode(format!("there is no value of kind {other}"))),
        }
        Ok(None)
    }
}
