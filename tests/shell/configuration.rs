use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;

/// Every permission that any window may have. A new one is a decision: say in the commit why the page needs it.
const ALLOWED: &[&str] = &[
    "tombolo:default",
    "tombolo:sync",
    "allow-settings",
    "allow-set-settings",
    "allow-open-page-window",
    "allow-open-external",
];

/// What the page may load and run. Loosening it needs an entry in `docs/adr`.
const POLICY: &[(&str, &str)] = &[
    ("default-src", "'self'"),
    ("style-src", "'self'"),
    ("script-src", "'self' 'wasm-unsafe-eval'"),
    ("connect-src", "'self' ipc: http://ipc.localhost"),
    ("img-src", "'self' asset: http://asset.localhost data: blob:"),
    ("object-src", "'none'"),
    ("base-uri", "'none'"),
    ("frame-ancestors", "'none'"),
];

#[test]
fn capabilities_grant_only_what_is_on_the_list() {
    let mut granted = BTreeSet::new();
    for entry in fs::read_dir(root().join("capabilities")).unwrap() {
        let path = entry.unwrap().path();
        let capability = read(&path);
        assert!(capability.get("remote").is_none(), "{} opens commands to the web", path.display());
        for permission in capability["permissions"].as_array().unwrap() {
            // A scoped permission is an object with the identifier inside.
            let identifier = permission.as_str().or_else(|| permission["identifier"].as_str()).unwrap();
            granted.insert(identifier.to_owned());
        }
    }
    let allowed: BTreeSet<_> = ALLOWED.iter().map(|identifier| (*identifier).to_owned()).collect();
    assert_eq!(granted, allowed);
}

#[test]
fn only_capabilities_from_their_folder_are_in_force() {
    let named = read(&root().join("tauri.conf.json"))["app"]["security"]["capabilities"].clone();
    for capability in named.as_array().unwrap() {
        assert!(capability.is_string(), "a capability belongs into capabilities/, not inline: {capability}");
    }
}

#[test]
fn the_content_security_policy_is_strict() {
    let context = tombolo_desktop::context::<tauri::test::MockRuntime>();
    let policy = context.config().app.security.csp.as_ref().unwrap().to_string();
    let directives: Vec<_> =
        policy.split(';').map(|directive| directive.trim().split_once(' ').unwrap()).collect();
    assert_eq!(directives, POLICY);
    assert!(context.config().app.security.dev_csp.is_none());
    assert!(!context.config().app.with_global_tauri, "scripts reach commands by import only");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &std::path::Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
