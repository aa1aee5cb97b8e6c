use crate::world::{Peer, peer, sync};
use serde_json::{Value as Json, json};
use tombolo_core::{Code, RowId};
use tombolo_store::Role;

fn titles(p: &mut Peer, parent: Option<RowId>) -> Vec<String> {
    let filter = json!({"parent": parent, "$order": {"parent_order": "asc"}});
    let rows = p.call("query_filtered", json!({"entity": "Page", "filter": filter})).unwrap();
    rows.as_array().unwrap().iter().map(|row| row["title"].as_str().unwrap().to_owned()).collect()
}

fn page(p: &mut Peer, title: &str, parent: Json) -> RowId {
    p.insert("Page", json!({"title": title, "parent": parent}))
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
    let mut reached = Vec::new();
    let mut open: Vec<Option<RowId>> = vec![None];
    while let Some(parent) = open.pop() {
        let rows =
            server.call("query_filtered", json!({"entity": "Page", "filter": {"parent": parent}})).unwrap();
        for row in rows.as_array().unwrap() {
            let id: RowId = row["id"].as_str().unwrap().parse().unwrap();
            reached.push(id);
            open.push(Some(id));
        }
    }
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
