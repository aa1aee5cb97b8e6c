//! What is written: everything that a page's owner may do, as the seed has it.

use crate::ledger::{Row, Rows};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value as Json, json};
use tombolo_core::{PeerId, Random as _, RowId, SeededRandom};
use tombolo_crdt::Doc;

const WORDS: [&str; 8] = ["tea", "Ørsted", "𝒳", "line", "日本", "of", "👍🏽", "a"];
/// How long a text that is typed into grows before it is cut.
const TYPED_MAX: usize = 400;

/// An operation with the rows as they are after it.
pub(crate) struct Next {
    pub(crate) op: &'static str,
    pub(crate) args: Json,
    pub(crate) rows: Vec<(RowId, Row)>,
}

/// The author of all writes. It counts on every write that it gives.
pub(crate) struct Writer {
    pub(crate) random: SeededRandom,
    rows: Rows,
    ids: Vec<RowId>,
    /// The rows that are written by an editor only.
    typed: Vec<RowId>,
    /// The editor of one of them.
    editor: Option<(RowId, Doc)>,
    count: i64,
}

impl Writer {
    pub(crate) fn new(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        Self { random, rows: Rows::new(), ids: Vec::new(), typed: Vec::new(), editor: None, count: 0 }
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random.u64() % end as u64).unwrap()
    }

    /// Goes on from what is there after a kill.
    pub(crate) fn go_on(&mut self, rows: &Rows) {
        self.rows.clone_from(rows);
        self.ids.retain(|id| rows.contains_key(id));
        self.typed.retain(|id| rows.contains_key(id));
        self.editor = None;
    }

    /// The row to type into next, if it is one that is there: its editor wants the document.
    pub(crate) fn choose_typed(&mut self) -> Option<RowId> {
        let at = self.below(self.typed.len() + 1);
        match self.typed.get(at) {
            Some(id) => Some(*id),
            None => {
                let (id, peer) = (self.mint(), self.random.u64() | 1);
                self.editor = Some((id, Doc::new(PeerId(peer))));
                None
            }
        }
    }

    /// Opens the editor on a document, as base64.
    pub(crate) fn open_editor(&mut self, id: RowId, snapshot: &str) {
        let peer = PeerId(self.random.u64() | 1);
        self.editor = Some((id, Doc::open(peer, Some(&BASE64.decode(snapshot).unwrap()), []).unwrap()));
    }

    /// The next operation.
    pub(crate) fn next(&mut self) -> Next {
        self.count += 1;
        let next = match self.below(20) {
            _ if self.ids.len() < 4 => self.insert(),
            0..5 => self.insert(),
            5..9 => self.update(|row, title, _| {
                row.title = title;
                json!({"title": row.title})
            }),
            9..11 => self.update(|row, _, count| {
                row.stars = Some(count);
                json!({"stars": count})
            }),
            11..13 => self.update(|row, title, count| {
                row.body = Some(format!("{count}\n{title}"));
                json!({"body": {"markdown": format!("# {count}\n\n**{title}**")}})
            }),
            13..15 => self.trash(),
            15..17 => self.transact(),
            _ => self.keystroke(),
        };
        self.rows.extend(next.rows.iter().cloned());
        next
    }

    fn mint(&mut self) -> RowId {
        let at = 1_700_000_000_000 + self.count;
        RowId::mint(at, &mut self.random)
    }

    fn pick(&mut self) -> (RowId, Row) {
        let at = self.below(self.ids.len());
        let id = self.ids[at];
        (id, self.rows[&id].clone())
    }

    /// A few words that were never there before.
    fn words(&mut self) -> String {
        let words = (0..1 + self.below(5)).map(|_| WORDS[self.below(WORDS.len())]).collect::<Vec<_>>();
        format!("{} {}", words.join(" "), self.count)
    }

    /// A new row, with what inserts it.
    fn new_row(&mut self) -> (RowId, Row, Json) {
        let (id, title) = (self.mint(), self.words());
        self.ids.push(id);
        let mut data = json!({"id": id, "title": title, "stars": self.count});
        let mut row = Row { title, stars: Some(self.count), body: None, trashed: false };
        if self.below(3) == 0 {
            let body = self.words();
            data["body"] = json!({"markdown": body});
            row.body = Some(body);
        }
        (id, row, data)
    }

    fn insert(&mut self) -> Next {
        let (id, row, data) = self.new_row();
        Next { op: "insert", args: json!({"entity": "Page", "data": data}), rows: vec![(id, row)] }
    }

    fn update(&mut self, change: impl FnOnce(&mut Row, String, i64) -> Json) -> Next {
        let ((id, mut row), words) = (self.pick(), self.words());
        let patch = change(&mut row, words, self.count);
        Next {
            op: "update",
            args: json!({"entity": "Page", "id": id, "patch": patch}),
            rows: vec![(id, row)],
        }
    }

    fn trash(&mut self) -> Next {
        let (id, mut row) = self.pick();
        row.trashed = !row.trashed;
        let op = if row.trashed { "delete" } else { "restore" };
        Next { op, args: json!({"entity": "Page", "id": id}), rows: vec![(id, row)] }
    }

    /// Two rows in one transaction: new ones, or stars that go from one to the other, one of which is renamed.
    fn transact(&mut self) -> Next {
        let (rows, ops) = if self.below(2) == 0 {
            let ((a, row_a, data_a), (b, row_b, data_b)) = (self.new_row(), self.new_row());
            let insert = |data| json!({"op": "insert", "entity": "Page", "data": data});
            (vec![(a, row_a), (b, row_b)], [insert(data_a), insert(data_b)])
        } else {
            let (a, mut row_a) = self.pick();
            let (b, mut row_b) = loop {
                let (b, row) = self.pick();
                if b != a {
                    break (b, row);
                }
            };
            let many = self.count;
            row_a.stars = Some(row_a.stars.unwrap_or(0) - many);
            row_b.stars = Some(row_b.stars.unwrap_or(0) + many);
            row_b.title = self.words();
            let update = |id, data| json!({"op": "update", "entity": "Page", "id": id, "data": data});
            let to = json!({"stars": row_b.stars, "title": row_b.title});
            let ops = [update(a, json!({"stars": row_a.stars})), update(b, to)];
            (vec![(a, row_a), (b, row_b)], ops)
        };
        Next { op: "transact", args: json!({"ops": ops}), rows }
    }

    /// A keystroke of the editor, as an update of its own.
    fn keystroke(&mut self) -> Next {
        let (id, mut doc) = self.editor.take().expect("an editor is open");
        let length = doc.text_len("title").unwrap();
        let (at, inserted) = (self.below(length + 1), WORDS[self.below(WORDS.len())]);
        let deleted = match length > TYPED_MAX {
            true => length - at,
            false => self.below(3).min(length - at),
        };
        let edited = doc.edit(|edit| edit.splice_text("title", at, deleted, inserted));
        let update = edited.unwrap().1.expect("something is typed");
        let title = doc.text("title").unwrap();
        self.editor = Some((id, doc));
        if !self.rows.contains_key(&id) {
            self.typed.push(id);
        }
        let new = Row { title: String::new(), stars: None, body: None, trashed: false };
        let row = Row { title, ..self.rows.get(&id).cloned().unwrap_or(new) };
        Next {
            op: "crdt_apply_update",
            args: json!({"entity": "Page", "id": id, "bytes": BASE64.encode(update)}),
            rows: vec![(id, row)],
        }
    }
}
