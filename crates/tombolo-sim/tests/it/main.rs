//! Seeded worlds, and the defects that they are known to find.

#![allow(clippy::unwrap_used)]

mod devices;
mod sabotage;
mod seeds;

use tombolo_core::Manifest;

/// Everything that a manifest of this version can say, in two shared entities and a local one.
const MANIFEST: &str = r#"{"manifest_version":1,"name":"sim","version":1,"entities":[
  {"name":"Page","fields":[
    {"name":"title","type":"string","crdt":"text"},
    {"name":"slug","type":"string","optional":true,"unique":true},
    {"name":"stars","type":"int","default":0},
    {"name":"parent","type":"id(Page)","optional":true},
    {"name":"body","type":"richtext","optional":true}],
   "relations":[{"name":"parent","target":"Page","field":"parent","tree":true}]},
  {"name":"Task","fields":[
    {"name":"label","type":"string","max_length":5},
    {"name":"note","type":"string","crdt":"text","optional":true,"max_length":24},
    {"name":"size","type":"float","optional":true},
    {"name":"done","type":"bool","default":false},
    {"name":"due","type":"datetime","optional":true},
    {"name":"state","type":"enum","values":["todo","done"],"default":"todo"},
    {"name":"blob","type":"bytes","optional":true},
    {"name":"page","type":"id(Page)","optional":true}]},
  {"name":"Setting","local":true,"fields":[{"name":"value","type":"string"}]}]}"#;

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST).unwrap()
}
