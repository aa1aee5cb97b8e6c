//! Tests that need the inside of a document.

mod hostile;
mod mutants;
mod mutate;
mod peers;
mod richtext;
mod text;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::Once;

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
    static FIRST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs something that makes Loro panic on purpose, without its messages.
pub(crate) fn silently<T>(f: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| match SILENT.get() {
            true => FIRST.with_borrow_mut(|first| {
                if first.is_empty() {
                    *first = info.to_string();
                }
            }),
            false => loud(info),
        }));
    });
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            SILENT.set(false);
        }
    }
    SILENT.set(true);
    let _loud = Loud;
    f()
}

/// The message of the first silent panic on this thread since the last call; those after it are its consequences.
pub(crate) fn first_panic() -> String {
    FIRST.take()
}

/// Whether the long run is asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("TOMBOLO_LONG").is_some_and(|value| value == "1")
}

/// A folder of the real inputs; none if they are not there, which the test then says.
pub(crate) fn inputs(folder: &str) -> Option<PathBuf> {
    let Some(inputs) = std::env::var_os("TOMBOLO_INPUTS") else {
        eprintln!("skipped: TOMBOLO_INPUTS is not set");
        return None;
    };
    Some(PathBuf::from(inputs).join(folder))
}

/// Repairs the checksum of an update whose bytes were changed.
pub(crate) fn reseal(bytes: &mut [u8]) {
    let sum = xxhash_rust::xxh32::xxh32(&bytes[20..], u32::from_le_bytes(*b"LORO"));
    bytes[16..20].copy_from_slice(&sum.to_le_bytes());
}

/// The memory that this process holds, in bytes; 0 where the system does not tell.
pub(crate) fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}
