//! Whatever is sent arrives.

use crate::sample::{actor, session};
use proptest::collection::vec;
use proptest::prelude::*;
use tombolo_core::{Commit, CommitId, DocRef, LogEntry, Part, RowId, Seq};
use tombolo_protocol::{
    Acknowledged, ClientCodec, ClientFrame, LogEncoder, LogItem, ServerFrame, Shared, encode_fresh,
    encode_own, frame_len,
};

fn doc() -> impl Strategy<Value = DocRef> {
    let field = prop_oneof![Just(None), Just(Some("body".to_owned())), "[a-z]{1,12}".prop_map(Some)];
    ("[A-C]", 0_u8..6, field).prop_map(|(entity, row, field)| DocRef {
        entity,
        row: RowId::from_bytes([row; 16]),
        field,
    })
}

fn part() -> impl Strategy<Value = Part> {
    let bytes = prop_oneof![20 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), 500..5_000)];
    (doc(), bytes).prop_map(|(doc, bytes)| Part { doc, bytes })
}

fn commit() -> impl Strategy<Value = Commit> {
    let origin = prop_oneof![4 => Just(None), 1 => ".{0,20}".prop_map(Some)];
    let parts = prop_oneof![9 => vec(part(), 0..4), 1 => vec(part(), 8..40)];
    let time = prop_oneof![9 => 1_795_512_000_000_i64..1_795_513_000_000, 1 => any::<i64>()];
    (any::<[u8; 16]>(), 0_u8..5, 6_u32..8, time, origin, any::<Option<[u8; 16]>>(), parts).prop_map(
        |(id, author, manifest_version, time, origin, replaces, parts)| Commit {
            id: CommitId::from_bytes(id),
            actor: actor(author),
            manifest_version,
            time,
            origin,
            replaces: replaces.map(CommitId::from_bytes),
            parts,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pushes_survive(batches in vec(vec(commit(), 1..6), 1..8)) {
        let (mut client, mut server) = session();
        let mut ordinal = 1;
        for commits in batches {
            let mut arrived = Vec::new();
            for message in client.push(0, 1, &commits) {
                if let Some(ClientFrame::Push(push)) = server.decode(&message).unwrap() {
                    prop_assert_eq!(push.ordinal, ordinal + arrived.len() as u64);
                    arrived.extend(push.commits);
                }
            }
            ordinal += commits.len() as u64;
            prop_assert_eq!(arrived, commits);
        }
    }

    /// One log, encoded once; sessions that join anywhere, and push some of it themselves.
    #[test]
    fn the_log_survives(
        batches in vec((vec(commit(), 1..5), 0_i64..1000, any::<bool>()), 1..30),
        joins in vec(0_usize..30, 3),
    ) {
        let mut encoder = LogEncoder::new(0);
        let mut sessions: Vec<Session> = joins.into_iter().map(Session::new).collect();
        let (mut seq, mut received) = (0, 1_795_512_600_000);
        for (at, (commits, pause, own)) in batches.into_iter().enumerate() {
            received += pause;
            let entries: Vec<LogEntry> = commits
                .into_iter()
                .map(|commit| {
                    seq += 1;
                    LogEntry { seq: Seq(seq), received, commit }
                })
                .collect();
            prop_assert_eq!(frame_len(&entries), entries.len());
            let chained = encoder.encode(&entries);
            for (place, session) in sessions.iter_mut().enumerate().filter(|(_, session)| session.joins <= at) {
                let own = own && place == at % 3;
                session.take(&entries, &chained.messages, chained.needs, own);
            }
        }
    }
}

struct Session {
    joins: usize,
    client: ClientCodec,
    fresh_from: Option<Seq>,
    previous: i64,
    pushed: u64,
}

impl Session {
    fn new(joins: usize) -> Self {
        Self { joins, client: session().0, fresh_from: None, previous: 0, pushed: 0 }
    }

    fn take(&mut self, entries: &[LogEntry], chained: &Shared, needs: Option<Seq>, own: bool) {
        let first = entries[0].seq;
        let messages = if own {
            self.own(entries)
        } else if self.fresh_from.zip(needs).is_some_and(|(from, needs)| from <= needs) {
            chained.clone()
        } else {
            self.fresh_from = Some(first);
            encode_fresh(0, entries)
        };
        let mut arrived = Vec::new();
        for message in messages {
            if let Some(ServerFrame::Log(log)) = self.client.decode(&message).unwrap() {
                arrived.extend(log.items);
            }
        }
        let expected: Vec<LogItem> = entries
            .iter()
            .cloned()
            .map(|entry| match own {
                true => LogItem::Own { seq: entry.seq, received: entry.received, id: entry.commit.id },
                false => LogItem::Full(entry),
            })
            .collect();
        assert_eq!(arrived, expected);
        self.previous = entries[entries.len() - 1].received;
    }

    fn own(&mut self, entries: &[LogEntry]) -> Shared {
        // One more push that the server ignored: its ordinal is skipped.
        let mut commits: Vec<Commit> = entries.iter().map(|entry| entry.commit.clone()).collect();
        commits.insert(0, Commit { id: CommitId::from_bytes([0xff; 16]), ..commits[0].clone() });
        self.client.push(0, 1, &commits);
        let acks: Vec<Acknowledged> = (self.pushed + 2..)
            .zip(entries)
            .map(|(ordinal, entry)| Acknowledged { ordinal, seq: entry.seq, received: entry.received })
            .collect();
        self.pushed += commits.len() as u64;
        let previous = self.fresh_from.map(|_| self.previous);
        if previous.is_none() {
            self.fresh_from = Some(entries[0].seq);
        }
        vec![encode_own(0, previous, &acks).into()]
    }
}
