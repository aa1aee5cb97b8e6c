//! Goal 6: from one client's keystroke to nine others' screens, durable on the server in between, against a bare relay.

use crate::local::MANIFEST;
use crate::report::{Bound, Line, Times};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tombolo_core::{
    ActorId, Code, Commit, CommitId, DocRef, Error, Manifest, Part, PeerId, Result, RowId, SystemClock,
    SystemRandom,
};
use tombolo_crdt::Doc;
use tombolo_protocol::{ClientCodec, Hello, HelloSpace, LogItem, PROTOCOLS, ServerFrame};
use tombolo_server::{Accounts, Server, Settings};

const CLIENTS: usize = 10;
/// As on our server: the default of 128 KiB is zeroed for each reading.
const BUFFER_BYTES: usize = 4 * 1024;
/// Each client's pause between two keystrokes: 500 a second in all.
const PAUSE: Duration = Duration::from_millis(20);

type Socket = WebSocketStream<TcpStream>;
/// When each message was sent, by its key.
type Sent = Arc<Mutex<HashMap<u128, Instant>>>;

fn failed(error: impl ToString) -> Error {
    Error::new(Code::Internal, error.to_string())
}

async fn connect(address: SocketAddr, path: &str) -> Result<Socket> {
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let url = format!("ws://{address}{path}");
    let buffers = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES);
    Ok(tokio_tungstenite::client_async_with_config(url, stream, Some(buffers)).await.map_err(failed)?.0)
}

/// Each client types `keys` a round. The three are measured in turn, so that all see the same machine.
pub(crate) fn run(rounds: usize, keys: usize) -> Result<Line> {
    let runtime = tokio::runtime::Runtime::new().map_err(failed)?;
    let (mut disk, mut bare, mut ours) = (Times::default(), Times::default(), Times::default());
    for _ in 0..rounds {
        let folder = tempfile::tempdir().map_err(failed)?;
        bare.extend(runtime.block_on(bare_relay(keys))?);
        disk.extend(disk_sync(folder.path())?);
        ours.extend(runtime.block_on(our_server(folder.path(), keys))?);
        disk.extend(disk_sync(folder.path())?);
    }
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let allowed = millis(bare.quantile(0.99)) + 2.0 * millis(disk.quantile(0.99));
    Ok(Line {
        goal: "6",
        what: "fan-out to 10 clients at 500/s, durable in between, p99".into(),
        figure: format!("{:.2} ms (p50 {:.2})", millis(ours.quantile(0.99)), millis(ours.median())),
        baseline: format!(
            "{allowed:.2} ms = bare relay {:.2} + 2 × disk sync {:.2}",
            millis(bare.quantile(0.99)),
            millis(disk.quantile(0.99))
        ),
        ratio: Some((millis(ours.quantile(0.99)) / allowed, Bound::AtMost(1.2))),
    })
}

/// What the disk takes to sync a page.
fn disk_sync(folder: &std::path::Path) -> Result<Times> {
    let mut file = std::fs::File::create(folder.join("sync")).map_err(failed)?;
    let mut times = Times::default();
    for _ in 0..250 {
        file.write_all(&[0; 4096]).map_err(failed)?;
        let start = Instant::now();
        file.sync_data().map_err(failed)?;
        times.add(start.elapsed());
    }
    Ok(times)
}

/// A relay that passes each message on, and nothing else.
async fn bare_relay(keys: usize) -> Result<Times> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (all, _) = broadcast::channel::<(usize, Message)>(4096);
    let relay = tokio::spawn(async move {
        let mut n = 0;
        while let Ok((stream, _)) = listener.accept().await {
            n += 1;
            tokio::spawn(pass_on(n, stream, all.clone()));
        }
    });
    let sent = Sent::default();
    let mut sockets = Vec::new();
    for _ in 0..CLIENTS {
        sockets.push(connect(address, "/").await?);
    }
    let mut clients = Vec::new();
    for (client, socket) in sockets.into_iter().enumerate() {
        let sent = Arc::clone(&sent);
        clients.push(tokio::spawn(async move {
            let mut n = 0_u128;
            let make = move || {
                n += 1;
                let key = (client as u128) << 64 | n;
                let mut bytes = vec![7; 120];
                bytes[..16].copy_from_slice(&key.to_be_bytes());
                Ok((key, bytes))
            };
            let read = |message: &[u8]| {
                let key = message.first_chunk::<16>().map(|key| u128::from_be_bytes(*key));
                Ok(key.into_iter().collect())
            };
            drive(socket, keys, sent, make, read).await
        }));
    }
    let times = join(clients).await;
    relay.abort();
    times
}

async fn pass_on(n: usize, stream: TcpStream, all: broadcast::Sender<(usize, Message)>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    // Before the client knows that it is connected: it is to miss nothing.
    let mut others = all.subscribe();
    let buffers = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES);
    let (mut sink, mut source) =
        tokio_tungstenite::accept_async_with_config(stream, Some(buffers)).await.ok()?.split();
    loop {
        tokio::select! {
            message = source.next() => match message? {
                Ok(message) if message.is_binary() => { all.send((n, message)).ok()?; }
                Ok(message) if message.is_close() => return None,
                Ok(_) => {}
                Err(_) => return None,
            },
            message = others.recv() => {
                let (from, message) = message.ok()?;
                if from != n {
                    sink.send(message).await.ok()?;
                }
            }
        }
    }
}

