//! One WebSocket: a task that opens it and carries messages both ways.

use crate::{Server, ServerUrl};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tombolo_protocol::{CloseCode, limit};
use tombolo_sync::ClientInput;

/// Messages on their way between the task and the driver. The machine bounds what waits before them.
const CHANNEL: usize = 4;
/// How long the other side may take to answer a close frame.
const CLOSING: Duration = Duration::from_secs(1);
/// The largest message and some room for its head.
const MESSAGE_BYTES: usize = limit::FRAME_BYTES + 64 * 1024;
const BUFFER_BYTES: usize = 4 * 1024;
const UNSENT_BYTES: usize = 1024 * 1024;

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

type Socket = WebSocketStream<Box<dyn Transport>>;

/// The driver's end of a socket. Dropping it drops the socket.
#[derive(Debug)]
pub(crate) struct Connection {
    incoming: mpsc::Receiver<ClientInput>,
    outgoing: mpsc::Sender<Message>,
    queue: VecDeque<Message>,
}

impl Connection {
    /// Begins to open a socket.
    pub(crate) fn open(server: &Server) -> Self {
        let (to_driver, incoming) = mpsc::channel(CHANNEL);
        let (outgoing, from_driver) = mpsc::channel(CHANNEL);
        tokio::spawn(run(server.url.clone(), to_driver, from_driver));
        Self { incoming, outgoing, queue: VecDeque::new() }
    }

    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        self.queue.push_back(Message::Binary(bytes.into()));
    }

    /// Lets the socket go, with a close frame if there is room for it.
    pub(crate) fn close(self, code: CloseCode, reason: String) {
        let frame = CloseFrame { code: WireCode::from(code.0), reason: reason.into() };
        // Without it the other side learns of the end from the network.
        self.outgoing.try_send(Message::Close(Some(frame))).unwrap_or_default();
    }

    /// Hands over what waits, and gives what came. Safe to cancel.
    pub(crate) async fn next(&mut self, wants_input: bool) -> ClientInput {
        loop {
            tokio::select! {
                permit = self.outgoing.reserve(), if !self.queue.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(message) = self.queue.pop_front() {
                            permit.send(message);
                        }
                    }
                    // The task has ended; what it said last is among what came.
                    Err(_) => self.queue.clear(),
                },
                input = self.incoming.recv(), if wants_input => {
                    return input.unwrap_or_else(|| closed(None, "the connection broke"));
                }
                else => std::future::pending().await,
            }
        }
    }
}

fn closed(code: Option<CloseCode>, reason: impl Into<String>) -> ClientInput {
    ClientInput::Closed { code, reason: reason.into() }
}

async fn run(url: ServerUrl, incoming: mpsc::Sender<ClientInput>, outgoing: mpsc::Receiver<Message>) {
    let opened = tokio::select! {
        opened = connect(&url) => opened,
        () = incoming.closed() => return,
    };
    let last = match opened {
        Err(reason) => closed(None, reason),
        Ok(socket) => match incoming.send(ClientInput::Opened).await {
            Ok(()) => talk(socket, &incoming, outgoing).await,
            Err(_) => return,
        },
    };
    // A driver that has let go of the connection does not want to know.
    incoming.send(last).await.unwrap_or_default();
}

async fn talk(
    socket: Socket,
    incoming: &mpsc::Sender<ClientInput>,
    outgoing: mpsc::Receiver<Message>,
) -> ClientInput {
    let (sink, stream) = socket.split();
    let (write, read) = (write(sink, outgoing), read(stream, incoming));
    tokio::pin!(write, read);
    tokio::select! {
        last = &mut read => {
            if incoming.is_closed() {
                // The close frame may be on its way still.
                timeout(CLOSING, write).await.unwrap_or_default();
            }
            last
        }
        // What the other side said before it broke off may be there to read.
        () = &mut write => timeout(CLOSING, read).await.unwrap_or_else(|_| closed(None, "the connection broke")),
    }
}

async fn write(mut sink: SplitSink<Socket, Message>, mut outgoing: mpsc::Receiver<Message>) {
    while let Some(message) = outgoing.recv().await {
        let written = match outgoing.is_empty() {
            true => sink.send(message).await,
            false => sink.feed(message).await,
        };
        if written.is_err() {
            return;
        }
    }
}

async fn read(mut stream: SplitStream<Socket>, incoming: &mpsc::Sender<ClientInput>) -> ClientInput {
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                if incoming.send(ClientInput::Received(bytes.into())).await.is_err() {
                    return closed(None, "nobody reads");
                }
            }
            Some(Ok(Message::Close(frame))) => {
                // Reading on answers the close frame.
                timeout(CLOSING, async { while let Some(Ok(_)) = stream.next().await {} })
                    .await
                    .unwrap_or_default();
                let (code, reason) =
                    frame.map(|frame| (CloseCode(frame.code.into()), frame.reason.to_string())).unzip();
                return closed(code, reason.unwrap_or_default());
            }
            Some(Ok(Message::Text(_))) => return closed(None, "the server sent text"),
            Some(Ok(_)) => {}
            Some(Err(error)) => return closed(None, error.to_string()),
            None => return closed(None, "the server ended the connection"),
        }
    }
}

async fn connect(url: &ServerUrl) -> Result<Socket, String> {
    let tcp = TcpStream::connect((url.host(), url.port()));
    let tcp = tcp.await.map_err(|error| format!("{url} does not answer: {error}"))?;
    tcp.set_nodelay(true).map_err(|error| error.to_string())?;
    let transport: Box<dyn Transport> = match url.is_secure() {
        true => {
            let name = ServerName::try_from(url.host().to_owned()).map_err(|error| error.to_string())?;
            let secured = TlsConnector::from(tls()?).connect(name, tcp).await;
            Box::new(secured.map_err(|error| format!("{url} cannot be trusted: {error}"))?)
        }
        false => Box::new(tcp),
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(UNSENT_BYTES)
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES));
    match client_async_with_config(url.uri().clone(), transport, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            Err(format!("{url} answers, but not as a server of this program: {}", answer.status()))
        }
        Err(error) => Err(format!("{url} cannot be opened: {error}")),
    }
}

/// The operating system decides whom to trust, so that companies' own authorities work.
fn tls() -> Result<Arc<rustls::ClientConfig>, String> {
    static CONFIG: OnceLock<Result<Arc<rustls::ClientConfig>, String>> = OnceLock::new();
    let config = || {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = versions.and_then(|builder| builder.with_platform_verifier());
        config.map(|config| Arc::new(config.with_no_client_auth())).map_err(|error| error.to_string())
    };
    CONFIG.get_or_init(config).clone()
}
