//! The face for people who bring a manifest of their own.

use crate::manifest;
use serde_json::json;
use tombolo_core::Code;
use tombolo_sim::{Config, Storage, World};

fn title(world: &mut World, replica: usize, id: &serde_json::Value) -> serde_json::Value {
    world.replica(replica).call("get_by_id", json!({"entity": "Page", "id": id})).unwrap()["title"].clone()
}

#[test]
fn what_is_written_apart_comes_together() {
    for storage in [Storage::Memory, Storage::File] {
        let config = Config { replicas: 3, storage, ..Config::default() };
        let mut world = World::with(1, &manifest(), config).unwrap();
        let insert = json!({"entity": "Page", "data": {"title": "one"}});
        let id = world.replica(0).call("insert", insert).unwrap()["id"].clone();
        world.run(5_000);
        assert_eq!(title(&mut world, 2, &id), "one");
        world.partition(2);
        let update = |title: &str| json!({"entity": "Page", "id": id, "patch": {"title": title}});
        world.replica(2).call("update", update("one, two")).unwrap();
        world.server().call("update", update("zero, one")).unwrap();
        world.run(100_000);
        assert_eq!(title(&mut world, 1, &id), "zero, one");
        assert_eq!(title(&mut world, 2, &id), "one, two");
        world.replica(2).restart().unwrap();
        world.server().restart().unwrap();
        world.check().unwrap();
        for replica in 0..3 {
            assert_eq!(title(&mut world, replica, &id), "zero, one, two");
        }
    }
}

#[test]
fn a_refusal_is_a_draft_and_no_loss() {
    let mut world = World::new(2, &manifest()).unwrap();
    world.partition(1);
    for replica in 0..2 {
        let insert = json!({"entity": "Page", "data": {"title": "page", "slug": "same"}});
        world.replica(replica).call("insert", insert).unwrap();
    }
    world.run(3_000);
    world.check().unwrap();
    let drafts = world.replica(1).call("drafts", json!({})).unwrap();
    assert_eq!(drafts[0]["code"], "UNIQUE_VIOLATION");
    assert_eq!(world.seen().rejections, 1);
    assert!(world.trace().contains("is refused"));
}

#[test]
fn an_error_is_the_callers_own() {
    let mut world = World::new(3, &manifest()).unwrap();
    let wrong = json!({"entity": "Page", "data": {"nope": 1}});
    assert_eq!(world.replica(0).call("insert", wrong).unwrap_err().code, Code::FieldNotFound);
    world.check().unwrap();
}
