//! Bytes that a careless importer does not survive.

use crate::world::{Server, World, resident};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::net::TcpStream;
use std::path::PathBuf;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client::client};
use tombolo_core::{ActorId, Commit, CommitId, DocRef, Manifest, Part, Random as _, RowId, SystemRandom};
use tombolo_protocol::{
    ClientCodec, Hello, HelloSpace, LogItem, PROTOCOLS, Rejected, ServerFrame, SpaceIndex,
};

const ROUNDS: usize = 3;
/// What a process may hold more than before: a careless import of one of the files takes 784 MiB.
const GROWTH: u64 = 200 * 1024 * 1024;

/// The files, but for the one that is harmless.
fn files() -> Option<Vec<PathBuf>> {
    let Ok(inputs) = std::env::var("TOMBOLO_INPUTS") else {
        eprintln!("skipped: TOMBOLO_INPUTS is not set");
        return None;
    };
    let entries = std::fs::read_dir(PathBuf::from(inputs).join("hostile")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("valid.bin"));
    files.sort();
    assert!(files.len() > 30);
    Some(files)
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_survives_hostile_updates() {
    let Some(files) = files() else { return };
    let world = World::new();
    let mut client = world.client("data", None);
    let page = client.insert(&json!({"title": "kept"}));
    let before = resident(client.child.id());
    for round in 0..ROUNDS {
        for file in &files {
            let bytes = BASE64.encode(std::fs::read(file).unwrap());
            let fresh = RowId::from_bytes([round as u8 + 100; 16]).to_string();
            for (row, field) in [(&page, None), (&page, Some("body")), (&fresh, None)] {
                let update = json!({"entity": "Page", "id": row, "field": field, "bytes": bytes});
                let error = client.refused("crdt_apply_update", &update);
                let known = ["CRDT_DECODE_FAILED", "CRDT_APPLY_FAILED", "TOO_LARGE"];
                assert!(known.contains(&error["code"].as_str().unwrap()), "{} {error}", file.display());
            }
        }
        client.update(&page, &json!({"title": format!("kept {round}"), "body": {"markdown": "fine"}}));
        assert_eq!(client.rows().len(), 1);
    }
    assert_eq!(client.rows()[0]["title"], format!("kept {}", ROUNDS - 1));
    let grown = resident(client.child.id()).saturating_sub(before);
    assert!(grown < GROWTH, "{} MiB more", grown >> 20);
    client.close();
}

/// A client that says what it likes.
struct Raw {
    socket: WebSocket<TcpStream>,
    codec: ClientCodec,
    actor: ActorId,
    space: SpaceIndex,
    generation: u32,
}

impl Raw {
    fn connect(server: &Server, token: &str) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(crate::world::PATIENCE)).unwrap();
        let (mut socket, _) = client(format!("ws://{}/sync", server.address()), stream).unwrap();
        let actor = ActorId::mint(&mut SystemRandom);
        let mut codec = ClientCodec::new(actor, 1);
        let hello = Hello {
            protocols: PROTOCOLS.to_vec(),
            manifest_version: 1,
            manifest_hash: Manifest::parse(crate::world::MANIFEST).unwrap().hash().to_owned(),
            token: token.to_owned(),
            actor,
            spaces: vec![HelloSpace { space: None, cursor: None }],
        };
        socket.send(Message::Binary(codec.hello(&hello).into())).unwrap();
        let Some(ServerFrame::Welcome(welcome)) = next(&mut socket, &mut codec) else { panic!("no welcome") };
        Self { socket, codec, actor, space: welcome.spaces[0].index, generation: 1 }
    }

    /// Pushes a commit with these bytes; gives whether it was accepted.
    fn push(&mut self, row: RowId, bytes: Vec<u8>) -> bool {
        let commit = Commit {
            id: CommitId::mint(&mut SystemRandom),
            actor: self.actor,
            manifest_version: 1,
            time: 1,
            origin: None,
            replaces: None,
            parts: vec![Part { doc: DocRef { entity: "Page".into(), row, field: None }, bytes }],
        };
        for message in self.codec.push(self.space, self.generation, std::slice::from_ref(&commit)) {
            self.socket.send(Message::Binary(message.into())).unwrap();
        }
        loop {
            match next(&mut self.socket, &mut self.codec) {
                Some(ServerFrame::Rejected(Rejected { rejection, .. })) if rejection.commit == commit.id => {
                    self.generation += 1;
                    return false;
                }
                Some(ServerFrame::Log(log))
                    if log.items.iter().map(LogItem::id).any(|id| id == commit.id) =>
                {
                    return true;
                }
                Some(_) => {}
                None => panic!("the server ended the session"),
            }
        }
    }
}

fn next(socket: &mut WebSocket<TcpStream>, codec: &mut ClientCodec) -> Option<ServerFrame> {
    loop {
        match socket.read().unwrap() {
            Message::Binary(bytes) => {
                if let Some(frame) = codec.decode(&bytes).unwrap() {
                    return Some(frame);
                }
            }
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_survives_hostile_pushes() {
    let Some(files) = files() else { return };
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    let (ann, eve) = (world.token("server", "ann"), world.token("server", "eve"));
    let mut honest = world.client("a", Some((&server.url, &ann)));
    let page = honest.insert(&json!({"title": "kept"}));
    honest.saved();
    let mut hostile = Raw::connect(&server, &eve);
    let before = resident(server.child.id());
    let row: RowId = page.parse().unwrap();
    for round in 0..ROUNDS {
        for file in &files {
            let bytes = std::fs::read(file).unwrap();
            for row in [row, RowId::from_bytes([round as u8 + 100; 16])] {
                assert!(!hostile.push(row, bytes.clone()), "{}", file.display());
            }
        }
        let answer = honest
            .call("update", &json!({"entity": "Page", "id": page, "patch": {"title": round.to_string()}}));
        honest.commit(&answer["receipt"]["commit"], "server");
    }
    let mut noise = vec![0; 1000];
    SystemRandom.fill(&mut noise);
    assert!(!hostile.push(row, noise));
    let grown = resident(server.child.id()).saturating_sub(before);
    assert!(grown < GROWTH, "{} MiB more", grown >> 20);
    let rows = honest.rows();
    assert_eq!((rows.len(), &rows[0]["title"]), (1, &json!((ROUNDS - 1).to_string())));
    honest.close();
    server.stop();
}
