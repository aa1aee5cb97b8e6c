//! Bytes that must never change within a version of the protocol.

use crate::sample::{TIME, entry, hello, hex, keystroke, session, unhex, welcome};
use tombolo_core::{Code, CommitId, Rejection, Seq, Status};
use tombolo_protocol::{
    Acknowledged, ClientCodec, ClientFrame, LogEncoder, LogItem, PING, PONG, Pause, Push, Refused, Rejected,
    ServerCodec, ServerFrame, encode_fresh, encode_own,
};

#[test]
fn control_frames() {
    let server = ServerCodec::new();
    let rejection = Rejection {
        commit: CommitId::from_bytes([0xc1; 16]),
        status: Status::Denied,
        code: Code::PolicyDenied,
        message: "no".to_owned(),
    };
    let rejected = Rejected { space: 0, generation: 1, rejection };
    let pause = Pause { space: 0, generation: 2, status: Status::RateLimited, retry_after_ms: 1500 };
    let refused = Refused { code: Code::Unauthenticated, message: "sign in".to_owned() };
    let (mut client, mut welcoming) = session();
    let rows = [
        ("ping", PING.to_vec()),
        ("pong", PONG.to_vec()),
        ("hello", client.hello(&hello())),
        ("welcome", welcoming.welcome(&welcome())),
        ("refused", server.refused(&refused)),
        ("rejected", server.rejected(&rejected)),
        ("pause", server.pause(&pause)),
    ];
    let table: Vec<String> = rows.iter().map(|(name, bytes)| format!("{name:8} {}", hex(bytes))).collect();
    insta::assert_snapshot!(table.join("\n"));
    let decoded: Vec<_> =
        [0, 1, 4, 5, 6].map(|row: usize| client.decode(&rows[row].1).unwrap().unwrap()).into();
    let expected = vec![
        ServerFrame::Ping,
        ServerFrame::Pong,
        ServerFrame::Refused(refused),
        ServerFrame::Rejected(rejected),
        ServerFrame::Pause(pause),
    ];
    assert_eq!(decoded, expected);
}

#[test]
fn pushes() {
    let (mut client, mut server) = session();
    let mut table = Vec::new();
    let mut replacing = keystroke(0xc3, 0xa1, 2, TIME + 300, 2);
    replacing.manifest_version = 6;
    replacing.origin = Some("import".to_owned());
    replacing.replaces = Some(CommitId::from_bytes([0xc0; 16]));
    replacing.parts.push(keystroke(0, 0, 3, 0, 2).parts[0].clone());
    replacing.parts.push(keystroke(0, 0, 1, 0, 1).parts[0].clone());
    let commits =
        [keystroke(0xc1, 0xa1, 1, TIME, 3), keystroke(0xc2, 0xa1, 1, TIME + 120, 3), replacing.clone()];
    for (at, commit) in commits.iter().enumerate() {
        let messages = client.push(0, 1, std::slice::from_ref(commit));
        table.push(hex(&messages[0]));
        let push = Push { space: 0, generation: 1, ordinal: at as u64 + 1, commits: vec![commit.clone()] };
        assert_eq!(server.decode(&messages[0]).unwrap(), Some(ClientFrame::Push(push)));
    }
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn the_log() {
    let (mut client, _) = session();
    let mut encoder = LogEncoder::new(0);
    let mut table = Vec::new();
    let entries = [
        entry(301, TIME + 5, keystroke(0xc1, 0xa2, 1, TIME, 3)),
        entry(302, TIME + 20, keystroke(0xc2, 0xa3, 1, TIME + 12, 3)),
        entry(303, TIME + 40, keystroke(0xc3, 0xa2, 1, TIME + 32, 3)),
    ];
    assert_eq!(encoder.encode(&entries[..1]).needs, None);
    let chained = encoder.encode(&entries[1..2]);
    assert_eq!(chained.needs, Some(Seq(301)));
    let again = encoder.encode(&entries[2..]);
    assert_eq!(again.needs, Some(Seq(301)), "the actor was last named there");
    for (at, message) in
        [encode_fresh(0, &entries[..1]), chained.messages, again.messages].iter().flatten().enumerate()
    {
        table.push(hex(message));
        let Some(ServerFrame::Log(log)) = client.decode(message).unwrap() else {
            panic!("a log");
        };
        assert_eq!(log.items, [LogItem::Full(entries[at].clone())]);
    }
    client.push(0, 1, &[keystroke(0xc4, 0xa1, 1, TIME + 50, 3)]);
    let own =
        encode_own(0, Some(TIME + 40), &[Acknowledged { ordinal: 1, seq: Seq(304), received: TIME + 60 }]);
    table.push(hex(&own));
    let Some(ServerFrame::Log(log)) = client.decode(&own).unwrap() else {
        panic!("a log");
    };
    let id = CommitId::from_bytes([0xc4; 16]);
    assert_eq!(log.items, [LogItem::Own { seq: Seq(304), received: TIME + 60, id }]);
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn compressed_and_fragmented() {
    let (mut client, mut server) = session();
    // Which bytes zstd writes is its own affair; that these are understood is not.
    let message = "83881028b52ffd6008072d0100d800010102c101f698a0cec1680201045061676504626f6479d00fbb031000ccffbf3b9d16";
    let commit = keystroke(0xc1, 0xa1, 1, TIME, 2000);
    let push = Push { space: 0, generation: 1, ordinal: 1, commits: vec![commit.clone()] };
    assert_eq!(server.decode(&unhex(message)).unwrap(), Some(ClientFrame::Push(push)));
    let messages = client.push(0, 1, &[commit]);
    assert!(messages[0].len() < 100);

    let mut large = keystroke(0xc2, 0xa1, 1, TIME, 600_000);
    let mut state = 1_u32;
    for byte in &mut large.parts[0].bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let messages = client.push(0, 1, std::slice::from_ref(&large));
    let heads: Vec<String> = messages.iter().map(|m| format!("{} {}", m.len(), hex(&m[..10]))).collect();
    insta::assert_snapshot!(heads.join("\n"), @r"
    262140 0a0000dbcf2403000102
    262142 0a00f6ff0fdbcf243df1
    75767 0a00ecff1fdbcf24abd0
    ");
    let mut frames = messages.iter().filter_map(|message| server.decode(message).unwrap());
    let Some(ClientFrame::Push(push)) = frames.next() else {
        panic!("a push");
    };
    assert_eq!(push.commits, [large]);
    assert_eq!(frames.next(), None);
}

/// What one keystroke costs beside its update of 91 bytes.
#[test]
fn a_keystroke_is_cheap() {
    let (mut client, _) = session();
    let mut encoder = LogEncoder::new(0);
    for n in 1..10 {
        let time = TIME + i64::from(n) * 120;
        let commit = keystroke(n, 0xa1, 1, time, 91);
        let push = client.push(0, 1, std::slice::from_ref(&commit));
        let log = encoder.encode(&[entry(300 + u64::from(n), time + 8, commit)]);
        let ack = Acknowledged { ordinal: u64::from(n), seq: Seq(300 + u64::from(n)), received: time + 8 };
        let own = encode_own(0, Some(time - 112), &[ack]);
        if n > 1 {
            assert_eq!((push[0].len() - 91, log.messages[0].len() - 91, own.len()), (26, 26, 6));
        }
    }
    let mut late = ClientCodec::new(hello().actor, 7);
    assert!(late.decode(&encode_fresh(0, &[entry(1, TIME, keystroke(1, 2, 3, TIME, 91))])[0]).is_err());
}
