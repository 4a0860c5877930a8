//! Which events were turned away for want of capacity, and how often.
//!
//! A Broker has a number of tries for each event. Without this memory who comes again stands behind who
//! comes for the first time, and while there are too many the one with bad luck ten times is a dead letter.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many events are remembered, at 8 bytes each; where two share a slot, the one that was turned away more
/// often keeps it.
const SLOTS: usize = 16_384;

/// A memory of bounded size: what it forgets loses its precedence, and nothing else.
#[derive(Debug, Default)]
pub(super) struct TurnedAway {
    hasher: RandomState,
    /// Slots in use. While it is 0, and mostly it is, nobody takes the lock.
    used: AtomicUsize,
    slots: Mutex<Vec<Slot>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    mark: u32,
    times: u32,
}

impl TurnedAway {
    /// How often this event was turned away.
    pub(super) fn times(&self, message_id: &str) -> u32 {
        if self.used.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let (place, mark) = self.place(message_id);
        match self.slots().get(place) {
            Some(slot) if slot.mark == mark => slot.times,
            Some(_) | None => 0,
        }
    }

    /// It was turned away once more.
    pub(super) fn again(&self, message_id: &str) {
        let (place, mark) = self.place(message_id);
        let mut slots = self.slots();
        if slots.is_empty() {
            slots.resize(SLOTS, Slot::default());
        }
        let Some(slot) = slots.get_mut(place) else {
            return;
        };
        if slot.times == 0 {
            self.used.fetch_add(1, Ordering::Relaxed);
        }
        if slot.mark == mark {
            slot.times = slot.times.saturating_add(1);
        } else if slot.times <= 1 {
            *slot = Slot { mark, times: 1 };
        } else {
            // It may never come again; then the next one gets the slot.
            slot.times -= 1;
        }
    }

    /// It got through, or never will.
    pub(super) fn no_more(&self, message_id: &str) {
        let (place, mark) = self.place(message_id);
        if let Some(slot) = self.slots().get_mut(place)
            && slot.mark == mark
            && slot.times > 0
        {
            *slot = Slot::default();
            self.used.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn place(&self, message_id: &str) -> (usize, u32) {
        let hash = self.hasher.hash_one(message_id);
        // Different bits for each, so that events which share a slot differ in their marks.
        (hash as usize % SLOTS, (hash >> 32) as u32)
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_known_until_it_got_through() {
        let turned_away = TurnedAway::default();
        assert_eq!(turned_away.times("a"), 0);
        turned_away.again("a");
        turned_away.again("a");
        turned_away.again("b");
        assert_eq!((turned_away.times("a"), turned_away.times("b")), (2, 1));
        turned_away.no_more("a");
        turned_away.no_more("a");
        assert_eq!((turned_away.times("a"), turned_away.times("b")), (0, 1));
        turned_away.no_more("b");
        assert_eq!(turned_away.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_crowd_takes_no_more_memory_and_who_was_turned_away_often_is_not_forgotten_for_it() {
        let turned_away = TurnedAway::default();
        for _ in 0..100 {
            turned_away.again("often");
        }
        for number in 0..4 * SLOTS {
            turned_away.again(&number.to_string());
        }
        assert!(turned_away.times("often") > 50);
        assert_eq!(turned_away.slots().len(), SLOTS);
        assert!(turned_away.used.load(Ordering::Relaxed) <= SLOTS);
    }
}
