//! One person typing into one store.

use crate::recording::{Recording, typed};
use crate::store;
use std::sync::mpsc::channel;
use tombolo_core::PeerId;
use tombolo_crdt::Doc;
use tombolo_store::{DataStore as _, Role};

fn replay(name: &str) {
    let Some(recording) = Recording::read(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (store, held) = store::open(folder.path(), Role::Replica);
    let mut editor = Doc::new(PeerId(2));
    let (sender, answers) = channel();
    let mut submitted = 0;
    for patch in recording.txns.iter().flat_map(|txn| &txn.patches) {
        let update = typed(&mut editor, std::slice::from_ref(patch));
        let sender = sender.clone();
        let done = move |answer: tombolo_core::Result<_>| sender.send(answer.map(drop)).unwrap_or_default();
        store.submit(store::apply(update), Box::new(done));
        submitted += 1;
    }
    drop(sender);
    let durable = answers.into_iter().map(Result::unwrap).count();
    assert_eq!(durable, submitted);
    store::check(&recording, name, &store, folder.path());
    drop(store);
    drop(held);
    let (store, _held) = store::open(folder.path(), Role::Replica);
    store::check(&recording, &format!("{name}, opened again"), &store, folder.path());
}

#[test]
fn a_component_is_typed() {
    replay("sveltecomponent");
}

#[test]
fn a_module_is_typed() {
    replay("rustcode");
}
