use crate::world::{Peer, peer, sync};
use serde_json::{Value as Json, json};
use tombolo_core::{Code, Random as _, RowId, SeededRandom};
use tombolo_store::Role;

fn titles(p: &mut Peer, parent: Option<RowId>) -> Vec<String> {
    let filter = json!({"parent": parent, "$order": {"parent_order": "asc"}});
    let rows = p.call("query_filtered", json!({"entity": "Page", "filter": filter})).unwrap();
    rows.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

fn page(p: &mut Peer, title: &str, parent: Json) -> RowId {
    p.insert("Page", json!({"title": title, "parent": parent}))
}

/// The tree as somebody sees it: each row with its depth, below its parent, siblings in their order.
fn outline(p: &mut Peer) -> Vec<(usize, RowId)> {
    let mut outline = Vec::new();
    let mut open: Vec<(usize, Option<RowId>)> = vec![(0, None)];
    while let Some((depth, parent)) = open.pop() {
        if let Some(id) = parent {
            assert!(!outline.contains(&(depth, id)), "{id} is met again");
            outline.push((depth, id));
        }
        let filter = json!({"parent": parent, "$order": {"parent_order": "asc"}});
        let rows = p.call("query_filtered", json!({"entity": "Page", "filter": filter})).unwrap();
        let below = rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().parse().unwrap());
        let below: Vec<RowId> = below.collect();
        open.extend(below.into_iter().rev().map(|id| (depth + 1, Some(id))));
    }
    outline
}

#[test]
fn siblings_keep_the_order_they_are_given() {
    let mut p = peer(Role::Replica, 1);
    let a = page(&mut p, "a", json!(null));
    let b = page(&mut p, "b", json!(null));
    page(&mut p, "c", json!({"parent": null, "after": a}));
    page(&mut p, "d", json!({"parent": null, "before": a}));
    page(&mut p, "e", json!({"parent": null, "after": null}));
    page(&mut p, "f", json!({"before": null}));
    assert_eq!(titles(&mut p, None), ["e", "d", "a", "c", "b", "f"]);
    p.update("Page", b, json!({"parent": {"parent": null, "before": a}}));
    assert_eq!(titles(&mut p, None), ["e", "d", "b", "a", "c", "f"]);
    let order = p.get("Page", b)["parent_order"].clone();
    p.update("Page", b, json!({"parent": null}));
    assert_eq!(p.get("Page", b)["parent_order"], order, "the same parent again moves nothing");
    p.update("Page", b, json!({"parent": a}));
    assert_eq!(titles(&mut p, Some(a)), ["b"]);
}

#[test]
fn a_row_cannot_go_below_itself() {
    let mut p = peer(Role::Replica, 1);
    let a = page(&mut p, "a", json!(null));
    let b = page(&mut p, "b", json!(a));
    let c = page(&mut p, "c", json!(b));
    for (id, parent) in [(a, json!(c)), (a, json!(a)), (a, json!(RowId::from_bytes([9; 16])))] {
        let args = json!({"entity": "Page", "id": id, "patch": {"parent": parent}});
        assert_eq!(p.fails("update", args), Code::InvalidData);
    }
    let stranger = json!({"entity": "Page", "id": a, "patch": {"parent": {"parent": null, "after": c}}});
    assert_eq!(p.fails("update", stranger), Code::InvalidData);
}

#[test]
fn what_hangs_below_a_trashed_row_is_in_the_trash() {
    let mut p = peer(Role::Replica, 1);
    let a = page(&mut p, "a", json!(null));
    let b = page(&mut p, "b", json!(a));
    let c = page(&mut p, "c", json!(b));
    p.call("delete", json!({"entity": "Page", "id": a})).unwrap();
    assert_eq!(p.call("list", json!({"entity": "Page"})).unwrap(), json!([]));
    assert_eq!(p.get("Page", c)["deleted_at"], json!(null), "only the row itself is marked");
    let late = page(&mut p, "late", json!(c));
    p.update("Page", b, json!({"parent": null}));
    assert_eq!(titles(&mut p, None), ["b"]);
    assert_eq!(titles(&mut p, Some(c)), ["late"]);
    p.update("Page", c, json!({"parent": a}));
    assert_eq!(titles(&mut p, Some(c)), Vec::<String>::new());
    p.call("restore", json!({"entity": "Page", "id": a})).unwrap();
    assert_eq!(titles(&mut p, Some(c)), ["late"]);
    assert_eq!(p.get("Page", late)["parent"], json!(c));
}

