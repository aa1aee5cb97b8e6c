//! Folders that meet a server late, are copied, or meet the wrong one.

use crate::world::{Client, World, copy};
use serde_json::json;

fn until_equal(clients: &mut [Client], rows: usize) {
    loop {
        let all: Vec<_> = clients.iter_mut().map(Client::rows).collect();
        if all[0].len() == rows && all.iter().all(|rows| *rows == all[0]) {
            return;
        }
        clients[0].anything();
    }
}

#[test]
fn folders_that_had_pages_before_they_met_become_one() {
    let world = World::new();
    for (folder, pages) in [("a", 7), ("b", 5)] {
        let mut client = world.client(folder, None);
        for n in 0..pages {
            client.insert(&json!({"title": format!("{folder} {n}"), "body": {"markdown": "> before"}}));
        }
        client.close();
    }
    let server = world.serve("server", "127.0.0.1:0");
    let tokens = [world.token("server", "ann"), world.token("server", "bob")];
    let client = |folder, token: &String| world.client(folder, Some((&server.url, token)));
    let mut clients = [client("a", &tokens[0]), client("b", &tokens[1])];
    until_equal(&mut clients, 12);
    for client in &mut clients {
        client.saved();
    }
}

#[test]
fn a_stale_copy_of_a_folder_beside_the_original_does_not_diverge() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    let ann = world.token("server", "ann");
    let mut a = world.client("a", Some((&server.url, &ann)));
    let id = a.insert(&json!({"title": "base"}));
    a.saved();
    a.close();
    let mut a = world.client("a", None);
    a.update(&id, &json!({"title": "base, waiting"}));
    a.close();
    copy(&world.path("a"), &world.path("copy"));
    for (n, folder) in ["a", "copy"].into_iter().enumerate() {
        let mut client = world.client(folder, None);
        for k in 0..10 {
            client.insert(&json!({"title": format!("{n} {k}")}));
            let title = client.call("get_by_id", &json!({"entity": "Page", "id": id}))["title"].clone();
            client.update(&id, &json!({"title": format!("{} {n}{k}", title.as_str().unwrap())}));
        }
        client.close();
    }
    let client = |folder| world.client(folder, Some((&server.url, &ann)));
    let mut clients = [client("a"), client("copy")];
    until_equal(&mut clients, 21);
    let title = clients[0].call("get_by_id", &json!({"entity": "Page", "id": id}))["title"].clone();
    let title = title.as_str().unwrap();
    assert_eq!(title.matches("waiting").count(), 1, "{title}");
    for (n, k) in (0..2).flat_map(|n| (0..10).map(move |k| (n, k))) {
        assert!(title.contains(&format!("{n}{k}")), "{n}{k} is not in {title}");
    }
    for client in &mut clients {
        client.saved();
        assert_eq!(client.call("drafts", &json!({})), json!([]));
    }
}

#[test]
fn a_folder_stays_with_its_server() {
    let world = World::new();
    let first = world.serve("first", "127.0.0.1:0");
    let second = world.serve("second", "127.0.0.1:0");
    let (here, there) = (world.token("first", "ann"), world.token("second", "ann"));
    let mut a = world.client("a", Some((&first.url, &here)));
    a.insert(&json!({"title": "mine"}));
    a.saved();
    let before = a.rows();
    a.close();

    let mut a = world.client("a", Some((&second.url, &there)));
    let (_, status) = a.status(|status| status["state"] == "refused");
    assert_eq!(status["code"], "CONFLICT");
    assert_eq!(a.rows(), before);
    a.insert(&json!({"title": "written meanwhile"}));
    a.close();

    let mut a = world.client("a", Some((&first.url, &here)));
    a.saved();
    assert_eq!(a.rows().len(), 2);
    a.close();
    second.stop();
    first.stop();
    let pages = |folder| world.call(folder, "list", &json!({"entity": "Page"})).as_array().unwrap().len();
    assert_eq!((pages("first"), pages("second")), (2, 0), "nothing went to the other one");
}

#[test]
fn a_folder_stays_with_its_account() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    let (ann, bob) = (world.token("server", "ann"), world.token("server", "bob"));
    let mut a = world.client("a", Some((&server.url, &ann)));
    a.saved();
    a.close();
    let mut a = world.client("a", Some((&server.url, &bob)));
    let (_, status) = a.status(|status| status["state"] == "refused");
    assert_eq!(status["code"], "CONFLICT");
    a.close();
}

#[test]
fn a_devices_folder_is_no_servers() {
    let world = World::new();
    world.client("device", None).close();
    let output = crate::world::run(["serve", "--data", &world.text("device"), "--listen", "127.0.0.1:0"]);
    assert_eq!(crate::world::error(&output)["code"], "CONFLICT");
    world.serve("server", "127.0.0.1:0").stop();
    let output = crate::world::run(["client", "--stdio", "--data", &world.text("server")]);
    assert_eq!(crate::world::error(&output)["code"], "CONFLICT");
}
