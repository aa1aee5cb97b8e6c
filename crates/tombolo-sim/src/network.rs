//! Connections: two ordered streams each, which delay, hold back, lose their tails and end.

use std::collections::{BTreeMap, VecDeque};
use tombolo_core::Millis;
use tombolo_sync::CloseCode;

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the server.
    Up,
    /// To the replica.
    Down,
}

/// What a stream carries.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    Bytes(Vec<u8>),
    /// The end of the stream.
    End(Option<CloseCode>, String),
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    pub(crate) packets: VecDeque<Packet>,
    /// When the last packet arrives: they keep their order.
    pub(crate) until: Millis,
}

/// A connection of a replica with the server.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) replica: usize,
    pub(crate) up: Stream,
    pub(crate) down: Stream,
    /// The replica's end is open.
    pub(crate) client_open: bool,
    /// The server's end is open.
    pub(crate) hub_open: bool,
    /// What is sent goes nowhere, because the network has dropped the connection and will say so.
    pub(crate) cut: bool,
    /// What is sent goes nowhere, and nobody says so.
    pub(crate) half_open: bool,
    /// The network works again and resets the connection when something is sent.
    pub(crate) stale: bool,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) links: BTreeMap<u64, Link>,
    next: u64,
    /// Replicas whose packets are held back, until when.
    pub(crate) partitioned: BTreeMap<usize, Millis>,
}

impl Network {
    pub(crate) fn open(&mut self, replica: usize, now: Millis) -> u64 {
        self.next += 1;
        let stream = || Stream { packets: VecDeque::new(), until: now };
        let link = Link {
            replica,
            up: stream(),
            down: stream(),
            client_open: true,
            hub_open: true,
            cut: false,
            half_open: false,
            stale: false,
        };
        self.links.insert(self.next, link);
        self.next
    }

    /// Until when the replica's packets are held back, if they are now.
    pub(crate) fn held_until(&self, replica: usize, now: Millis) -> Option<Millis> {
        self.partitioned.get(&replica).copied().filter(|until| *until > now)
    }

    /// Forgets a connection of which nothing is left.
    pub(crate) fn tidy(&mut self, id: u64) {
        let done = |link: &Link| {
            !link.client_open && !link.hub_open && link.up.packets.is_empty() && link.down.packets.is_empty()
        };
        if self.links.get(&id).is_some_and(done) {
            self.links.remove(&id);
        }
    }
}

impl Link {
    pub(crate) fn stream(&mut self, way: Way) -> &mut Stream {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }
}
