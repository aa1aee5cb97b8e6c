//! What the network does.

use crate::network::{Packet, Way};
use crate::world::{Event, World};
use std::sync::Arc;
use tombolo_core::Millis;
use tombolo_sync::{ClientInput, CloseCode, HubInput, SessionId};

/// How long a message is on its way, at most, when all is well.
const TRANSIT_MS: u64 = 40;
/// How much longer what was sent before a connection ended may be on its way.
const STRAGGLER_MS: u64 = 3_000;
/// A socket that nobody reads is looked at again after this.
const UNREAD_MS: Millis = 5;
/// What is held back is looked at again after this.
const HELD_MS: Millis = 100;

impl World {
    pub(crate) fn connect(&mut self, at: usize) {
        self.seen.connects += 1;
        self.replicas[at].attempt += 1;
        let (life, attempt) = (self.replicas[at].life, self.replicas[at].attempt);
        self.after(100, Event::Open { at, life, attempt });
    }

    pub(crate) fn open(&mut self, at: usize, life: u64, attempt: u64) {
        if self.replicas[at].life != life || self.replicas[at].attempt != attempt {
            return;
        }
        if self.network.held_until(at, self.now).is_some() {
            return self.at(self.now + HELD_MS, Event::Open { at, life, attempt });
        }
        if self.server.hub.is_none() {
            let reason = "connection refused".to_owned();
            return self.tell_replica(at, ClientInput::Closed { code: None, reason });
        }
        let link = self.network.open(at, self.now);
        self.replicas[at].link = Some(link);
        self.note(format_args!("replica {at}: connected as session {link}"));
        self.tell_hub(HubInput::Opened { session: SessionId(link) });
        self.tell_replica(at, ClientInput::Opened);
    }

    /// The replica lets go of its connection. What it sent before may still arrive, later than what it sends on the
    /// next one.
    pub(crate) fn disconnect(&mut self, at: usize, in_order: bool) {
        self.replicas[at].attempt += 1;
        let Some(id) = self.replicas[at].link.take() else { return };
        let late = if in_order { 0 } else { self.below(STRAGGLER_MS) };
        let Some(link) = self.network.links.get_mut(&id) else { return };
        link.client_open = false;
        link.down.packets.clear();
        link.up.until += Millis::try_from(late).unwrap_or(0);
        if !link.cut {
            link.cut = true;
            self.put(id, Way::Up, Packet::End(None, "the client went away".to_owned()));
        }
        self.network.tidy(id);
    }

    /// The server lets go of a connection, after what it sent.
    pub(crate) fn close(&mut self, id: u64, code: CloseCode, reason: String) {
        self.note(format_args!("session {id}: closed by the server: {reason}"));
        let Some(link) = self.network.links.get_mut(&id) else { return };
        link.hub_open = false;
        link.up.packets.clear();
        if !link.cut {
            link.cut = true;
            self.put(id, Way::Down, Packet::End(Some(code), reason));
        }
        self.network.tidy(id);
    }

    /// The network drops a connection: of what is on its way some arrives, the last is lost.
    pub(crate) fn cut(&mut self, id: u64) {
        let (up, down) = (self.random_share(), self.random_share());
        let Some(link) = self.network.links.get_mut(&id).filter(|link| !link.cut) else { return };
        link.cut = true;
        link.half_open = false;
        for (stream, share) in [(&mut link.up, up), (&mut link.down, down)] {
            stream.packets.truncate(stream.packets.len() * share / 100);
        }
        let ends = [(Way::Up, link.hub_open), (Way::Down, link.client_open)];
        for (way, open) in ends {
            if open {
                let late = self.below(STRAGGLER_MS / 3);
                if let Some(link) = self.network.links.get_mut(&id) {
                    link.stream(way).until += Millis::try_from(late).unwrap_or(0);
                }
                self.put(id, way, Packet::End(None, "the network dropped the connection".to_owned()));
            }
        }
    }

    /// The server's end of every connection is gone at once.
    pub(crate) fn lose_server_ends(&mut self) {
        for id in self.network.links.keys().copied().collect::<Vec<_>>() {
            let share = self.random_share();
            let Some(link) = self.network.links.get_mut(&id) else { continue };
            link.hub_open = false;
            link.up.packets.clear();
            if !link.cut {
                link.cut = true;
                link.down.packets.truncate(link.down.packets.len() * share / 100);
                self.put(id, Way::Down, Packet::End(None, "the server went away".to_owned()));
            }
            self.network.tidy(id);
        }
    }

