use super::*;
use tombolo_core::{ActorId, Commit, CommitId, Epoch, LogEntry, Rejection, Seq, ServerId, SpaceId, Status};
use tombolo_protocol::{
    Acknowledged, ClientFrame, Hello, LogItem, PING, Pause, Push, Refused, Rejected, Role, ServerCodec,
    WelcomeSpace, encode_fresh, encode_own,
};

const SERVER: [u8; 16] = [1; 16];
const SPACE: [u8; 16] = [2; 16];
const EPOCH: [u8; 16] = [3; 16];

fn space() -> SpaceId {
    SpaceId::from_bytes(SPACE)
}

fn bound(cursor: u64) -> Option<Binding> {
    Some(Binding {
        server: ServerId::from_bytes(SERVER),
        space: space(),
        epoch: Epoch::from_bytes(EPOCH),
        cursor: Seq(cursor),
    })
}

fn commit(id: u8) -> Commit {
    Commit {
        id: CommitId::from_bytes([id; 16]),
        actor: ActorId::from_bytes([9; 16]),
        manifest_version: 1,
        time: 0,
        origin: None,
        replaces: None,
        parts: Vec::new(),
    }
}

fn entry(seq: u64, id: u8) -> LogEntry {
    LogEntry { seq: Seq(seq), received: 0, commit: commit(id) }
}

fn outbox(ids: std::ops::Range<u8>, more: bool) -> Outbox {
    Outbox { commits: ids.map(|id| (Seq(u64::from(id)), commit(id))).collect(), more }
}

/// A client, the other end of its connection, and a clock.
struct Rig {
    client: Client,
    server: ServerCodec,
    now: Millis,
    reports: Vec<SyncStatus>,
}

impl Rig {
    fn new() -> Self {
        let config = ClientConfig {
            actor: ActorId::from_bytes([9; 16]),
            manifest_version: 1,
            manifest_hash: "h".into(),
        };
        Self { client: Client::new(config, 1), server: ServerCodec::new(), now: 1_000, reports: Vec::new() }
    }

    /// Hands an input in; gives all actions but reports, pushes and hellos as their frames.
    fn tell(&mut self, input: ClientInput) -> Vec<Said> {
        self.client.handle(input, self.now);
        let mut said = Vec::new();
        while let Some(action) = self.client.poll() {
            match action {
                ClientAction::Report(status) => self.reports.push(status),
                ClientAction::Send(bytes) => {
                    said.push(Said::Frame(self.server.decode(&bytes).unwrap().unwrap()));
                }
                action => said.push(Said::Action(action)),
            }
        }
        said
    }

    fn start(&mut self, binding: Option<Binding>, waiting: u64) {
        let counts = Counts { waiting, drafts: 0 };
        let said = self.tell(ClientInput::Start { token: "token".into(), binding, counts });
        assert_eq!(said, [Said::Action(ClientAction::Connect)]);
        self.server = ServerCodec::new();
    }

    fn welcome(&mut self, head: u64) -> Vec<Said> {
        self.welcome_with(|_| {}, head)
    }

    fn welcome_with(&mut self, alter: impl FnOnce(&mut Welcome), head: u64) -> Vec<Said> {
        let space = WelcomeSpace {
            index: 0,
            space: space(),
            epoch: Epoch::from_bytes(EPOCH),
            head: Seq(head),
            role: Role::Editor,
        };
        let mut welcome = Welcome { protocol: 1, server: ServerId::from_bytes(SERVER), spaces: vec![space] };
        alter(&mut welcome);
        let bytes = self.server.welcome(&welcome);
        self.tell(ClientInput::Received(bytes))
    }

