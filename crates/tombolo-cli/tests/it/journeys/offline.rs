//! Both sides work while the server is away.

use crate::world::{Client, World, all, sorted};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

/// From the server's first line to the welcome: the longest pause between two attempts, and some.
const WELCOME: Duration = Duration::from_secs(35);
/// From the welcome to equal rows.
const EQUAL: Duration = Duration::from_secs(2);

/// Works without a server: 100 new pages, 100 edits of old and new ones, 100 more operations that delete and restore.
fn work(client: &mut Client, who: &str, shared: &[String]) {
    let ids: Vec<String> =
        (0..100).map(|n| client.insert(&json!({"title": format!("{who} {n}"), "stars": n}))).collect();
    for n in 0..100 {
        match n % 2 {
            0 => {
                let id = &shared[n / 2 % shared.len()];
                let title = client.call("get_by_id", &json!({"entity": "Page", "id": id}))["title"].clone();
                let title = format!("{} {who}{n}", title.as_str().unwrap());
                client.update(id, &json!({"title": title, "stars": n}));
            }
            _ => client.update(
                &ids[n],
                &json!({"title": format!("{who} edited {n}"), "body": {"markdown": "- a\n- b"}}),
            ),
        }
    }
    for id in ids.iter().take(60) {
        client.call("delete", &json!({"entity": "Page", "id": id}));
    }
    for id in ids.iter().take(40) {
        client.call("restore", &json!({"entity": "Page", "id": id}));
    }
}

/// When the server said welcome: the first status after connecting.
fn welcomed(client: &mut Client) -> Instant {
    client.status(|status| status["state"] == "sending" || status["state"] == "saved").0
}

fn until_equal(a: &mut Client, b: &mut Client, until: Instant) -> Vec<Json> {
    loop {
        let (of_a, of_b) = (a.rows(), b.rows());
        if of_a == of_b {
            return of_a;
        }
        assert!(Instant::now() < until, "{} and {} rows, which differ", of_a.len(), of_b.len());
        a.anything();
    }
}

#[test]
fn two_devices_that_worked_without_the_server_are_equal_when_it_is_back() {
    let world = World::new();
    let server = world.serve("server", "127.0.0.1:0");
    let url = server.url.clone();
    let (ann, bob) = (world.token("server", "ann"), world.token("server", "bob"));
    let mut a = world.client("a", Some((&url, &ann)));
    let mut b = world.client("b", Some((&url, &bob)));
    let shared: Vec<String> = (0..10).map(|n| a.insert(&json!({"title": format!("shared {n}")}))).collect();
    while b.rows().len() < shared.len() {
        b.anything();
    }
    a.saved();
    let address = server.stop();
    a.status(|status| status["state"] == "offline");
    b.status(|status| status["state"] == "offline");

    work(&mut a, "A", &shared);
    work(&mut b, "B", &shared);
    let waiting = b.rows();
    b.kill();
    let mut b = world.client("b", Some((&url, &bob)));
    assert_eq!(b.rows(), waiting, "what was answered before the kill is there");

    let server = world.serve("server", &address);
    let listening = Instant::now();
    let welcome = welcomed(&mut a).max(welcomed(&mut b));
    assert!(welcome.saturating_duration_since(listening) < WELCOME);
    let rows = until_equal(&mut a, &mut b, welcome + EQUAL);
    a.saved();
    b.saved();
    assert_eq!(rows.len(), 210);
    for row in rows.iter().filter(|row| row["title"].as_str().unwrap().starts_with("shared")) {
        let title = row["title"].as_str().unwrap();
        assert!(title.contains(" A") && title.contains(" B"), "both edits are in {title}");
    }
    a.close();
    b.close();
    server.stop();
    let [here, gone] = all()
        .map(|filter| world.call("server", "query_filtered", &json!({"entity": "Page", "filter": filter})));
    assert_eq!(sorted(&here, &gone), rows, "the server has the same");
}