    fn random_share(&mut self) -> usize {
        self.index(101)
    }

    pub(crate) fn send_up(&mut self, at: usize, bytes: Vec<u8>) {
        // Between a cut and the news of it, messages go nowhere.
        if let Some(id) = self.replicas[at].link {
            self.send(id, Way::Up, bytes);
        }
    }

    pub(crate) fn send_down(&mut self, id: u64, bytes: &Arc<[u8]>) {
        let life = self.server.life;
        let input = HubInput::Sent { session: SessionId(id), bytes: bytes.len() };
        self.after(TRANSIT_MS, Event::ToHub { life, input });
        self.send(id, Way::Down, bytes.to_vec());
    }

    fn send(&mut self, id: u64, way: Way, bytes: Vec<u8>) {
        let bad = self.happens(self.faults.bad_frames);
        let kind = self.below(3);
        let Some(link) = self.network.links.get_mut(&id) else { return };
        if link.stale {
            // Whoever was to be told of the end before was not.
            (link.stale, link.cut) = (false, false);
            return self.cut(id);
        }
        if link.cut || link.half_open {
            return;
        }
        let packet = Packet::Bytes(bytes);
        if !bad {
            return self.put(id, way, packet);
        }
        self.seen.bad_frames += 1;
        self.note(format_args!(
            "session {id}: a frame {way:?} is {}",
            ["lost", "doubled", "swapped"][kind as usize]
        ));
        match kind {
            0 => {}
            1 => {
                self.put(id, way, packet.clone());
                self.put(id, way, packet);
            }
            _ => {
                self.put(id, way, packet);
                if let Some(link) = self.network.links.get_mut(&id) {
                    let packets = &mut link.stream(way).packets;
                    let last = packets.len() - 1;
                    packets.swap(last, last.saturating_sub(1));
                }
            }
        }
    }

    fn put(&mut self, id: u64, way: Way, packet: Packet) {
        let delay = 1 + Millis::try_from(self.below(TRANSIT_MS)).unwrap_or(0);
        let Some(link) = self.network.links.get_mut(&id) else { return };
        let stream = link.stream(way);
        stream.until = stream.until.max(self.now + delay);
        stream.packets.push_back(packet);
        let time = stream.until;
        self.at(time, Event::Deliver { link: id, way });
    }

    pub(crate) fn deliver(&mut self, id: u64, way: Way) {
        let Some(link) = self.network.links.get(&id) else { return };
        let at = link.replica;
        if link.half_open {
            return;
        }
        let (session, current) = (SessionId(id), self.replicas[at].link == Some(id));
        let unread = match way {
            Way::Up => link.hub_open && !self.server.hub.as_ref().is_none_or(|hub| hub.wants_input(session)),
            Way::Down => current && !self.replicas[at].machine.wants_input(),
        };
        let wait = match (self.network.held_until(at, self.now), unread) {
            (Some(_), _) => Some(HELD_MS),
            (None, true) if !self.next_is_end(id, way) => Some(UNREAD_MS),
            _ => None,
        };
        if let Some(wait) = wait {
            return self.at(self.now + wait, Event::Deliver { link: id, way });
        }
        let Some(link) = self.network.links.get_mut(&id) else { return };
        match (link.stream(way).packets.pop_front(), way) {
            (Some(Packet::Bytes(bytes)), Way::Up) if link.hub_open => {
                self.tell_hub(HubInput::Received { session, bytes });
            }
            (Some(Packet::End(..)), Way::Up) if link.hub_open => {
                link.hub_open = false;
                self.tell_hub(HubInput::Closed { session });
            }
            (Some(Packet::Bytes(bytes)), Way::Down) if current => {
                self.tell_replica(at, ClientInput::Received(bytes));
            }
            (Some(Packet::End(code, reason)), Way::Down) if current => {
                link.client_open = false;
                self.replicas[at].link = None;
                self.note(format_args!("replica {at}: session {id} ended: {reason}"));
                self.tell_replica(at, ClientInput::Closed { code, reason });
            }
            _ => {}
        }
        self.network.tidy(id);
    }

    /// The end of a stream is noticed by whoever does not read, too: a driver that has left bytes unread sees it
    /// when the machine wants them or when it writes.
    fn next_is_end(&self, id: u64, way: Way) -> bool {
        let Some(link) = self.network.links.get(&id) else { return false };
        let stream = match way {
            Way::Up => &link.up,
            Way::Down => &link.down,
        };
        matches!(stream.packets.front(), None | Some(Packet::End(..)))
    }
}