    /// Live, bound, with the outbox read once.
    fn live(cursor: u64, head: u64, ids: std::ops::Range<u8>, more: bool) -> Self {
        let mut rig = Self::new();
        rig.start(bound(cursor), ids.len() as u64);
        assert!(matches!(&rig.tell(ClientInput::Opened)[..], [Said::Frame(ClientFrame::Hello(_))]));
        assert_eq!(rig.welcome(head), [read(0)]);
        let pushes = !ids.is_empty();
        let said = rig.read(outbox(ids, more));
        assert_eq!(said.iter().any(|said| matches!(said, Said::Frame(ClientFrame::Push(_)))), pushes);
        rig
    }

    fn read(&mut self, outbox: Outbox) -> Vec<Said> {
        self.tell(ClientInput::OutboxRead { space: space(), result: Ok(outbox) })
    }

    fn log(&mut self, entries: &[LogEntry]) -> Vec<Said> {
        let bytes = encode_fresh(0, entries)[0].to_vec();
        self.tell(ClientInput::Received(bytes))
    }

    fn applied(&mut self, cursor: u64, waiting: u64) -> Vec<Said> {
        let counts = Counts { waiting, drafts: 0 };
        self.tell(ClientInput::Applied {
            space: space(),
            result: Ok(Applied { cursor: Seq(cursor), counts }),
        })
    }

    fn rejected(&mut self, generation: u32, id: u8) -> Vec<Said> {
        let rejected = Rejected { space: 0, generation, rejection: rejection(id) };
        let bytes = self.server.rejected(&rejected);
        self.tell(ClientInput::Received(bytes))
    }

    fn status(&self) -> SyncStatus {
        self.reports.last().unwrap().clone()
    }

    fn state(&self) -> SyncState {
        self.status().state
    }
}

#[derive(Debug, PartialEq)]
enum Said {
    Action(ClientAction),
    Frame(ClientFrame),
}

fn rejection(id: u8) -> Rejection {
    Rejection {
        commit: CommitId::from_bytes([id; 16]),
        status: Status::Denied,
        code: Code::PolicyDenied,
        message: "no".into(),
    }
}

fn read(after: u64) -> Said {
    read_some(after, 64)
}

fn read_some(after: u64, max_commits: usize) -> Said {
    let max_bytes = 1024 * 1024 - (64 - max_commits) * 128;
    Said::Action(ClientAction::ReadOutbox { space: space(), after: Seq(after), max_commits, max_bytes })
}

fn push(generation: u32, ordinal: u64, ids: std::ops::Range<u8>) -> Said {
    let commits = ids.map(commit).collect();
    Said::Frame(ClientFrame::Push(Push { space: 0, generation, ordinal, commits }))
}

fn apply(entries: &[LogEntry]) -> Said {
    let items = entries.iter().cloned().map(LogItem::Full).collect();
    Said::Action(ClientAction::Apply { space: space(), epoch: Epoch::from_bytes(EPOCH), items })
}

fn store(id: u8) -> Said {
    Said::Action(ClientAction::StoreRejection { space: space(), rejection: rejection(id) })
}

fn is_disconnect(said: &[Said], expected: CloseCode) -> bool {
    matches!(said, [Said::Action(ClientAction::Disconnect { code, .. })] if *code == expected)
}

#[test]
fn the_first_welcome_binds_the_folder() {
    let mut rig = Rig::new();
    rig.tell(ClientInput::Timer);
    assert_eq!(rig.state(), SyncState::Local);
    rig.start(None, 1);
    assert_eq!(rig.state(), SyncState::Connecting);
    let said = rig.tell(ClientInput::Opened);
    let [Said::Frame(ClientFrame::Hello(Hello { spaces, token, .. }))] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!((spaces[0].space, spaces[0].cursor, token.as_str()), (None, None, "token"));
    assert_eq!(rig.welcome(2), [Said::Action(ClientAction::Bind(bound(0).unwrap()))]);
    // Nothing is applied or pushed before the binding is durable.
    assert_eq!(rig.log(&[entry(1, 1), entry(2, 2)]), []);
    let said = rig.tell(ClientInput::Bound { space: space(), result: Ok(()) });
    assert_eq!(said, [apply(&[entry(1, 1), entry(2, 2)]), read(0)]);
    assert_eq!(rig.read(outbox(5..6, false)), [push(1, 1, 5..6)]);
    assert_eq!(rig.applied(2, 1), []);
    assert_eq!(rig.state(), SyncState::Sending);
    let ack = encode_own(0, Some(0), &[Acknowledged { ordinal: 1, seq: Seq(3), received: 7 }]);
    let item = LogItem::Own { seq: Seq(3), received: 7, id: commit(5).id };
    let epoch = Epoch::from_bytes(EPOCH);
    let said = rig.tell(ClientInput::Received(ack));
    assert_eq!(said, [Said::Action(ClientAction::Apply { space: space(), epoch, items: vec![item] })]);
    assert_eq!(rig.applied(3, 0), []);
    assert_eq!(rig.state(), SyncState::Saved);
}

