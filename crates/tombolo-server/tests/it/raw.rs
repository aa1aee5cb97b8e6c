//! Clients that do not keep to the protocol.

use crate::world::{PATIENCE, Running, manifest, serve, token};
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use tombolo_core::{
    ActorId, Code, Commit, CommitId, DocRef, Epoch, Part, Random as _, RowId, SeededRandom, Seq, SpaceId,
};
use tombolo_protocol::{
    ClientCodec, CloseCode, Cursor, Hello, HelloSpace, PROTOCOLS, ServerFrame, Welcome, limit,
};

type Socket = WebSocketStream<TcpStream>;

async fn open(server: &Running) -> Socket {
    let stream = TcpStream::connect(server.address()).await.unwrap();
    client_async(format!("ws://{}/sync", server.address()), stream).await.unwrap().0
}

fn hello(token: &str, actor: ActorId) -> Hello {
    Hello {
        protocols: PROTOCOLS.to_vec(),
        manifest_version: 1,
        manifest_hash: manifest().hash().to_owned(),
        token: token.to_owned(),
        actor,
        spaces: vec![HelloSpace { space: None, cursor: None }],
    }
}

fn actor() -> ActorId {
    ActorId::mint(&mut SeededRandom::new(7))
}

async fn say(socket: &mut Socket, bytes: Vec<u8>) {
    socket.send(Message::Binary(bytes.into())).await.unwrap();
}

/// The next frame, or the number with which the server closes; none if it only broke off.
async fn next(socket: &mut Socket, codec: &mut ClientCodec) -> Result<ServerFrame, Option<u16>> {
    let read = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Some(frame) = codec.decode(&bytes).unwrap() {
                        return Ok(frame);
                    }
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    };
    timeout(PATIENCE, read).await.expect("the server says something")
}

async fn signed_in(server: &Running, token: &str) -> (Socket, ClientCodec, Welcome) {
    let mut socket = open(server).await;
    let mut codec = ClientCodec::new(actor(), 1);
    say(&mut socket, codec.hello(&hello(token, actor()))).await;
    match next(&mut socket, &mut codec).await {
        Ok(ServerFrame::Welcome(welcome)) => (socket, codec, welcome),
        other => panic!("no welcome but {other:?}"),
    }
}

fn commit(actor: ActorId, entity: &str, bytes: Vec<u8>) -> Commit {
    let mut random = SeededRandom::new(9);
    Commit {
        id: CommitId::mint(&mut random),
        actor,
        manifest_version: 1,
        time: 1,
        origin: None,
        replaces: None,
        parts: vec![Part {
            doc: DocRef { entity: entity.into(), row: RowId::mint(1, &mut random), field: None },
            bytes,
        }],
    }
}

