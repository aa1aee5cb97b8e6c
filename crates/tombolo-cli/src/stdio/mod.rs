//! A replica driven by JSON lines.
//!
//! Threads, and what each may wait for: the *reader* takes one request after the other and waits for the store and
//! for the output; the *writer* alone writes, and waits for whoever reads; *live* and *events* wait for the output,
//! and what they have to say is merged or dropped meanwhile. The store's own thread waits for none of them.

mod events;
mod lines;
mod live;
mod output;
mod requests;

use crate::folder;
use live::Live;
use output::Output;
use requests::Requests;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tombolo_core::Result;
use tombolo_replica::Replica;

/// How long answers may take to be read after the system has asked the process to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves standard input and output until one of them, or the system, ends it.
///
/// # Errors
/// `STORAGE_FAILED`, `STORAGE_FULL`: something that was written is not on disk. `INTERNAL` without threads.
pub(crate) fn run(runtime: &Runtime, replica: Replica) -> Result<()> {
    let stop = runtime.block_on(async { folder::asked_to_stop() })?;
    let output = Arc::new(Output::default());
    let live = Arc::new(Live::new(Arc::clone(&output)));
    let (read_all, reader_ended) = oneshot::channel::<()>();
    let (written_all, writer_ended) = oneshot::channel::<()>();
    let of_writer = Arc::clone(&output);
    let writer = thread("writer", move || {
        of_writer.write_to(std::io::stdout().lock());
        drop(written_all);
    })?;
    let (status, news) = (replica.status(), replica.news());
    let (of_events, handle) = (Arc::clone(&output), runtime.handle().clone());
    let events = thread("events", move || handle.block_on(events::forward(status, news, &of_events)))?;
    let of_live = Arc::clone(&live);
    let live_thread = thread("live", move || of_live.run())?;
    let waker = Arc::clone(&live);
    replica.store().watch(Box::new(move |_| waker.wake()));
    let requests = Requests::new(replica.store(), Arc::clone(&output), Arc::clone(&live));
    thread("reader", move || {
        lines::each(std::io::stdin().lock(), |line| requests.take(line));
        requests.finish();
        drop(read_all);
    })?;
    let asked = runtime.block_on(async {
        // The threads say so by dropping their ends.
        tokio::select! {
            _ = reader_ended => false,
            _ = writer_ended => false,
            () = stop => true,
        }
    });
    if asked {
        // Whoever asked may have stopped reading: what is on disk counts, and the threads end with the process.
        output.settle_within(PATIENCE);
        return runtime.block_on(replica.close());
    }
    live.end();
    join(live_thread);
    drop(live);
    let closed = runtime.block_on(replica.close());
    join(events);
    output.end();
    join(writer);
    closed
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<std::thread::JoinHandle<()>> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map_err(|error| folder::internal(&format!("no thread can be started: {error}")))
}

fn join(thread: std::thread::JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a thread panicked");
    }
}