#[test]
fn a_folder_of_another_server_stops_for_good() {
    let other = [0xff; 16];
    for name in ["server", "space", "epoch", "head"] {
        let alter = |welcome: &mut Welcome| match name {
            "server" => welcome.server = ServerId::from_bytes(other),
            "space" => welcome.spaces[0].space = SpaceId::from_bytes(other),
            "epoch" => welcome.spaces[0].epoch = Epoch::from_bytes(other),
            _ => welcome.spaces[0].head = Seq(4),
        };
        let mut rig = Rig::new();
        rig.start(bound(5), 0);
        rig.tell(ClientInput::Opened);
        assert!(is_disconnect(&rig.welcome_with(alter, 5), CloseCode::CONFLICT), "{name}");
        assert_eq!((rig.state(), rig.status().code), (SyncState::Refused, Some(Code::Conflict)), "{name}");
        assert_eq!(rig.client.deadline(), None);
        assert_eq!(rig.tell(ClientInput::NetworkChanged), []);
    }
    let mut rig = Rig::new();
    rig.start(None, 0);
    rig.tell(ClientInput::Opened);
    rig.welcome_with(|welcome| welcome.spaces[0].space = SpaceId::from_bytes(other), 0);
    let error = Error::new(Code::Conflict, "bound to another");
    let said = rig.tell(ClientInput::Bound { space: SpaceId::from_bytes(other), result: Err(error) });
    assert!(is_disconnect(&said, CloseCode::AWAY));
    assert_eq!(rig.state(), SyncState::Refused);
    rig.start(bound(0), 0);
    assert_eq!(rig.state(), SyncState::Connecting);
}

#[test]
fn refusals_stop_or_wait_by_their_code() {
    for (code, expected) in [
        (Code::Unauthenticated, SyncState::Refused),
        (Code::ProtocolUnsupported, SyncState::Refused),
        (Code::ManifestTooNew, SyncState::Refused),
        (Code::PolicyDenied, SyncState::Refused),
        (Code::Internal, SyncState::Offline),
        (Code::StorageFull, SyncState::Offline),
    ] {
        let mut rig = Rig::new();
        rig.start(bound(0), 0);
        rig.tell(ClientInput::Opened);
        let bytes = rig.server.refused(&Refused { code, message: "because".into() });
        assert!(is_disconnect(&rig.tell(ClientInput::Received(bytes)), CloseCode::NORMAL));
        let status = rig.status();
        assert_eq!((status.state, status.code), (expected, Some(code)));
        assert_eq!(status.message.as_deref(), Some("because"));
    }
    // The frame may be lost; the close code alone says enough.
    let mut rig = Rig::live(0, 0, 0..0, false);
    let code = Some(CloseCode::UNAUTHENTICATED);
    assert_eq!(rig.tell(ClientInput::Closed { code, reason: "gone".into() }), []);
    assert_eq!((rig.state(), rig.status().code), (SyncState::Refused, Some(Code::Unauthenticated)));
}

