//! What is true when the crowd has gone, and what should be.

use std::collections::BTreeMap;

use serde_json::Value;

use super::books::Books;
use super::course::Course;
use super::customer::{Act, Customer, Seen};
use super::faults::Fault;
use super::ledger::Step;

/// All that the report is made from.
pub(super) struct Report<'a> {
    pub(super) course: &'a Course,
    pub(super) books: &'a Books,
    pub(super) faults: &'a [Fault],
    pub(super) kills: BTreeMap<String, u32>,
    pub(super) peak: usize,
    /// Whether it was given up because nothing happened any more.
    pub(super) stuck: bool,
}

/// One thing that must be, and whether it is.
struct Rule {
    must_be: String,
    is: bool,
    found: String,
}

impl Report<'_> {
    /// Prints it; returns whether all is as it must be.
    pub(super) fn print(&self) -> bool {
        self.print_times();
        let rules = self.rules();
        println!();
        for rule in &rules {
            let mark = if rule.is { "ok  " } else { "FAIL" };
            println!("{mark}  {}: {}", rule.must_be, rule.found);
        }
        let right = rules.iter().all(|rule| rule.is);
        if !right {
            let Books {
                queue,
                tickets,
                payments,
                dead_letters,
                processes,
            } = self.books;
            println!(
                "\nThe books:\n  queue {queue}\n  tickets {tickets}\n  payments {payments}\n  dead letters {dead_letters}\n  processes {processes}"
            );
            for reason in &self.course.ledger().refused {
                println!("  the Broker refused: {reason}");
            }
        }
        right
    }

    fn print_times(&self) {
        let ledger = self.course.ledger();
        let seconds = (f64::from(self.course.took_ms()) / 1_000.0).max(0.001);
        let customers = self.course.customers().len();
        println!(
            "\n{customers} customers in {seconds:.0} s: {:.1} customers/s, {:.1} events/s sent, {:.1} events/s seen",
            customers as f64 / seconds,
            ledger.sent as f64 / seconds,
            ledger.seen as f64 / seconds,
        );
        if self.course.late_ms() > 1_000 {
            println!(
                "This machine does not sustain {} customers a second: the last to come was up to {:.0} s late. Beyond its rate\n\
                 a customer comes when there is a place for the event, not when they would (a closed loop, not an open one).",
                self.peak,
                f64::from(self.course.late_ms()) / 1_000.0
            );
        }
        for (name, times) in &self.kills {
            println!("{name} was killed {times} times.");
        }
        println!("\n     p50 ms     p99 ms    longest      count");
        for step in Step::ALL {
            if let Some(latency) = ledger.latency(step) {
                println!(
                    "{:11}{:11}{:11}{:11}  {}",
                    latency.percentile_ms(50),
                    latency.percentile_ms(99),
                    latency.max_ms(),
                    latency.count(),
                    step.words()
                );
            }
        }
        if let Some(step) = self.bottleneck() {
            println!("The bottleneck: {}.", step.words());
        }
    }

    /// Where an event waits the longest, on average. That customers stand in line is what a line is for.
    fn bottleneck(&self) -> Option<Step> {
        let mean = |step: &Step| self.course.ledger().latency(*step).map(|it| it.mean_ms());
        let steps = Step::ALL.into_iter().filter(|step| *step != Step::Line);
        steps.max_by_key(|step| mean(step).unwrap_or(0))
    }

    fn rules(&self) -> Vec<Rule> {
        let Books {
            queue,
            tickets,
            payments,
            dead_letters,
            processes,
        } = self.books;
        let customers = self.course.customers();
        let count = |what: &dyn Fn(&Customer) -> bool| {
            customers.iter().filter(|it| what(it)).count() as u64
        };
        let emitted = |it: &Customer| it.has_seen(Seen::Emitted);
        let sold = count(&emitted);
        let joined = count(&|it| it.has_done(Act::Join));
        let tickets_sold: u64 = customers
            .iter()
            .filter(|it| emitted(it))
            .map(|it| u64::from(it.tickets()))
            .sum();
        let not_over = count(&|it| !it.is_over());
        let mut rules = vec![
            none("customers who wait for ever", not_over),
            Rule {
                must_be: "it goes on until the end".to_owned(),
                is: !self.stuck,
                found: if self.stuck {
                    "nothing happened any more"
                } else {
                    "it did"
                }
                .to_owned(),
            },
            equal(
                "sold = emitted = paid",
                &[
                    ("customers who have tickets", sold),
                    ("emitted by the office", number(&tickets["emitted"])),
                    ("charged by the cashier", number(&payments["authorized"])),
                ],
            ),
            equal(
                "every ticket is a seat",
                &[
                    ("tickets that customers have", tickets_sold),
                    ("sold by the office", number(&tickets["ticketsSold"])),
                    (
                        "seats that are taken",
                        number(&tickets["stock"]).saturating_sub(number(&tickets["free"])),
                    ),
                ],
            ),
            equal(
                "every cent is paid",
                &[
                    ("the office", number(&tickets["amountSold"])),
                    ("the cashier", number(&payments["amountCharged"])),
                ],
            ),
            none(
                "charged without tickets",
                count(&|it| it.is_charged() && !emitted(it)),
            ),
            none(
                "tickets without a charge",
                count(&|it| emitted(it) && !it.is_charged()),
            ),
            none(
                "both emitted and released",
                count(&|it| emitted(it) && it.has_seen(Seen::Released)),
            ),
            none(
                "let in out of turn, by the queue's books",
                number(&queue["outOfTurn"]),
            ),
            none(
                "let in out of turn, by what customers were told",
                self.course.ledger().out_of_turn(),
            ),
            none(
                "left in the line or in the shop",
                number(&queue["waiting"]) + number(&queue["shopping"]),
            ),
            none("seats still held", number(&tickets["held"])),
            none("seats astray", number(&tickets["seatsAstray"])),
            none("payments still pending", number(&payments["pending"])),
            none("processes left hanging", number(&processes["active"])),
            none("incidents", number(&processes["incidents"])),
            equal(
                "a process for each customer",
                &[
                    ("joined", joined),
                    ("processes completed", number(&processes["completed"])),
                ],
            ),
            none("dead letters", number(&dead_letters["seen"])),
            none(
                "events refused by the Broker",
                self.course.ledger().refused.len() as u64,
            ),
        ];
        for (name, books) in [
            ("queue", queue),
            ("tickets", tickets),
            ("payments", payments),
        ] {
            let left = number(&books["outbox"]) + number(&books["notSent"]);
            rules.push(none(&format!("events that did not leave {name}"), left));
        }
        for fault in self.faults {
            let times = self.kills.get(fault.name()).copied().unwrap_or(0);
            rules.push(Rule {
                must_be: format!("{} was killed meanwhile", fault.name()),
                is: times > 0,
                found: format!("{times} times"),
            });
        }
        rules
    }
}

/// A number of the books; one that is not there is as wrong as can be.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(u64::MAX / 4)
}

fn none(what: &str, count: u64) -> Rule {
    Rule {
        must_be: format!("no {what}"),
        is: count == 0,
        found: count.to_string(),
    }
}

fn equal(what: &str, numbers: &[(&str, u64)]) -> Rule {
    let found: Vec<String> = numbers
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    Rule {
        must_be: what.to_owned(),
        is: numbers.windows(2).all(|two| two[0].1 == two[1].1),
        found: found.join(", "),
    }
}
