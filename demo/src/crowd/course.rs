//! All customers, as time goes on: who comes, who decides, what is sent, what happens.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::customer::{Act, Customer};
use super::ledger::Ledger;
use super::names::Names;
use super::progress::Progress;
use super::receiver::Happened;
use super::sending::{Sending, Sent};

/// A crowd on its way through the sale.
#[derive(Debug)]
pub(super) struct Course {
    begun: Instant,
    customers: Vec<Customer>,
    names: Names,
    /// When those come who have not come yet.
    times: Vec<u32>,
    /// The next of them.
    next: u32,
    /// Who will do something, and when.
    thinking: BinaryHeap<Reverse<(u32, u32, Act)>>,
    /// Who would do something now, and waits for a place to send it.
    ready: VecDeque<(u32, Act)>,
    sending: Sending,
    happened: mpsc::Receiver<Happened>,
    ledger: Ledger,
    progress: Progress,
    /// By how much the last to come was late, at most.
    late_ms: u32,
    last_change: Instant,
    ended_ms: Option<u32>,
}

impl Course {
    pub(super) fn new(
        customers: Vec<Customer>,
        times: Vec<u32>,
        names: Names,
        sending: Sending,
        happened: mpsc::Receiver<Happened>,
    ) -> Self {
        let begun = Instant::now();
        Self {
            begun,
            customers,
            names,
            times,
            next: 0,
            thinking: BinaryHeap::new(),
            ready: VecDeque::new(),
            sending,
            happened,
            ledger: Ledger::default(),
            progress: Progress::default(),
            late_ms: 0,
            last_change: begun,
            ended_ms: None,
        }
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(super) fn customers(&self) -> &[Customer] {
        &self.customers
    }

    pub(super) fn late_ms(&self) -> u32 {
        self.late_ms
    }

    /// How long it took until the last customer had nothing more to wait for.
    pub(super) fn took_ms(&self) -> u32 {
        self.ended_ms.unwrap_or_else(|| self.now_ms())
    }

    /// Goes on until no customer has anything more to do or to wait for; returns `true` where nothing
    /// happened for longer than `patience` before.
    pub(super) async fn until_all_are_over(&mut self, patience: Duration) -> bool {
        while !self.are_all_over() {
            if self.last_change.elapsed() > patience {
                return true;
            }
            self.step().await;
        }
        self.ended_ms = Some(self.now_ms());
        self.progress.end();
        false
    }

    /// Goes on until something else has come to its end.
    pub(super) async fn until<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                biased;
                done = &mut other => return done,
                () = self.step() => {}
            }
        }
    }

    /// Looks at what was delivered and waits: the books may know of it already.
    pub(super) fn catch_up(&mut self) {
        while let Ok(happened) = self.happened.try_recv() {
            self.sees(happened);
        }
    }

    fn are_all_over(&self) -> bool {
        self.ledger.over() as usize == self.customers.len() && self.sending.is_empty()
    }

    /// Waits for the next thing, and has it have its effect. May be dropped at any time.
    async fn step(&mut self) {
        self.send();
        let next = self.next_due();
        let due = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(happened) = self.happened.recv() => self.sees(happened),
            sent = self.sending.next() => self.sent(sent),
            () = due => {}
            () = self.progress.tick() => {
                let arrived = self.next;
                let total = self.customers.len();
                self.progress.show(arrived, total, &self.ledger, self.begun.elapsed());
            }
        }
    }

    /// Sends what is due, as far as there are places: first what those do who have come already.
    fn send(&mut self) {
        let now = self.now_ms();
        while let Some(Reverse((at, number, act))) = self.thinking.peek().copied() {
            if at > now {
                break;
            }
            self.thinking.pop();
            self.ready.push_back((number, act));
        }
        while self.sending.has_room() {
            let (number, act) = match self.ready.pop_front() {
                Some(next) => next,
                None => match self.times.get(self.next as usize) {
                    Some(time) if *time <= now => {
                        self.late_ms = self.late_ms.max(now - time);
                        self.next += 1;
                        (self.next - 1, Act::Join)
                    }
                    Some(_) | None => return,
                },
            };
            let Some(customer) = self.customers.get_mut(number as usize) else {
                continue;
            };
            if !self.ledger.begins(customer, act, now) {
                continue;
            }
            match self.names.message(number, customer, act) {
                Ok(message) => self.sending.begin(number, act, message),
                Err(reason) => self.ledger.refused(reason),
            }
        }
    }

    fn sees(&mut self, happened: Happened) {
        let now = self.now_ms();
        if let Some(customer) = self.customers.get_mut(happened.customer as usize) {
            self.last_change = Instant::now();
            let (number, act) = (happened.customer, self.ledger.sees(customer, happened, now));
            self.later(number, act);
        }
    }

    fn sent(&mut self, sent: Sent) {
        self.last_change = Instant::now();
        let now = self.now_ms();
        self.ledger.accepted(sent.took, sent.attempts);
        if let Some(reason) = sent.refused {
            self.ledger.refused(reason);
        }
        if sent.act == Act::Join
            && let Some(customer) = self.customers.get(sent.number as usize)
        {
            let act = customer.after_joining(now);
            self.later(sent.number, act);
        }
    }

    fn later(&mut self, number: u32, act: Option<(u32, Act)>) {
        if let Some((at, act)) = act {
            self.thinking.push(Reverse((at, number, act)));
        }
    }

    /// When somebody does something by time alone; not before there is a place for it.
    fn next_due(&self) -> Option<Instant> {
        if !self.sending.has_room() {
            return None;
        }
        let arrival = self.times.get(self.next as usize).copied();
        let thinking = self.thinking.peek().map(|Reverse((at, _, _))| *at);
        let next = arrival.into_iter().chain(thinking).min()?;
        Some(self.begun + Duration::from_millis(next.into()))
    }

    fn now_ms(&self) -> u32 {
        u32::try_from(self.begun.elapsed().as_millis()).unwrap_or(u32::MAX)
    }
}
