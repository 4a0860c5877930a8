//! Development tools around the bridge.
fn main() {}
