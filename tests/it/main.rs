//! Scenarios through the wire that need no other toolchain. Each module says what belongs there.

#[path = "dependencies.rs"]
mod dependencies;
#[path = "layout.rs"]
mod layout;
