use super::*;
use tombolo_core::{ActorId, Commit, Epoch, Random, SeededRandom, ServerId};
use tombolo_protocol::{ClientCodec, Cursor, HelloSpace, LogItem, Role, ServerFrame, limit};

fn space() -> SpaceId {
    SpaceId::from_bytes([2; 16])
}

fn epoch() -> Epoch {
    Epoch::from_bytes([3; 16])
}

fn commit(id: u8, bytes: usize) -> Commit {
    let doc = tombolo_core::DocRef {
        entity: "Page".into(),
        row: tombolo_core::RowId::from_bytes([1; 16]),
        field: None,
    };
    Commit {
        id: CommitId::from_bytes([id; 16]),
        actor: ActorId::from_bytes([9; 16]),
        manifest_version: 1,
        time: 0,
        origin: None,
        replaces: None,
        parts: vec![tombolo_core::Part { doc, bytes: noise(bytes) }],
    }
}

/// Bytes that do not shrink.
fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    SeededRandom::new(1).fill(&mut noise);
    noise
}

fn entry(seq: u64, id: u8) -> LogEntry {
    LogEntry { seq: Seq(seq), received: 0, commit: commit(id, 3) }
}

fn hello() -> Hello {
    Hello {
        protocols: PROTOCOLS.to_vec(),
        manifest_version: 1,
        manifest_hash: "hash".into(),
        token: "token".into(),
        actor: ActorId::from_bytes([9; 16]),
        spaces: vec![HelloSpace {
            space: Some(space()),
            cursor: Some(Cursor { epoch: epoch(), seq: Seq(5) }),
        }],
    }
}

/// A hub whose log is at 5, the other ends of its connections, and a clock.
struct Rig {
    hub: Hub,
    clients: BTreeMap<SessionId, ClientCodec>,
    now: Millis,
    /// Whether what is sent is reported as written at once.
    writes: bool,
}

#[derive(Debug, PartialEq)]
enum Said {
    Action(HubAction),
    Frame(u64, ServerFrame),
}

const A: SessionId = SessionId(1);
const B: SessionId = SessionId(2);

impl Rig {
    fn new() -> Self {
        let spaces = vec![HubSpace { space: space(), epoch: epoch(), head: Seq(5) }];
        let config = HubConfig { server: ServerId::from_bytes([1; 16]), manifest_version: 1, spaces };
        Self { hub: Hub::new(config), clients: BTreeMap::new(), now: 1_000, writes: true }
    }

    fn tell(&mut self, input: HubInput) -> Vec<Said> {
        self.hub.handle(input, self.now);
        let mut said = Vec::new();
        while let Some(action) = self.hub.poll() {
            let HubAction::Send { session, bytes } = action else {
                said.push(Said::Action(action));
                continue;
            };
            if self.writes {
                self.hub.handle(HubInput::Sent { session, bytes: bytes.len() }, self.now);
            }
            let client = self.clients.get_mut(&session).unwrap();
            said.extend(client.decode(&bytes).unwrap().map(|frame| Said::Frame(session.0, frame)));
        }
        said
    }

    fn receive(&mut self, session: SessionId, bytes: Vec<u8>) -> Vec<Said> {
        self.tell(HubInput::Received { session, bytes })
    }

    fn open(&mut self, session: SessionId) {
        self.clients.insert(session, ClientCodec::new(ActorId::from_bytes([9; 16]), 1));
        assert_eq!(self.tell(HubInput::Opened { session }), []);
    }

    fn greet(&mut self, session: SessionId, hello: &Hello) -> Vec<Said> {
        self.open(session);
        let bytes = self.clients[&session].hello(hello);
        self.receive(session, bytes)
    }

    fn grant(&mut self, session: SessionId, role: Role) -> Vec<Said> {
        self.tell(HubInput::Authenticated { session, result: Ok(Grant { role, account: "ann".into() }) })
    }