#[test]
fn crossing_moves_lose_nobody() {
    let mut server = peer(Role::Server, 9);
    let mut peers = vec![peer(Role::Replica, 1), peer(Role::Replica, 2), peer(Role::Replica, 3)];
    let ids: Vec<RowId> = (0..6).map(|n| page(&mut peers[0], &n.to_string(), json!(null))).collect();
    sync(&mut peers, &mut server);
    // 0 under 1, 1 under 2, 2 under 0: a cycle over three devices; and 3 <-> 4 over two.
    for (peer, row, parent) in [(0, 0, 1), (1, 1, 2), (2, 2, 0), (0, 3, 4), (1, 4, 3), (2, 5, 3)] {
        peers[peer].update("Page", ids[row], json!({"parent": ids[parent]}));
    }
    sync(&mut peers, &mut server);
    let expected = server.rows("Page");
    for p in &mut peers {
        assert_eq!(p.rows("Page"), expected);
    }
    let mut reached: Vec<RowId> = outline(&mut server).into_iter().map(|(_, id)| id).collect();
    reached.sort_unstable();
    let mut all = ids.clone();
    all.sort_unstable();
    assert_eq!(reached, all, "every row is reachable, once");
    // Taking one edge of the cycle away shows the others as they were written.
    peers[0].update("Page", ids[0], json!({"parent": null}));
    sync(&mut peers, &mut server);
    for p in &mut peers {
        assert_eq!(p.get("Page", ids[1])["parent"], json!(ids[2]));
        assert_eq!(p.get("Page", ids[2])["parent"], json!(ids[0]));
    }
}

/// Three devices, offline in turns of many moves whose edges, put together, run in circles.
struct Circles {
    server: Peer,
    peers: Vec<Peer>,
    ids: Vec<RowId>,
    random: SeededRandom,
    /// Moves that the others undid: the edge at which a circle was cut.
    cut: usize,
}

impl Circles {
    fn new(seed: u64) -> Self {
        let mut peers: Vec<Peer> = (1..4).map(|n| peer(Role::Replica, 10 * seed + n)).collect();
        let mut server = peer(Role::Server, 10 * seed);
        let ids = (0..12).map(|n| page(&mut peers[0], &n.to_string(), json!(null))).collect();
        sync(&mut peers, &mut server);
        Self { server, peers, ids, random: SeededRandom::new(seed), cut: 0 }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.u64() % bound as u64).unwrap()
    }

    /// Moves one row on one device; what closes a circle on that device alone is refused there.
    fn moves(&mut self, peer: usize, row: RowId, place: &Json) -> bool {
        let args = json!({"entity": "Page", "id": row, "patch": {"parent": place}});
        match self.peers[peer].call("update", args) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.code, Code::InvalidData, "{error}");
                false
            }
        }
    }

    /// Each row below the next one, around in circles of two to six, and no device makes all moves of one.
    fn turn(&mut self) {
        let mut rows = self.ids.clone();
        for at in (1..rows.len()).rev() {
            let other = self.below(at + 1);
            rows.swap(at, other);
        }
        let mut moved = Vec::new();
        let mut rest = rows.as_slice();
        while rest.len() > 1 {
            let length = (2 + self.below(5)).min(rest.len());
            let (circle, others) = rest.split_at(length);
            rest = others;
            let first = self.below(3);
            for (at, row) in circle.iter().enumerate() {
                let next = circle[(at + 1) % length];
                if self.moves((first + at) % 3, *row, &json!(next)) {
                    moved.push((*row, next));
                }
            }
        }
        // Some go beside others meanwhile, wherever those are.
        for peer in 0..3 {
            let (row, beside) = (self.below(12), self.below(12));
            let beside = self.ids[beside];
            let parent = self.peers[peer].get("Page", beside)["parent"].clone();
            let side = ["before", "after"][self.below(2)];
            if self.ids[row] != beside {
                self.moves(peer, self.ids[row], &json!({"parent": parent, side: beside}));
            }
        }
        self.meet();
        for (row, parent) in moved {
            if self.peers[0].get("Page", row)["parent"] != json!(parent) {
                self.cut += 1;
            }
        }
    }

    /// The devices sync, another one first each time; then all see one tree.
    fn meet(&mut self) -> Vec<(usize, RowId)> {
        self.peers.rotate_left(1);
        sync(&mut self.peers, &mut self.server);
        let expected = outline(&mut self.server);
        let rows = self.server.rows("Page");
        for peer in &mut self.peers {
            assert_eq!(outline(peer), expected);
            assert_eq!(peer.rows("Page"), rows);
        }
        expected
    }

    fn everybody_is_there(&mut self) {
        let mut reached: Vec<RowId> = self.meet().into_iter().map(|(_, id)| id).collect();
        reached.sort_unstable();
        let mut all = self.ids.clone();
        all.sort_unstable();
        assert_eq!(reached, all, "every row is reachable, once");
    }
}

#[test]
fn moves_in_circles_end_in_one_tree_with_everybody_in_it() {
    let mut cut = 0;
    for seed in 0..8 {
        let mut world = Circles::new(seed);
        for round in 0..6 {
            world.turn();
            world.everybody_is_there();
            // What is thrown away comes back with all that others moved into it meanwhile.
            let (row, peer) = (world.below(12), world.below(3));
            let id = world.ids[row];
            world.peers[peer].call("delete", json!({"entity": "Page", "id": id})).unwrap();
            if round % 2 == 0 {
                world.turn();
            }
            world.peers[peer].call("restore", json!({"entity": "Page", "id": id})).unwrap();
            world.everybody_is_there();
        }
        cut += world.cut;
    }
    assert!(cut > 100, "only {cut} moves were cut off a circle");
}
