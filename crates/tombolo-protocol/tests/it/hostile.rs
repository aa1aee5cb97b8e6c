//! Bytes from somebody else.

use crate::sample::{TIME, entry, hello, keystroke, session};
use proptest::collection::vec;
use proptest::prelude::*;
use tombolo_core::Code;
use tombolo_protocol::{ClientCodec, CloseCode, PING, ProtocolError, ServerCodec, encode_fresh, limit};

const FRAGMENT: u8 = 10;
const ZSTD: u8 = 0x80;

fn number(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn fragment(batch: u64, offset: usize, total: usize, chunk: &[u8]) -> Vec<u8> {
    [vec![FRAGMENT], number(batch), number(offset as u64), number(total as u64), chunk.to_vec()].concat()
}

fn check(message: &[u8], expected: &ProtocolError) {
    let (mut client, mut server) = session();
    assert_eq!(client.decode(message).unwrap_err(), *expected);
    assert_eq!(server.decode(message).unwrap_err(), *expected);
}

fn malformed(what: &'static str) -> ProtocolError {
    ProtocolError::Malformed { what }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_answered(messages in vec(vec(any::<u8>(), 0..80), 1..6)) {
        let (mut client, mut server) = session();
        let mut stranger = ServerCodec::new();
        for message in messages {
            // Errors and frames are both fine; panics are not.
            client.decode(&message).ok();
            server.decode(&message).ok();
            stranger.decode(&message).ok();
        }
    }

    #[test]
    fn altered_messages_are_answered(at in 0_usize..3000, to: u8, cut in 0_usize..3000, bytes in 1_usize..2000) {
        let (mut client, mut server) = session();
        let commits = [keystroke(1, 0xa1, 1, TIME, bytes), keystroke(2, 0xa2, 2, TIME, 30)];
        let entries = [entry(301, TIME, commits[0].clone()), entry(302, TIME, commits[1].clone())];
        let push = client.push(0, 1, &commits)[0].clone();
        let log = encode_fresh(0, &entries)[0].to_vec();
        for mut message in [push, log, client.hello(&hello())] {
            let place = at % message.len();
            message[place] = to;
            message.truncate(cut.max(1));
            server.decode(&message).ok();
            client.decode(&message).ok();
            ServerCodec::new().decode(&message).ok();
        }
    }
}

#[test]
fn lengths_are_checked_before_anything_is_allocated() {
    let huge = u64::MAX;
    check(
        &[vec![ZSTD | 3], number(huge)].concat(),
        &ProtocolError::TooLarge { what: "a compressed frame", size: huge, max: limit::MESSAGE_BYTES as u64 },
    );
    check(
        &[vec![FRAGMENT, 0, 0], number(huge), vec![1]].concat(),
        &ProtocolError::TooLarge {
            what: "a fragmented message",
            size: huge,
            max: limit::MESSAGE_BYTES as u64,
        },
    );
    let (_, mut server) = session();
    let push = [vec![3, 0, 1, 1], number(huge)].concat();
    assert!(matches!(server.decode(&push), Err(ProtocolError::TooLarge { what: "a commit's parts", .. })));
    let long = vec![0; limit::FRAME_BYTES + 1];
    let error = server.decode(&long).unwrap_err();
    assert_eq!((error.code(), error.close_code()), (Code::TooLarge, CloseCode::TOO_LARGE));
}

#[test]
fn a_push_that_is_missing_doubled_or_late_ends_the_session() {
    let commit = |n: u8| keystroke(n, 0xa1, 1, TIME, 3);
    let (mut client, _) = session();
    let pushes: Vec<Vec<u8>> = (1..4).flat_map(|n| client.push(0, 1, &[commit(n)])).collect();
    for order in [&[0, 2][..], &[0, 0], &[1], &[0, 1, 0]] {
        let (_, mut server) = session();
        let (last, before) = order.split_last().unwrap();
        for n in before {
            server.decode(&pushes[*n]).unwrap();
        }
        assert_eq!(server.decode(&pushes[*last]).unwrap_err(), malformed("a push is missing"), "{order:?}");
    }
}

#[test]
fn a_bomb_stops_at_what_it_declared() {
    let plain = vec![0; 1024 * 1024];
    let packed = zstd::bulk::compress(&plain, 1).unwrap();
    let bomb = [vec![ZSTD | 3], number(100), packed.clone()].concat();
    check(&bomb, &malformed("a compressed frame"));
    let lie = [vec![ZSTD | 3], number(plain.len() as u64 + 1), packed].concat();
    check(&lie, &malformed("a compressed frame"));
}

#[test]
fn many_small_things_in_one_frame_are_refused() {
    let (mut client, mut server) = session();
    // A commit without parts by the session's writer: 19 bytes.
    let commit = [vec![0], vec![7; 16], vec![1, 0]].concat();
    let body = [vec![0, 1, 1], commit.repeat(limit::FRAME_ITEMS + 1)].concat();
    let packed = zstd::bulk::compress(&body, 1).unwrap();
    let message = [vec![ZSTD | 3], number(body.len() as u64), packed].concat();
    assert_eq!(server.decode(&message).unwrap_err(), malformed("a frame with too many items"));
    // 10,000 parts without bytes, three times.
    let first = [vec![0], vec![1; 16], vec![1, b'E', 0]].concat();
    let other = [vec![1], vec![1; 16], vec![0]].concat();
    let parts = [first, other.repeat(9_999)].concat();
    let commit = [number(10_000 << 1), vec![7; 16], vec![1, 0], parts].concat();
    for (times, fits) in [(2, true), (3, false)] {
        let body = [vec![0, 1, 1], commit.repeat(times)].concat();
        let packed = zstd::bulk::compress(&body, 1).unwrap();
        let message = [vec![ZSTD | 3], number(body.len() as u64), packed].concat();
        assert_eq!(session().1.decode(&message).is_ok(), fits);
    }
    assert!(client.decode(&PING).is_ok());
}

#[test]
fn fragments_are_put_together_within_limits() {
    let (_, mut server) = session();
    // Four may be open at once, and they end in any order.
    for batch in 0..4 {
        assert_eq!(server.decode(&fragment(batch, 0, 2, &[1])), Err(malformed("x")).or(Ok(None)));
    }
    let fifth = server.decode(&fragment(4, 0, 2, &[1])).unwrap_err();
    assert_eq!(fifth.code(), Code::TooLarge);
    for (message, what) in [
        (fragment(0, 0, 3, &[]), "an empty fragment"),
        (fragment(0, 1, 3, &[1]), "a fragment out of place"),
        (fragment(0, 0, 3, &[1, 2, 3, 4]), "a fragment beyond its message"),
        (fragment(0, 0, 2, &fragment(1, 0, 1, &[0])[..2]), "a fragment in fragments"),
        (vec![FRAGMENT | ZSTD, 0], "a fragment with flags"),
        (vec![0x40], "a flag that the frame cannot have"),
        (vec![63], "unknown kind of frame"),
        (vec![], "an empty message"),
    ] {
        check(&message, &malformed(what));
    }
    // All open batches together are as small as one message has to be.
    let (_, mut server) = session();
    let most = limit::MESSAGE_BYTES - 1;
    assert_eq!(server.decode(&fragment(0, 0, most, &[1])), Ok(None));
    assert_eq!(server.decode(&fragment(1, 0, 2, &[1])).unwrap_err().code(), Code::TooLarge);
    // A changed total is a lie about the same message.
    assert!(server.decode(&fragment(0, 1, most - 1, &[1])).is_err());
}

#[test]
fn strangers_may_send_little() {
    let mut server = ServerCodec::new();
    let long = vec![3; limit::HELLO_BYTES + 1];
    assert_eq!(server.decode(&long).unwrap_err().code(), Code::TooLarge);
    assert!(matches!(server.decode(&[3, 0, 1]), Err(ProtocolError::Unexpected { .. })));
    let client = ClientCodec::new(hello().actor, 7);
    assert!(server.decode(&client.hello(&hello())).is_ok());
    let again = server.decode(&client.hello(&hello())).unwrap_err();
    assert_eq!(again.close_code(), CloseCode::PROTOCOL);
}

#[test]
fn a_hello_may_grow() {
    let client = ClientCodec::new(hello().actor, 7);
    let mut message = client.hello(&hello());
    message.extend([1, 2, 3]);
    assert!(ServerCodec::new().decode(&message).unwrap().is_some());
}