    fn live(&mut self, session: SessionId) {
        self.greet(session, &hello());
        let said = self.grant(session, Role::Editor);
        assert!(matches!(&said[..], [Said::Frame(_, ServerFrame::Welcome(_))]), "{said:?}");
    }

    fn push(&mut self, session: SessionId, generation: u32, commits: &[Commit]) -> Vec<Said> {
        let messages = self.clients.get_mut(&session).unwrap().push(0, generation, commits);
        messages.into_iter().flat_map(|bytes| self.receive(session, bytes)).collect()
    }

    fn judged(
        &mut self,
        session: SessionId,
        generation: u32,
        verdicts: Vec<(CommitId, Verdict)>,
    ) -> Vec<Said> {
        let result = Ok(verdicts);
        self.tell(HubInput::Judged { session, space: space(), generation, result, retry_after_ms: None })
    }

    fn committed(&mut self, entries: &[LogEntry], from: Option<SessionId>) -> Vec<Said> {
        self.tell(HubInput::Committed { space: space(), entries: entries.to_vec(), from })
    }

    fn page(&mut self, session: SessionId, entries: &[LogEntry]) -> Vec<Said> {
        let result = Ok(LogPage { entries: entries.to_vec() });
        self.tell(HubInput::LogRead { session, space: space(), result })
    }
}

fn accepted(id: u8, seq: u64) -> (CommitId, Verdict) {
    (commit(id, 0).id, Verdict::Accepted { seq: Seq(seq), received: 0 })
}

fn refused(id: u8, status: Status) -> (CommitId, Verdict) {
    (commit(id, 0).id, Verdict::Rejected(rejection(id, status)))
}

fn rejection(id: u8, status: Status) -> Rejection {
    Rejection { commit: commit(id, 0).id, status, code: Code::InvalidData, message: "no".into() }
}

fn judge(session: SessionId, generation: u32, commits: Vec<Commit>) -> Said {
    Said::Action(HubAction::Judge {
        session,
        actor: ActorId::from_bytes([9; 16]),
        account: "ann".into(),
        role: Role::Editor,
        space: space(),
        generation,
        commits,
    })
}

fn read_log(session: SessionId, after: u64) -> Said {
    Said::Action(HubAction::ReadLog {
        session,
        space: space(),
        after: Seq(after),
        max_bytes: PAGE_BYTES,
        max_entries: PAGE_ENTRIES,
    })
}

fn log(session: SessionId, items: Vec<LogItem>) -> Said {
    Said::Frame(session.0, ServerFrame::Log(tombolo_protocol::Log { space: 0, items }))
}

fn full(entries: &[LogEntry]) -> Vec<LogItem> {
    entries.iter().cloned().map(LogItem::Full).collect()
}

fn own(seq: u64, id: u8) -> LogItem {
    LogItem::Own { seq: Seq(seq), received: 0, id: commit(id, 0).id }
}

fn closes(said: &[Said], session: SessionId, expected: CloseCode) -> bool {
    matches!(said.last(), Some(Said::Action(HubAction::Close { session: closed, code, .. }))
        if *closed == session && *code == expected)
}

#[test]
fn strangers_say_hello_or_go() {
    let hello = ClientCodec::new(ActorId::from_bytes([9; 16]), 1).hello(&hello());
    for (bytes, code) in [
        (vec![0xff], CloseCode::MALFORMED),
        (vec![], CloseCode::MALFORMED),
        (PING.to_vec(), CloseCode::PROTOCOL),
        (vec![3, 0, 1], CloseCode::PROTOCOL),
        (vec![2; limit::HELLO_BYTES + 1], CloseCode::TOO_LARGE),
    ] {
        let mut rig = Rig::new();
        rig.open(A);
        assert!(closes(&rig.receive(A, bytes.clone()), A, code), "{bytes:?}");
        assert_eq!(rig.receive(A, hello.clone()), [], "it is closed");
        assert_eq!((rig.hub.session_count(), rig.hub.deadline()), (0, None));
    }
    let mut rig = Rig::new();
    rig.open(A);
    assert!(closes(&rig.tell(HubInput::ReceivedText { session: A }), A, CloseCode::TEXT));
    rig.open(B);
    assert_eq!(rig.hub.deadline(), Some(rig.now + 10_000));
    rig.now += 10_000;
    assert!(closes(&rig.tell(HubInput::Timer), B, CloseCode::SILENT));
}

