//! `docs/errors.md` is written from the table of codes.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use tombolo_core::{Code, Retry};

fn page() -> String {
    let mut page = String::from(
        "# Error codes\n\nEvery edge answers an error as `{code, message, details}`. Branch on the code; the message is \
         for people, the details name the place. Codes are only ever added.\n\nThis page is generated: run \
         `TOMBOLO_UPDATE=1 cargo test -p tombolo-core --test errors` after a change.\n\n\
         | code | HTTP | try again | meaning |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let retry = match code.retry() {
            Retry::Never => "no",
            Retry::AfterDelay => "after a while",
            Retry::AfterRejoin => "after signing in",
        };
        writeln!(page, "| `{code}` | {} | {retry} | {} |", code.http_status(), code.meaning()).unwrap();
    }
    page
}

#[test]
fn the_page_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    if std::env::var_os("TOMBOLO_UPDATE").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), page());
}
