//! The website, as a browser and a Broker see it.

/// What a customer can do, and when.
mod acts;
/// A browser, its cookie and its streams.
pub(crate) mod browser;
/// Two addresses: what browsers reach, and what the Broker does.
mod doors;
/// The page, its headers, and who may ask for what.
mod page;
/// What events make of a session, in any order and any number of times.
mod sessions;
/// What a browser sees as it happens.
mod streams;
/// A whole sale, by a browser and all services.
mod whole;
/// A website with limits of its own, in the test's process.
mod within;