#[test]
fn a_hello_is_refused_with_a_code() {
    let mut hellos = [hello(), hello()];
    hellos[0].protocols = vec![99];
    hellos[1].manifest_version = 2;
    let codes = [Code::ProtocolUnsupported, Code::ManifestTooNew];
    for (hello, expected) in hellos.iter().zip(codes) {
        let mut rig = Rig::new();
        let said = rig.greet(A, hello);
        assert!(
            matches!(&said[0], Said::Frame(1, ServerFrame::Refused(Refused { code, .. })) if *code == expected)
        );
        assert!(closes(&said, A, CloseCode::UNSUPPORTED));
    }
    let mut rig = Rig::new();
    let said = rig.greet(A, &hello());
    let [Said::Action(HubAction::Authenticate { token, manifest_hash, .. })] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!((token.as_str(), manifest_hash.as_str()), ("token", "hash"));
    assert!(!rig.hub.wants_input(A), "nothing more is read before it is known who this is");
    let error = Error::new(Code::Unauthenticated, "bad token");
    let said = rig.tell(HubInput::Authenticated { session: A, result: Err(error) });
    assert!(matches!(&said[0], Said::Frame(1, ServerFrame::Refused(_))));
    assert!(closes(&said, A, CloseCode::UNAUTHENTICATED));
}

#[test]
fn a_session_gets_the_log_from_its_cursor() {
    let mut rig = Rig::new();
    let mut behind = hello();
    behind.spaces[0].cursor = Some(Cursor { epoch: epoch(), seq: Seq(2) });
    rig.greet(A, &behind);
    let said = rig.grant(A, Role::Viewer);
    let [Said::Frame(1, ServerFrame::Welcome(welcome)), read] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!((welcome.spaces[0].head, welcome.spaces[0].role), (Seq(5), Role::Viewer));
    assert_eq!(*read, read_log(A, 2));
    assert_eq!(rig.committed(&[entry(6, 6)], None), [], "one page at a time");
    let page = [entry(3, 3), entry(4, 4), entry(5, 5)];
    assert_eq!(rig.page(A, &page), [log(A, full(&page)), log(A, full(&[entry(6, 6)]))]);
}

#[test]
fn a_client_that_knows_another_log_is_told_the_truth_and_no_more() {
    let other = Some(Cursor { epoch: Epoch::from_bytes([0xff; 16]), seq: Seq(1) });
    let ahead = Some(Cursor { epoch: epoch(), seq: Seq(6) });
    let elsewhere = HelloSpace { space: Some(SpaceId::from_bytes([0xff; 16])), cursor: None };
    let known = Some(space());
    for wanted in
        [HelloSpace { space: known, cursor: other }, HelloSpace { space: known, cursor: ahead }, elsewhere]
    {
        let mut rig = Rig::new();
        rig.greet(A, &Hello { spaces: vec![wanted], ..hello() });
        let said = rig.grant(A, Role::Editor);
        assert!(matches!(&said[..], [Said::Frame(1, ServerFrame::Welcome(_))]));
        assert_eq!(rig.committed(&[entry(6, 6)], None), []);
        assert!(closes(&rig.push(A, 1, &[commit(1, 1)]), A, CloseCode::PROTOCOL));
    }
    let mut rig = Rig::new();
    rig.greet(A, &Hello { spaces: vec![HelloSpace { space: None, cursor: None }], ..hello() });
    assert_eq!(rig.grant(A, Role::Editor)[1], read_log(A, 0));
}

