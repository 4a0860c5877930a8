//! Where a request comes in: a service that browsers reach keeps what is for the Broker and for operators on
//! another address.

use http::{HeaderMap, header};

/// Which of a service's addresses a request came to, by what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The only one: everything.
    Only,
    /// What the service shows; no events, no books.
    Front,
    /// Events, books and readiness; nothing else.
    Back,
}

impl Door {
    /// Whether events are taken here, and books shown.
    #[must_use]
    pub fn is_back(self) -> bool {
        matches!(self, Self::Only | Self::Back)
    }

    /// Whether what the service shows is here.
    #[must_use]
    pub fn is_front(self) -> bool {
        matches!(self, Self::Only | Self::Front)
    }
}

/// Whether a page sent it, as browsers say by themselves. No Broker does.
pub(super) fn is_of_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}