#[test]
fn retries_back_off_with_jitter_and_at_once_on_a_change() {
    let closed = || ClientInput::Closed { code: None, reason: "refused".into() };
    let mut rig = Rig::new();
    rig.start(bound(0), 0);
    let mut delays = Vec::new();
    for _ in 0..40 {
        assert_eq!(rig.tell(closed()), []);
        assert_eq!(rig.state(), SyncState::Offline);
        let at = rig.client.deadline().unwrap();
        assert_eq!(rig.status().retry_in_ms, Some((at - rig.now) as u64));
        delays.push(at - rig.now);
        rig.now = at - 1;
        assert_eq!(rig.tell(ClientInput::Timer), []);
        rig.now = at;
        assert_eq!(rig.tell(ClientInput::Timer), [Said::Action(ClientAction::Connect)]);
    }
    assert!(delays.iter().all(|delay| (100..=30_000).contains(delay)), "{delays:?}");
    assert!(delays[0] <= 1_000 && delays[1] <= 2_000 && delays[2] <= 4_000);
    let late: Millis = delays[10..].iter().sum::<Millis>() / 30;
    assert!((10_000..20_000).contains(&late), "{late}");

    rig.tell(closed());
    assert_eq!(rig.tell(ClientInput::NetworkChanged), [Said::Action(ClientAction::Connect)]);
    let said = rig.tell(ClientInput::NetworkChanged);
    assert!(is_disconnect(&said[..1], CloseCode::AWAY));
    assert_eq!(said[1], Said::Action(ClientAction::Connect));
    // A session that gets something done starts the count again.
    rig.server = ServerCodec::new();
    rig.tell(ClientInput::Opened);
    rig.welcome(1);
    rig.log(&[entry(1, 1)]);
    rig.applied(1, 0);
    rig.tell(closed());
    assert!(rig.client.deadline().unwrap() - rig.now <= 1_000);
}

#[test]
fn an_attempt_ends_after_15_seconds() {
    for open in [false, true] {
        let mut rig = Rig::new();
        rig.start(bound(0), 0);
        if open {
            rig.tell(ClientInput::Opened);
        }
        assert_eq!(rig.client.deadline(), Some(rig.now + 15_000));
        rig.now += 15_000;
        assert!(is_disconnect(&rig.tell(ClientInput::Timer), CloseCode::SILENT));
        assert_eq!(rig.status().code, Some(Code::ServerUnreachable));
    }
}

#[test]
fn a_hello_waits_for_the_disk() {
    let mut rig = Rig::live(0, 1, 0..0, false);
    assert_eq!(rig.log(&[entry(1, 1)]), [apply(&[entry(1, 1)])]);
    rig.tell(ClientInput::Closed { code: None, reason: "cut".into() });
    rig.tell(ClientInput::NetworkChanged);
    rig.server = ServerCodec::new();
    assert_eq!(rig.tell(ClientInput::Opened), []);
    let said = rig.applied(1, 0);
    let [Said::Frame(ClientFrame::Hello(hello))] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(hello.spaces[0].cursor.unwrap().seq, Seq(1));
}

#[test]
fn what_the_server_may_not_send_ends_the_session() {
    let gap = encode_fresh(0, &[entry(3, 1)])[0].to_vec();
    let elsewhere = encode_fresh(1, &[entry(2, 1)])[0].to_vec();
    let own = encode_own(0, None, &[Acknowledged { ordinal: 1, seq: Seq(2), received: 0 }]);
    for (name, bytes, code) in [
        ("a gap", gap, CloseCode::PROTOCOL),
        ("another space", elsewhere, CloseCode::MALFORMED),
        ("an acknowledgement of nothing", own, CloseCode::MALFORMED),
        ("garbage", vec![0xff, 1, 2], CloseCode::MALFORMED),
    ] {
        let mut rig = Rig::live(1, 1, 0..0, false);
        assert!(is_disconnect(&rig.tell(ClientInput::Received(bytes)), code), "{name}");
        assert_eq!(rig.state(), SyncState::Offline, "{name}");
    }
    let mut rig = Rig::live(1, 1, 0..0, false);
    assert!(is_disconnect(&rig.welcome(1), CloseCode::PROTOCOL));
}