#[test]
fn what_is_committed_goes_to_everybody_once() {
    let mut rig = Rig::new();
    rig.live(A);
    rig.live(B);
    let commits = [commit(6, 3), commit(7, 3)];
    assert_eq!(rig.push(A, 1, &commits), [judge(A, 1, commits.to_vec())]);
    let entries = [entry(6, 6), entry(7, 7)];
    let said = rig.committed(&entries, Some(A));
    assert_eq!(said, [log(A, vec![own(6, 6), own(7, 7)]), log(B, full(&entries))]);
    assert_eq!(rig.judged(A, 1, vec![accepted(6, 6), accepted(7, 7)]), []);
    assert_eq!(rig.committed(&entries, Some(A)), [], "told twice");
    // The verdicts may also come first.
    assert_eq!(rig.push(B, 1, &[commit(8, 3)]), [judge(B, 1, vec![commit(8, 3)])]);
    assert_eq!(rig.judged(B, 1, vec![accepted(8, 8)]), []);
    let said = rig.committed(&[entry(8, 8)], Some(B));
    assert_eq!(said, [log(A, full(&[entry(8, 8)])), log(B, vec![own(8, 8)])]);
}

#[test]
fn sessions_share_the_bytes() {
    let mut rig = Rig::new();
    rig.live(A);
    rig.live(B);
    for seq in 6..8 {
        rig.hub.handle(HubInput::Committed { space: space(), entries: vec![entry(seq, 1)], from: None }, 0);
        let sent: Vec<Arc<[u8]>> = std::iter::from_fn(|| rig.hub.poll())
            .map(|action| match action {
                HubAction::Send { bytes, .. } => bytes,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(sent.len() == 2 && Arc::ptr_eq(&sent[0], &sent[1]));
    }
}

#[test]
fn a_gap_in_what_is_told_is_read_from_disk() {
    let mut rig = Rig::new();
    rig.live(A);
    assert_eq!(rig.committed(&[entry(7, 7)], None), [read_log(A, 5)]);
    let page = [entry(6, 6), entry(7, 7)];
    assert_eq!(rig.page(A, &page), [log(A, full(&page))]);
    assert_eq!(rig.committed(&[entry(8, 8)], None), [log(A, full(&[entry(8, 8)]))]);
}

#[test]
fn a_page_ahead_of_the_news_counts_as_the_head() {
    let mut rig = Rig::new();
    let mut behind = hello();
    behind.spaces[0].cursor = None;
    rig.greet(A, &behind);
    rig.grant(A, Role::Editor);
    let page: Vec<LogEntry> = (1..8).map(|seq| entry(seq, 1)).collect();
    rig.page(A, &page);
    let mut ahead = hello();
    ahead.spaces[0].cursor = Some(Cursor { epoch: epoch(), seq: Seq(7) });
    rig.greet(B, &ahead);
    let said = rig.grant(B, Role::Editor);
    assert!(matches!(&said[..], [Said::Frame(2, ServerFrame::Welcome(w))] if w.spaces[0].head == Seq(7)));
    assert_eq!(rig.committed(&[entry(6, 1), entry(7, 1)], None), []);
    let next = full(&[entry(8, 2)]);
    assert_eq!(rig.committed(&[entry(8, 2)], None), [log(A, next.clone()), log(B, next)]);
}

#[test]
fn one_batch_is_judged_at_a_time_and_the_rest_waits_unread() {
    let mut rig = Rig::new();
    rig.live(A);
    assert_eq!(rig.push(A, 1, &[commit(1, 9)]), [judge(A, 1, vec![commit(1, 9)])]);
    let mut pushed = 0;
    while rig.hub.wants_input(A) {
        assert_eq!(rig.push(A, 1, &[commit(2, 300_000)]), []);
        pushed += 1;
    }
    assert_eq!(pushed, 4);
    let said = rig.judged(A, 1, vec![accepted(1, 6)]);
    assert_eq!(said, [judge(A, 1, vec![commit(2, 300_000); 3])]);
    assert!(rig.hub.wants_input(A));
}

#[test]
fn after_a_refusal_its_generation_is_not_read() {
    let mut rig = Rig::new();
    rig.live(A);
    let commits: Vec<Commit> = (1..5).map(|id| commit(id, 3)).collect();
    rig.push(A, 1, &commits[..3]);
    assert_eq!(rig.push(A, 1, &commits[3..]), []);
    // The client is told after it was sent everything that was accepted before.
    assert_eq!(rig.judged(A, 1, vec![accepted(1, 6), refused(2, Status::Denied)]), []);
    let rejected = Rejected { space: 0, generation: 1, rejection: rejection(2, Status::Denied) };
    let told = Said::Frame(1, ServerFrame::Rejected(rejected));
    assert_eq!(rig.committed(&[entry(6, 1)], Some(A)), [log(A, vec![own(6, 1)]), told]);
    assert_eq!(rig.push(A, 1, &commits[3..]), [], "sent before it knew");
    assert_eq!(rig.push(A, 2, &[commit(13, 3)]), [judge(A, 2, vec![commit(13, 3)])]);
    assert_eq!(rig.committed(&[entry(7, 13)], Some(A)), [log(A, vec![own(7, 13)])]);
    assert!(closes(&rig.push(A, 3, &[commit(14, 3)]), A, CloseCode::PROTOCOL), "nothing was refused");
}

#[test]
fn a_pause_sends_the_same_commits_again() {
    for (status, usual) in [(Status::RateLimited, RATE_PAUSE_MS), (Status::QuotaExceeded, QUOTA_PAUSE_MS)] {
        let mut rig = Rig::new();
        rig.live(A);
        rig.push(A, 1, &[commit(1, 3), commit(2, 3)]);
        let pause = Pause { space: 0, generation: 1, status, retry_after_ms: usual };
        let said = rig.judged(A, 1, vec![refused(1, status)]);
        assert_eq!(said, [Said::Frame(1, ServerFrame::Pause(pause))]);
        let commits = [commit(1, 3), commit(2, 3)];
        assert_eq!(rig.push(A, 2, &commits), [judge(A, 2, commits.to_vec())]);
        let said = rig.committed(&[entry(6, 1), entry(7, 2)], Some(A));
        assert_eq!(said, [log(A, vec![own(6, 1), own(7, 2)])]);
    }
}

#[test]
fn readers_may_not_push() {
    for role in [Role::Viewer, Role::Commenter] {
        let mut rig = Rig::new();
        rig.greet(A, &hello());
        rig.grant(A, role);
        let said = rig.push(A, 1, &[commit(1, 3), commit(2, 3)]);
        let [Said::Frame(1, ServerFrame::Rejected(Rejected { generation: 1, rejection, .. }))] = &said[..]
        else {
            panic!("{said:?}");
        };
        assert_eq!((rejection.commit, rejection.status), (commit(1, 0).id, Status::Denied));
        assert_eq!(rejection.code, Code::PolicyDenied);
        assert_eq!(rig.push(A, 1, &[commit(3, 3)]), []);
        assert_eq!(rig.push(A, 2, &[commit(2, 3)]).len(), 1);
    }
}

#[test]
fn a_server_in_trouble_closes_so_that_the_client_tries_again() {
    let error = Error::new(Code::StorageFailed, "secret detail");
    let mut answers: Vec<HubInput> = Vec::new();
    let judged =
        |result| HubInput::Judged { session: A, space: space(), generation: 1, result, retry_after_ms: None };
    answers.push(judged(Err(error.clone())));
    answers.push(judged(Ok(vec![])));
    answers.push(judged(Ok(vec![accepted(9, 6)])));
    answers.push(HubInput::LogRead { session: A, space: space(), result: Err(error) });
    answers.push(HubInput::LogRead { session: A, space: space(), result: Ok(LogPage { entries: vec![] }) });
    let entries = vec![entry(2, 2)];
    answers.push(HubInput::LogRead { session: A, space: space(), result: Ok(LogPage { entries }) });
    for answer in answers {
        let mut rig = Rig::new();
        let mut behind = hello();
        behind.spaces[0].cursor = None;
        rig.greet(A, &behind);
        rig.grant(A, Role::Editor);
        rig.push(A, 1, &[commit(1, 3)]);
        let said = rig.tell(answer);
        assert!(closes(&said, A, CloseCode::INTERNAL));
        assert!(!format!("{said:?}").contains("secret"));
    }
    let mut rig = Rig::new();
    rig.live(A);
    let error = Error::new(Code::Unauthenticated, "the token has ended");
    let said = rig.tell(HubInput::Refuse { session: A, error });
    assert!(matches!(&said[0], Said::Frame(1, ServerFrame::Refused(_))));
    assert!(closes(&said, A, CloseCode::UNAUTHENTICATED));
}

#[test]
fn a_slow_reader_is_sent_a_mebibyte_and_then_closed() {
    let mut rig = Rig::new();
    rig.live(A);
    rig.writes = false;
    let (mut seq, mut handed) = (5, 0);
    for _ in 0..60 {
        seq += 1;
        let entry = LogEntry { seq: Seq(seq), received: 0, commit: commit(1, 200_000) };
        rig.hub.handle(HubInput::Committed { space: space(), entries: vec![entry], from: None }, rig.now);
        while let Some(action) = rig.hub.poll() {
            match action {
                HubAction::Send { bytes, .. } => handed += bytes.len(),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((256 * 1024..=1024 * 1024).contains(&handed), "{handed}");
    // What it has not been sent is no longer in memory: once it reads, it is fed from disk.
    rig.hub.handle(HubInput::Sent { session: A, bytes: handed }, rig.now);
    let mut actions: Vec<HubAction> = std::iter::from_fn(|| rig.hub.poll()).collect();
    assert!(matches!(actions.pop(), Some(HubAction::ReadLog { .. })));

    let mut rig = Rig::new();
    rig.live(A);
    rig.writes = false;
    rig.committed(&[entry(6, 6)], None);
    for _ in 0..4 {
        rig.now += 11_000;
        // It talks, but does not read.
        assert_eq!(rig.receive(A, tombolo_protocol::PONG.to_vec()), []);
        assert_eq!(rig.tell(HubInput::Timer), []);
    }
    rig.now += 1_000;
    assert!(closes(&rig.tell(HubInput::Timer), A, CloseCode::SLOW));
}

#[test]
fn silence_and_chatter_end_a_session() {
    let mut rig = Rig::new();
    rig.live(A);
    let mut pings = 0;
    loop {
        rig.now = rig.hub.deadline().unwrap();
        let said = rig.tell(HubInput::Timer);
        if closes(&said, A, CloseCode::SILENT) {
            break;
        }
        pings += said.iter().filter(|said| matches!(said, Said::Frame(1, ServerFrame::Ping))).count();
    }
    assert_eq!((pings, rig.now), (2, 46_000));

    let mut rig = Rig::new();
    rig.live(A);
    let mut answered = 0;
    loop {
        let said = rig.receive(A, PING.to_vec());
        if closes(&said, A, CloseCode::FLOOD) {
            break;
        }
        assert_eq!(said, [Said::Frame(1, ServerFrame::Pong)]);
        answered += 1;
    }
    assert_eq!(answered, 15);
    rig.live(B);
    for _ in 0..100 {
        rig.now += 1_000;
        assert_eq!(rig.receive(B, PING.to_vec()).len(), 1);
    }
}

#[test]
fn a_judge_that_takes_long_is_no_silence() {
    let mut rig = Rig::new();
    rig.live(A);
    rig.push(A, 1, &[commit(1, 3)]);
    while rig.hub.wants_input(A) {
        rig.push(A, 1, &[commit(2, 300_000)]);
    }
    for _ in 0..20 {
        rig.now += 10_000;
        let said = rig.tell(HubInput::Timer);
        assert!(said.iter().all(|said| matches!(said, Said::Frame(..))), "{said:?}");
    }
    rig.judged(A, 1, vec![accepted(1, 6)]);
    rig.now += 44_000;
    assert!(!closes(&rig.tell(HubInput::Timer), A, CloseCode::SILENT));
}
