//! What users go through: offline work, kills, refusals, moves and hostile peers.

mod faults;
mod folders;
mod hostile;
mod offline;
