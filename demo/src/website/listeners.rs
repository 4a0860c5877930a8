//! Which browsers listen, and how they learn that there is something to see.
//!
//! A listener holds no events: it is told that something changed, and reads what from the file. So a browser
//! that takes nothing costs a place and no more. Places are bounded, and free again when a stream ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::identity::Customer;

/// The streams that are open.
#[derive(Debug)]
pub(super) struct Listeners {
    most: usize,
    most_each: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    count: usize,
    customers: HashMap<Customer, Listening>,
}

#[derive(Debug)]
struct Listening {
    count: usize,
    changed: watch::Sender<()>,
}

/// No place for one more stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMany {
    /// Of this customer.
    Here,
    /// Of all.
    Everywhere,
}

/// One stream's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Listener {
    listeners: Arc<Listeners>,
    customer: Customer,
    changed: watch::Receiver<()>,
}

impl Listeners {
    /// Room for so many streams, and so many of one customer.
    pub(super) fn new(most: usize, most_each: usize) -> Self {
        Self {
            most,
            most_each,
            open: Mutex::default(),
        }
    }

    /// A place for one more.
    pub(super) fn listen(self: &Arc<Self>, customer: &Customer) -> Result<Listener, TooMany> {
        let mut open = self.open();
        if open.count >= self.most {
            return Err(TooMany::Everywhere);
        }
        let listening = open
            .customers
            .entry(customer.clone())
            .or_insert_with(|| Listening {
                count: 0,
                changed: watch::Sender::new(()),
            });
        if listening.count >= self.most_each {
            return Err(TooMany::Here);
        }
        listening.count += 1;
        let changed = listening.changed.subscribe();
        open.count += 1;
        Ok(Listener {
            listeners: Arc::clone(self),
            customer: customer.clone(),
            changed,
        })
    }

    /// Something of this customer changed.
    pub(super) fn wake(&self, customer: &Customer) {
        if let Some(listening) = self.open().customers.get(customer) {
            listening.changed.send_replace(());
        }
    }

    /// How many streams are open.
    pub(super) fn count(&self) -> usize {
        self.open().count
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// Whose it is.
    pub(super) fn customer(&self) -> &Customer {
        &self.customer
    }

    /// Comes back once something changed since the last time.
    pub(super) async fn changed(&mut self) {
        // The sender is there for as long as this place is.
        let _ = self.changed.changed().await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut open = self.listeners.open();
        open.count -= 1;
        if let Some(listening) = open.customers.get_mut(&self.customer) {
            listening.count -= 1;
            if listening.count == 0 {
                open.customers.remove(&self.customer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Customer, Listeners, TooMany};

    #[test]
    fn places_are_bounded_for_each_and_for_all_and_free_again_when_a_stream_ends() {
        let listeners = Arc::new(Listeners::new(3, 2));
        let (ada, bob) = (Customer::named("ada"), Customer::named("bob"));
        let first = listeners.listen(&ada).unwrap();
        let second = listeners.listen(&ada).unwrap();
        assert_eq!(listeners.listen(&ada).unwrap_err(), TooMany::Here);
        let third = listeners.listen(&bob).unwrap();
        assert_eq!(listeners.listen(&bob).unwrap_err(), TooMany::Everywhere);
        drop(second);
        assert_eq!(listeners.count(), 2);
        listeners.listen(&bob).unwrap();
        drop((first, third));
        assert_eq!(listeners.count(), 0);
        assert!(listeners.open().customers.is_empty());
    }

    #[tokio::test]
    async fn a_change_between_two_looks_is_not_missed_and_wakes_nobody_else() {
        let listeners = Arc::new(Listeners::new(3, 2));
        let mut ada = listeners.listen(&Customer::named("ada")).unwrap();
        let bob = listeners.listen(&Customer::named("bob")).unwrap();
        listeners.wake(&Customer::named("ada"));
        listeners.wake(&Customer::named("ada"));
        listeners.wake(&Customer::named("nobody"));
        ada.changed().await;
        assert!(!ada.changed.has_changed().unwrap());
        assert!(!bob.changed.has_changed().unwrap());
    }
}
