//! Fixed ids and a session of two codecs.

use tombolo_core::{ActorId, Commit, CommitId, DocRef, Epoch, LogEntry, Part, RowId, Seq, ServerId, SpaceId};
use tombolo_protocol::{
    ClientCodec, ClientFrame, Cursor, Hello, HelloSpace, PROTOCOLS, Role, ServerCodec, ServerFrame, Welcome,
    WelcomeSpace,
};

pub(crate) const TIME: i64 = 1_795_512_600_123;

pub(crate) fn actor(byte: u8) -> ActorId {
    ActorId::from_bytes([byte; 16])
}

pub(crate) fn hello() -> Hello {
    Hello {
        protocols: PROTOCOLS.to_vec(),
        manifest_version: 7,
        manifest_hash: "h".repeat(64),
        token: "secret".to_owned(),
        actor: actor(0xa1),
        spaces: vec![HelloSpace {
            space: Some(SpaceId::from_bytes([0x51; 16])),
            cursor: Some(Cursor { epoch: Epoch::from_bytes([0xe1; 16]), seq: Seq(300) }),
        }],
    }
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        protocol: 1,
        server: ServerId::from_bytes([0x5e; 16]),
        spaces: vec![WelcomeSpace {
            index: 0,
            space: SpaceId::from_bytes([0x51; 16]),
            epoch: Epoch::from_bytes([0xe1; 16]),
            head: Seq(300),
            role: Role::Editor,
        }],
    }
}

pub(crate) fn doc(row: u8, field: Option<&str>) -> DocRef {
    DocRef { entity: "Page".to_owned(), row: RowId::from_bytes([row; 16]), field: field.map(str::to_owned) }
}

/// A commit that changes one document by so many bytes.
pub(crate) fn keystroke(id: u8, author: u8, row: u8, time: i64, bytes: usize) -> Commit {
    Commit {
        id: CommitId::from_bytes([id; 16]),
        actor: actor(author),
        manifest_version: 7,
        time,
        origin: None,
        replaces: None,
        parts: vec![Part { doc: doc(row, Some("body")), bytes: vec![0xbb; bytes] }],
    }
}

pub(crate) fn entry(seq: u64, received: i64, commit: Commit) -> LogEntry {
    LogEntry { seq: Seq(seq), received, commit }
}

/// Both ends, after the welcome.
pub(crate) fn session() -> (ClientCodec, ServerCodec) {
    let mut client = ClientCodec::new(actor(0xa1), 7);
    let mut server = ServerCodec::new();
    assert_eq!(server.decode(&client.hello(&hello())).unwrap(), Some(ClientFrame::Hello(hello())));
    let message = server.welcome(&welcome());
    assert_eq!(client.decode(&message).unwrap(), Some(ServerFrame::Welcome(welcome())));
    (client, server)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