#[test]
fn the_window_is_bounded_and_read_by_halves() {
    let mut rig = Rig::live(0, 0, 1..65, true);
    assert_eq!(rig.log(&[entry(1, 1)]), [apply(&[entry(1, 1)])]);
    let entries: Vec<LogEntry> = (2..32).map(|id| entry(u64::from(id), id)).collect();
    assert_eq!(rig.log(&entries), [], "33 are still in flight");
    assert_eq!(rig.applied(1, 64), [apply(&entries)]);
    assert_eq!(rig.log(&[entry(32, 32)]), [read_some(64, 32)]);
    assert_eq!(rig.read(outbox(65..97, false)), [push(1, 65, 65..97)]);
}

#[test]
fn hints_are_not_lost() {
    let mut rig = Rig::live(0, 0, 0..0, false);
    let waiting = |waiting| ClientInput::CommitsWaiting(Counts { waiting, drafts: 0 });
    assert_eq!(rig.tell(waiting(1)), [read(0)]);
    assert_eq!(rig.state(), SyncState::Sending);
    // This one comes while the outbox is being read, and may not be in it.
    assert_eq!(rig.tell(waiting(2)), []);
    assert_eq!(rig.read(outbox(1..2, false)), [push(1, 1, 1..2), read_some(1, 63)]);
    assert_eq!(rig.read(outbox(2..3, false)), [push(1, 2, 2..3)]);
}

#[test]
fn what_has_arrived_is_not_pushed_again() {
    // A commit of an earlier session comes back before the outbox is read, or while it is being read.
    for applied_first in [false, true] {
        let mut rig = Rig::new();
        rig.start(bound(0), 2);
        rig.tell(ClientInput::Opened);
        rig.welcome(1);
        assert_eq!(rig.log(&[entry(1, 1)]), [apply(&[entry(1, 1)])]);
        if applied_first {
            assert_eq!(rig.applied(1, 1), []);
        }
        assert_eq!(rig.read(outbox(1..3, false)), [push(1, 1, 2..3)]);
    }
}

#[test]
fn a_refused_commit_is_stored_after_everything_before_it() {
    let mut rig = Rig::live(0, 0, 1..5, true);
    assert_eq!(rig.log(&[entry(1, 1)]), [apply(&[entry(1, 1)])]);
    assert_eq!(rig.log(&[entry(2, 2)]), []);
    assert_eq!(rig.rejected(1, 3), []);
    // Entries that come later wait: what is stored next rewrites the outbox.
    assert_eq!(rig.log(&[entry(3, 30)]), []);
    assert_eq!(rig.applied(1, 3), [apply(&[entry(2, 2)])]);
    assert_eq!(rig.applied(2, 2), [store(3)]);
    assert_eq!(rig.rejected(1, 3), [], "it is known already");
    let counts = Counts { waiting: 1, drafts: 1 };
    let said = rig.tell(ClientInput::RejectionStored { space: space(), result: Ok(counts) });
    assert_eq!(said, [apply(&[entry(3, 30)])], "the outbox is still being read for the old generation");
    assert_eq!(rig.read(outbox(5..9, true)), [read(0)], "its answer is dropped");
    assert_eq!(rig.read(outbox(10..11, false)), [push(2, 5, 10..11)]);
    assert_eq!(rig.rejected(1, 4), [], "of an old generation");
    rig.log(&[entry(4, 10)]);
    rig.applied(3, 1);
    let last = Applied { cursor: Seq(4), counts: Counts { waiting: 0, drafts: 1 } };
    rig.tell(ClientInput::Applied { space: space(), result: Ok(last) });
    assert_eq!(
        (rig.state(), rig.status().drafts),
        (SyncState::Refused, 1),
        "somebody has to look at the draft"
    );
}

