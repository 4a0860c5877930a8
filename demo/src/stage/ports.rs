//! Ports of 127.0.0.1: the wished one where it is free, else another.

use std::fs::{DirBuilder, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// In the folder of temporary files: a file for each wished port, locked by the stage that has it.
const LOCKS: &str = "stage-ports";

/// Chooses ports that are free now.
///
/// Until it is dropped they are bound, so that none is given twice. What keeps another stage from a port whose
/// program has not bound it yet, or is started again, are the locks, which last as long as this process.
#[derive(Debug, Default)]
pub(super) struct Ports {
    bound: Vec<TcpListener>,
    locks: Vec<File>,
}

impl Ports {
    /// The wished port, or another where that is taken; 0 wishes for any.
    pub(super) fn choose(&mut self, wished: u16) -> io::Result<u16> {
        let at = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let listener = if wished != 0 && self.lock(wished) {
            at(wished).or_else(|_| at(0))?
        } else {
            at(0)?
        };
        let port = listener.local_addr()?.port();
        self.bound.push(listener);
        Ok(port)
    }

    /// Lets the programs bind what was chosen for them; the locks are kept by whoever keeps what is returned.
    pub(super) fn free(self) -> Locks {
        Locks(self.locks)
    }

    /// Whether no other stage has this port.
    fn lock(&mut self, port: u16) -> bool {
        let folder = std::env::temp_dir().join(LOCKS);
        match lock(&folder, port) {
            Ok(Some(lock)) => {
                self.locks.push(lock);
                true
            }
            Ok(None) => false,
            // Another user's folder, or no place: it goes without.
            Err(_) => true,
        }
    }
}

/// Keeps other stages from the wished ports.
#[derive(Debug)]
pub(super) struct Locks(#[expect(dead_code, reason = "held until it is dropped")] Vec<File>);

fn lock(folder: &Path, port: u16) -> io::Result<Option<File>> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let file = File::create(folder.join(port.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}
