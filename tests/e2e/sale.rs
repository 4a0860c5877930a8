//! The ticket sale, from the website to the tickets.

use demo::customer::{Card, CustomerArguments};

use crate::forward::Forward;
use crate::room::Room;
use crate::watcher::Watcher;

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_bought_at_the_website_in_topology_split() {
    let room = Room::new("sale-split").await;
    room.install("knative/tickets");
    sells(&room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_bought_at_the_website_in_topology_combined() {
    let room = Room::new("sale-combined").await;
    room.install("knative/combined/tickets");
    sells(&room).await;
}

/// A sale that is paid, which ends with `Tickets.Emitted`, and one whose card is refused.
async fn sells(room: &Room) {
    room.ready();
    // From zero, as a shop that nobody has visited for a while.
    room.at_zero().await;
    let website = Forward::to(room.name(), "service/website", 80).await;
    let arguments = CustomerArguments {
        website: website.url().to_owned(),
        customer: "Ada".to_owned(),
        tickets: 2,
        cards: vec![Card::Valid, Card::Refused],
    };
    demo::customer::run(&arguments, |line| println!("{line}"))
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let letters = Watcher::of(room, "dead-letters").await;
    assert_eq!(letters.lines().await, "", "dead letters");
}
