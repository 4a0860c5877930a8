//! The crowd as a program, at a shop that does what a scenario needs: that what is wrong is found.
//! At the real one it is `make crowd-test`.

mod shop;

/// What is right, and each thing that can be wrong.
mod findings;
