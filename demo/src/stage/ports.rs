//! Ports of 127.0.0.1: the wished one where it is free, else another.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Chooses ports that are free now, and holds them until it is dropped, so that none is given twice.
#[derive(Debug, Default)]
pub(super) struct Ports(Vec<TcpListener>);

impl Ports {
    /// The wished port, or another where that is taken; 0 wishes for any.
    pub(super) fn choose(&mut self, wished: u16) -> io::Result<u16> {
        let at = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let listener = at(wished).or_else(|_| at(0))?;
        let port = listener.local_addr()?.port();
        self.0.push(listener);
        Ok(port)
    }
}