async fn closes_with(server: &Running, message: Message, expected: CloseCode) {
    let mut socket = open(server).await;
    socket.send(message).await.unwrap();
    let closed = next(&mut socket, &mut ClientCodec::new(actor(), 1)).await;
    assert_eq!(closed, Err(Some(expected.0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_frame_closes_the_session_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let (mut witness, mut codec, _) = signed_in(&server, &token(folder.path(), "ann", None)).await;
    closes_with(&server, Message::Text("hello".into()), CloseCode::TEXT).await;
    closes_with(&server, Message::Binary(Vec::new().into()), CloseCode::MALFORMED).await;
    closes_with(&server, Message::Binary(tombolo_protocol::PING.to_vec().into()), CloseCode::PROTOCOL).await;
    closes_with(&server, Message::Binary(vec![0; limit::HELLO_BYTES + 1].into()), CloseCode::TOO_LARGE).await;
    let mut random = SeededRandom::new(1);
    for _ in 0..50 {
        let mut noise = vec![0; 1 + usize::try_from(random.u64() % 300).unwrap()];
        random.fill(&mut noise);
        let mut socket = open(&server).await;
        say(&mut socket, noise).await;
        let closed = next(&mut socket, &mut ClientCodec::new(actor(), 1)).await;
        assert!(matches!(closed, Err(Some(_))), "{closed:?}");
    }
    say(&mut witness, tombolo_protocol::PING.to_vec()).await;
    assert_eq!(next(&mut witness, &mut codec).await, Ok(ServerFrame::Pong));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_oversized_message_ends_its_session_early() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let (mut socket, mut codec, _) = signed_in(&server, &token(folder.path(), "ann", None)).await;
    // The server stops reading, so the message may not go out as a whole.
    socket.send(Message::Binary(vec![0; 16 * 1024 * 1024].into())).await.unwrap_or_default();
    let closed = next(&mut socket, &mut codec).await;
    assert!([Err(None), Err(Some(CloseCode::TOO_LARGE.0))].contains(&closed), "{closed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_that_does_not_fit_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let ann = token(folder.path(), "ann", None);
    let base = || hello(&ann, actor());
    for (hello, code, close) in [
        (Hello { token: "wrong".into(), ..base() }, Code::Unauthenticated, CloseCode::UNAUTHENTICATED),
        (Hello { protocols: vec![99], ..base() }, Code::ProtocolUnsupported, CloseCode::UNSUPPORTED),
        (Hello { manifest_version: 2, ..base() }, Code::ManifestTooNew, CloseCode::UNSUPPORTED),
        (Hello { manifest_hash: "other".into(), ..base() }, Code::Conflict, CloseCode::CONFLICT),
    ] {
        let mut socket = open(&server).await;
        let mut codec = ClientCodec::new(actor(), 1);
        say(&mut socket, codec.hello(&hello)).await;
        match next(&mut socket, &mut codec).await {
            Ok(ServerFrame::Refused(refused)) => assert_eq!(refused.code, code),
            other => panic!("{code}: {other:?}"),
        }
        assert_eq!(next(&mut socket, &mut codec).await, Err(Some(close.0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_that_are_not_allowed_are_refused_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let (mut socket, mut codec, welcome) = signed_in(&server, &token(folder.path(), "ann", None)).await;
    let space = welcome.spaces[0].index;
    let stranger = ActorId::from_bytes([1; 16]);
    let cases = [
        (commit(stranger, "Page", vec![1]), Code::PolicyDenied),
        (commit(actor(), "Nope", vec![1]), Code::EntityNotFound),
        (commit(actor(), "Page", vec![1; 100]), Code::CrdtDecodeFailed),
        (Commit { parts: Vec::new(), ..commit(actor(), "Page", Vec::new()) }, Code::InvalidData),
    ];
    for (generation, (commit, code)) in (1..).zip(cases) {
        for message in codec.push(space, generation, std::slice::from_ref(&commit)) {
            say(&mut socket, message).await;
        }
        match next(&mut socket, &mut codec).await {
            Ok(ServerFrame::Rejected(rejected)) => {
                assert_eq!((rejected.rejection.commit, rejected.rejection.code), (commit.id, code));
            }
            other => panic!("{code}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_knows_more_than_the_server_is_told_and_not_fed() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let ann = token(folder.path(), "ann", None);
    let (_, _, welcome) = signed_in(&server, &ann).await;
    let space = welcome.spaces[0];
    for (named, epoch, seq) in [
        (space.space, space.epoch, 5),
        (space.space, Epoch::from_bytes([9; 16]), 0),
        (SpaceId::from_bytes([9; 16]), space.epoch, 0),
    ] {
        let mut socket = open(&server).await;
        let mut codec = ClientCodec::new(actor(), 1);
        let cursor = Some(Cursor { epoch, seq: Seq(seq) });
        let hello = Hello { spaces: vec![HelloSpace { space: Some(named), cursor }], ..hello(&ann, actor()) };
        say(&mut socket, codec.hello(&hello)).await;
        assert!(matches!(next(&mut socket, &mut codec).await, Ok(ServerFrame::Welcome(_))));
        let commit = commit(actor(), "Page", vec![1]);
        for message in codec.push(0, 1, &[commit]) {
            say(&mut socket, message).await;
        }
        assert_eq!(next(&mut socket, &mut codec).await, Err(Some(CloseCode::PROTOCOL.0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let (mut socket, mut codec, _) = signed_in(&server, &token(folder.path(), "ann", None)).await;
    let told = tokio::spawn(async move { next(&mut socket, &mut codec).await });
    server.stop().await;
    assert_eq!(told.await.unwrap(), Err(Some(CloseCode::AWAY.0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_does_not_keep_a_server_from_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let silent = TcpStream::connect(server.address()).await.unwrap();
    let deaf = signed_in(&server, &token(folder.path(), "ann", None)).await;
    // Sooner than a request that never comes would time out.
    timeout(Duration::from_secs(8), server.stop()).await.expect("it stops");
    drop((silent, deaf));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_is_answered_on_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), "127.0.0.1:0").await;
    let get = async |path: &str| {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    };
    let health = get("/health").await;
    assert!(health.starts_with("HTTP/1.1 200") && health.ends_with(r#"{"status":"ok","seq":0}"#), "{health}");
    assert!(get("/nope").await.starts_with("HTTP/1.1 404"));
    assert!(get("/sync").await.starts_with("HTTP/1.1 400"), "a request that is no upgrade");
    assert!(get(&"/x".repeat(20_000)).await.starts_with("HTTP/1.1 4"), "a head that is too large");
}