#[test]
fn a_pause_is_kept_in_order() {
    let mut rig = Rig::live(0, 0, 1..4, false);
    let pause = Pause { space: 0, generation: 1, status: Status::QuotaExceeded, retry_after_ms: 5_000 };
    let bytes = rig.server.pause(&pause);
    assert_eq!(rig.tell(ClientInput::Received(bytes)), []);
    let status = rig.status();
    assert_eq!((status.state, status.code), (SyncState::Sending, Some(Code::QuotaExceeded)));
    assert_eq!(status.retry_in_ms, Some(5_000));
    assert_eq!(rig.tell(ClientInput::CommitsWaiting(Counts { waiting: 4, drafts: 0 })), []);
    assert_eq!(rig.client.deadline(), Some(rig.now + 5_000));
    rig.now += 5_000;
    assert_eq!(rig.tell(ClientInput::Timer), [read(0)]);
    assert_eq!(rig.read(outbox(1..5, false)), [push(2, 4, 1..5)]);
}

#[test]
fn a_disk_that_fails_is_told_and_tried_again() {
    let mut rig = Rig::live(0, 1, 0..0, false);
    rig.log(&[entry(1, 1)]);
    let error = Error::new(Code::StorageFull, "disk full");
    let said = rig.tell(ClientInput::Applied { space: space(), result: Err(error) });
    assert!(is_disconnect(&said, CloseCode::AWAY));
    let status = rig.status();
    assert_eq!((status.state, status.code), (SyncState::NotSaved, Some(Code::StorageFull)));
    rig.now = rig.client.deadline().unwrap();
    rig.tell(ClientInput::Timer);
    rig.server = ServerCodec::new();
    rig.tell(ClientInput::Opened);
    rig.welcome(1);
    assert_eq!(rig.state(), SyncState::NotSaved);
    rig.log(&[entry(1, 1)]);
    rig.applied(1, 0);
    rig.read(Outbox::default());
    assert_eq!(rig.state(), SyncState::Saved);
}

#[test]
fn silence_is_noticed_and_a_full_queue_is_no_silence() {
    let mut rig = Rig::live(0, 0, 0..0, false);
    for _ in 0..2 {
        rig.now += 20_000;
        assert_eq!(rig.tell(ClientInput::Timer), [Said::Frame(ClientFrame::Ping)]);
    }
    rig.now += 5_000;
    assert!(is_disconnect(&rig.tell(ClientInput::Timer), CloseCode::SILENT));

    let mut rig = Rig::live(0, 0, 0..0, false);
    assert_eq!(rig.tell(ClientInput::NetworkChanged), [Said::Frame(ClientFrame::Ping)]);
    rig.now += 4_999;
    assert_eq!(rig.tell(ClientInput::Received(PING.to_vec())), [Said::Frame(ClientFrame::Pong)]);
    rig.now += 19_999;
    assert_eq!(rig.tell(ClientInput::Timer), [], "the doubt is gone");

    let mut seq = 1;
    while rig.client.wants_input() {
        let entries: Vec<LogEntry> = (seq..seq + 1000).map(|seq| entry(seq, 1)).collect();
        rig.log(&entries);
        seq += 1000;
    }
    assert!(seq < 12_000, "{seq}");
    rig.now += 100_000;
    assert_eq!(rig.tell(ClientInput::Timer), []);
    rig.applied(1000, 0);
    assert!(rig.client.deadline().unwrap() > rig.now);
}

#[test]
fn stopping_drops_the_connection() {
    let mut rig = Rig::live(0, 0, 0..0, false);
    assert!(is_disconnect(&rig.tell(ClientInput::Stop), CloseCode::NORMAL));
    assert_eq!((rig.state(), rig.client.deadline()), (SyncState::Local, None));
    assert_eq!(rig.tell(ClientInput::Received(PING.to_vec())), []);
    assert_eq!(rig.tell(ClientInput::Closed { code: None, reason: "late".into() }), []);
    assert_eq!(rig.state(), SyncState::Local);
}
