//! One WebSocket: a task that carries messages between it and the hub's driver.

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;
use tombolo_protocol::{CloseCode, limit};
use tombolo_sync::SessionId;

/// How long the other side may take to answer a close frame.
const CLOSING: Duration = Duration::from_secs(2);
/// The largest message and some room for its head.
const MESSAGE_BYTES: usize = limit::FRAME_BYTES + 64 * 1024;
const BUFFER_BYTES: usize = 4 * 1024;
const UNSENT_BYTES: usize = 1024 * 1024;
/// What is written is reported at least so often.
const REPORT_BYTES: usize = 64 * 1024;

/// What a connection tells the driver.
#[derive(Debug)]
pub(crate) enum Event {
    /// It is open.
    Opened(Session),
    /// A binary message came. The next one is read when the driver grants it.
    Received(Bytes),
    /// A text message came.
    ReceivedText,
    /// So many bytes of messages were written.
    Sent(usize),
    /// It is gone.
    Closed,
}

/// The driver's end of a connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// Unbounded, because the hub bounds it: it hands over at most 1 MiB that was not reported as sent.
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    /// Lets the connection read its next message.
    pub(crate) grant: Arc<Notify>,
}

/// What the driver wants of a connection.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Arc<[u8]>),
    Close(CloseCode, String),
}

/// Where connections meet the driver.
#[derive(Debug, Clone)]
pub(crate) struct Events(pub(crate) mpsc::Sender<(SessionId, Event)>);

impl Events {
    /// False if there is no driver any more.
    async fn tell(&self, session: SessionId, event: Event) -> bool {
        self.0.send((session, event)).await.is_ok()
    }
}

/// Bounds what one connection may make the process hold.
pub(crate) fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(UNSENT_BYTES)
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
}

pub(crate) async fn run(socket: WebSocket, session: SessionId, events: Events) {
    let (orders, ordered) = mpsc::unbounded_channel();
    let grant = Arc::new(Notify::new());
    let opened = Session { orders, grant: Arc::clone(&grant) };
    if !events.tell(session, Event::Opened(opened)).await {
        return;
    }
    let (mut sink, mut stream) = socket.split();
    let ended = {
        let write = write(&mut sink, ordered, session, &events);
        let read = read(&mut stream, session, &events, &grant);
        tokio::pin!(write, read);
        tokio::select! {
            ended = &mut read => {
                if matches!(ended, End::NoDriver) {
                    // It has left an order to close.
                    timeout(CLOSING, &mut write).await.unwrap_or_default();
                }
                ended
            }
            () = &mut write => End::Ordered,
        }
    };
    match ended {
        End::Broken(code, reason) => {
            // The other side may be gone already.
            let close = async { sink.send(close_frame(code, reason.to_owned())).await.unwrap_or_default() };
            timeout(CLOSING, close).await.unwrap_or_default();
        }
        End::Ordered => {
            let answer = async { while let Some(Ok(_)) = stream.next().await {} };
            timeout(CLOSING, answer).await.unwrap_or_default();
        }
        End::Closed | End::NoDriver => {}
    }
    events.tell(session, Event::Closed).await;
}

/// Why nothing more is read.
enum End {
    /// The other side ended it.
    Closed,
    /// What came is no WebSocket message that is allowed.
    Broken(CloseCode, &'static str),
    /// The driver ended it.
    Ordered,
    /// There is no driver any more.
    NoDriver,
}

async fn read(
    stream: &mut SplitStream<WebSocket>,
    session: SessionId,
    events: &Events,
    grant: &Notify,
) -> End {
    loop {
        let event = match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => Event::Received(bytes),
            Some(Ok(Message::Text(_))) => Event::ReceivedText,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => return End::Closed,
            Some(Err(error)) => return broken(error),
        };
        if !events.tell(session, event).await {
            return End::NoDriver;
        }
        grant.notified().await;
    }
}

fn broken(error: axum::Error) -> End {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => End::Broken(CloseCode::TOO_LARGE, "a message is too large"),
        Some(tungstenite::Error::Utf8(_)) => End::Broken(CloseCode::MALFORMED, "a text is not UTF-8"),
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => End::Closed,
        Some(tungstenite::Error::Protocol(_)) => {
            End::Broken(CloseCode::PROTOCOL, "this is no WebSocket frame")
        }
        _ => End::Closed,
    }
}

async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    mut ordered: mpsc::UnboundedReceiver<Order>,
    session: SessionId,
    events: &Events,
) {
    let mut unreported = 0;
    while let Some(order) = ordered.recv().await {
        let written = match order {
            Order::Send(bytes) => {
                unreported += bytes.len();
                // Sessions share the bytes; none of them copies them.
                sink.feed(Message::Binary(Bytes::from_owner(bytes))).await
            }
            Order::Close(code, reason) => {
                // A failure says that the other side is gone, which is what is wanted.
                return sink.send(close_frame(code, reason)).await.unwrap_or_default();
            }
        };
        let written = match ordered.is_empty() || unreported >= REPORT_BYTES {
            true => written.and(sink.flush().await),
            false => written,
        };
        if written.is_err() {
            return;
        }
        if ordered.is_empty() || unreported >= REPORT_BYTES {
            events.tell(session, Event::Sent(std::mem::take(&mut unreported))).await;
        }
    }
}

fn close_frame(code: CloseCode, reason: String) -> Message {
    Message::Close(Some(CloseFrame { code: code.0, reason: reason.into() }))
}
