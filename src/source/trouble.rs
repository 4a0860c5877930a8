//! Why no events go to the destination that all jobs share.

use std::fmt;

/// Why no events go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer, or not with an answer to the event; with what it last said.
    Away(String),
    /// There is no token to send with, and it asks for one; with what is waited for.
    NoToken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(said) => f.write_str(said),
            Self::NoToken(why) => f.write_str(why),
        }
    }
}