async fn our_server(folder: &std::path::Path, keys: usize) -> Result<Times> {
    let data = folder.join("server");
    std::fs::create_dir(&data).map_err(failed)?;
    let manifest = Arc::new(Manifest::parse(MANIFEST)?);
    let hash = manifest.hash().to_owned();
    let settings = Settings::new(Arc::new(SystemClock), Box::new(SystemRandom));
    let server = Server::bind(&data, "127.0.0.1:0", manifest, settings).await?;
    let address = server.local_addr();
    let token =
        Accounts::open(&data, Arc::new(SystemClock))?.token_for("bench", None, &mut SystemRandom)?.token;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(server.run(async move { stopped.await.unwrap_or_default() }));
    let sent = Sent::default();
    let row = RowId::from_bytes([3; 16]);
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let mut socket = connect(address, "/sync").await?;
        let actor = ActorId::mint(&mut SystemRandom);
        let codec = ClientCodec::new(actor, 1);
        let hello = Hello {
            protocols: PROTOCOLS.to_vec(),
            manifest_version: 1,
            manifest_hash: hash.clone(),
            token: token.clone(),
            actor,
            spaces: vec![HelloSpace { space: None, cursor: None }],
        };
        socket.send(Message::binary(codec.hello(&hello))).await.map_err(failed)?;
        let codec = Arc::new(Mutex::new(codec));
        let mut typist = Typist::new(actor, row, client as u64 + 50);
        let sender = Arc::clone(&codec);
        let make = move || {
            let commit = typist.key()?;
            let key = u128::from_be_bytes(*commit.id.as_bytes());
            let mut codec = sender.lock().unwrap_or_else(PoisonError::into_inner);
            Ok((key, codec.push(0, 1, &[commit]).concat()))
        };
        let read = move |message: &[u8]| {
            let mut codec = codec.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(match codec.decode(message).map_err(failed)? {
                Some(ServerFrame::Log(log)) => log.items.iter().filter_map(of_others).collect(),
                Some(ServerFrame::Rejected(refused)) => return Err(failed(refused.rejection.message)),
                _ => Vec::new(),
            })
        };
        clients.push(tokio::spawn(drive(socket, keys, Arc::clone(&sent), make, read)));
    }
    let times = join(clients).await;
    stop.send(()).map_err(|()| failed("the server has ended"))?;
    server.await.map_err(failed)??;
    times
}

fn of_others(item: &LogItem) -> Option<u128> {
    match item {
        LogItem::Full(entry) => Some(u128::from_be_bytes(*entry.commit.id.as_bytes())),
        LogItem::Own { .. } => None,
    }
}

/// Somebody who types into the shared text.
struct Typist {
    actor: ActorId,
    row: RowId,
    doc: Doc,
    text: String,
}

impl Typist {
    fn new(actor: ActorId, row: RowId, peer: u64) -> Self {
        Self { actor, row, doc: Doc::new(PeerId(peer)), text: String::new() }
    }

    fn key(&mut self) -> Result<Commit> {
        self.text.push('x');
        let (_, update) = self.doc.edit(|edit| edit.set_text("text", Some(&self.text)))?;
        let doc = DocRef { entity: "Text".into(), row: self.row, field: None };
        Ok(Commit {
            id: CommitId::mint(&mut SystemRandom),
            actor: self.actor,
            manifest_version: 1,
            time: 1,
            origin: None,
            replaces: None,
            parts: vec![Part { doc, bytes: update.unwrap_or_default() }],
        })
    }
}

/// A client that is done. Its socket stays open until all are: one that is closed with something unread takes along
/// what is still on its way to the server.
type Done = (Times, SplitSink<Socket, Message>, SplitStream<Socket>);

/// Sends this many messages, one each [`PAUSE`], and times those of the others until all have come.
async fn drive(
    socket: Socket,
    keys: usize,
    sent: Sent,
    mut make: impl FnMut() -> Result<(u128, Vec<u8>)> + Send,
    mut read: impl FnMut(&[u8]) -> Result<Vec<u128>> + Send,
) -> Result<Done> {
    let (mut sink, mut source) = socket.split();
    let mut times = Times::default();
    let mut pace = tokio::time::interval(PAUSE);
    let (mut to_send, mut to_come) = (keys, keys * (CLIENTS - 1));
    let patience =
        tokio::time::sleep(PAUSE * u32::try_from(keys).unwrap_or(u32::MAX) + Duration::from_secs(20));
    tokio::pin!(patience);
    while to_send > 0 || to_come > 0 {
        tokio::select! {
            _ = pace.tick(), if to_send > 0 => {
                to_send -= 1;
                let (key, bytes) = make()?;
                sent.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Instant::now());
                sink.send(Message::binary(bytes)).await.map_err(failed)?;
            }
            message = source.next() => {
                let now = Instant::now();
                let message = message.ok_or_else(|| failed("the connection was closed"))?.map_err(failed)?;
                if !message.is_binary() {
                    continue;
                }
                for key in read(&message.into_data())? {
                    let at = sent.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
                    times.add(now - at.ok_or_else(|| failed("a message that nobody sent"))?);
                    to_come -= 1;
                }
            }
            () = &mut patience => return Err(failed(format!("{to_come} messages did not come"))),
        }
    }
    Ok((times, sink, source))
}

async fn join(clients: Vec<tokio::task::JoinHandle<Result<Done>>>) -> Result<Times> {
    let mut all = Times::default();
    let mut open = Vec::new();
    for client in clients {
        let (times, sink, source) = client.await.map_err(failed)??;
        all.extend(times);
        open.push((sink, source));
    }
    Ok(all)
}
