use demo::customer::Card;
use demo::sale;

use super::market::Market;
use crate::whole::{BRIDGE, PUBLISH, assert_attributes, assert_tree, documented, sorted};

/// Of a sale whose payment takes longer than the process waits: the timer is between `RequestPayment` and `CancelPayment`,
/// which go on from the same event. In the order of the alphabet, as a trace's `tree` has it.
const TIMED_OUT: &str = "\
website: customer pays (server)
  website: deliver Tickets.CheckedOut (producer)
    eventing-zeebe: receive Tickets.CheckedOut (consumer)
      eventing-zeebe: activate CancelPayment (consumer)
        eventing-zeebe: deliver Payments.CancelRequested (producer)
          payments: receive Payments.CancelRequested (consumer)
            payments: deliver Payments.Cancelled (producer)
              eventing-zeebe: receive Payments.Cancelled (consumer)
                eventing-zeebe: activate ReleaseSeats (consumer)
                  eventing-zeebe: deliver Tickets.ReleaseRequested (producer)
                    tickets: receive Tickets.ReleaseRequested (consumer)
                      tickets: deliver Tickets.Released (producer)
                        eventing-zeebe: receive Tickets.Released (consumer)
                          eventing-zeebe: gateway_protocol.Gateway/PublishMessage (client)
                          eventing-zeebe: select rule (internal)
                        queue: receive Tickets.Released (consumer)
                        website: receive Tickets.Released (consumer)
                    website: receive Tickets.ReleaseRequested (consumer)
                  eventing-zeebe: gateway_protocol.Gateway/CompleteJob (client)
                eventing-zeebe: activate TellNotPaid (consumer)
                  eventing-zeebe: deliver Notifications.Requested (producer)
                    website: receive Notifications.Requested (consumer)
                  eventing-zeebe: gateway_protocol.Gateway/CompleteJob (client)
                eventing-zeebe: gateway_protocol.Gateway/PublishMessage (client)
                eventing-zeebe: select rule (internal)
              website: receive Payments.Cancelled (consumer)
          website: receive Payments.CancelRequested (consumer)
        eventing-zeebe: gateway_protocol.Gateway/CompleteJob (client)
      eventing-zeebe: activate RequestPayment (consumer)
        eventing-zeebe: deliver Payments.RequestReceived (producer)
          payments: receive Payments.RequestReceived (consumer)
          website: receive Payments.RequestReceived (consumer)
        eventing-zeebe: gateway_protocol.Gateway/CompleteJob (client)
      eventing-zeebe: gateway_protocol.Gateway/PublishMessage (client)
      eventing-zeebe: select rule (internal)
    tickets: receive Tickets.CheckedOut (consumer)
    website: receive Tickets.CheckedOut (consumer)
";

#[tokio::test]
async fn one_trace_leads_from_the_click_on_pay_through_the_process_to_the_tickets_and_the_page() {
    let market = Market::open("sale-pays", &[], &[]).await;
    market.services.sell(Card::Valid).await;
    let scenario = market.scenario;
    let tree = documented();
    let trace = market.closes("TicketsSold", &tree).await;
    assert_tree(&trace, &tree);
    assert_attributes(&trace, &scenario);
}

#[tokio::test]
async fn the_trace_goes_on_behind_a_timer_to_the_customer_who_is_told() {
    let market = Market::open("sale-timer", &[("paymentTimeout", "PT1S")], &[]).await;
    market.services.sell(Card::Slow).await;
    let trace = market.closes("EndedUnpaid", TIMED_OUT).await;
    assert_tree(&trace, TIMED_OUT);
}

#[tokio::test]
async fn an_event_that_the_broker_delivers_again_is_a_second_branch_of_the_trace_without_effect() {
    let market = Market::open("sale-again", &[], &[]).await;
    market.to_bridge.loses_answer_to(sale::PAYMENT_AUTHORIZED);
    market.services.sell(Card::Valid).await;
    let again = twice(&documented());
    let trace = market.closes("TicketsSold", &again).await;
    assert_tree(&trace, &again);
    let mut outcomes: Vec<&str> = trace
        .named("receive Payments.Authorized")
        .into_iter()
        .flat_map(|span| trace.children(span))
        .filter(|span| span.name == PUBLISH)
        .map(|span| span.get("zeebe.outcome"))
        .collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["", "duplicate"], "{trace}");
}

/// The tree of a sale in which the bridge has the cashier's answer twice.
fn twice(tree: &str) -> String {
    let lines = tree.lines().flat_map(|line| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let again = line.ends_with("payments: deliver Payments.Authorized (producer)");
        let second = again.then(|| {
            format!(
                "{indent}  {BRIDGE}: receive Payments.Authorized (consumer)\n\
                 {indent}    {BRIDGE}: {PUBLISH} (client)\n\
                 {indent}    {BRIDGE}: select rule (internal)"
            )
        });
        std::iter::once(line.to_owned()).chain(second)
    });
    let tree: Vec<String> = lines.collect();
    sorted(&tree.join("\n"))
}

#[tokio::test]
async fn the_trace_is_the_same_where_all_services_and_the_bridge_send_b3_alone() {
    for (name, propagators) in [("sale-b3multi", "b3multi")] {
        let market = Market::open(name, &[], &[("OTEL_PROPAGATORS", propagators)]).await;
        market.services.sell(Card::Valid).await;
        let tree = documented();
        let trace = market.closes("TicketsSold", &tree).await;
        assert_tree(&trace, &tree);
    }
}
