use super::shop::Shop;

#[tokio::test]
async fn a_sale_that_runs_stays_on_its_level_and_the_next_one_starts_on_the_new() {
    let shop = Shop::open("switching", "2-coordinate", &[]).await;
    let before = shop.customer("before");
    before.reserves().await;
    before.stands_at("WaitForCheckout").await;
    shop.scenario.deploy("bpmn/tickets/4-repair.bpmn").await;
    let after = shop.customer("after");
    after.reserves().await;
    after.stands_at("Reserve").await;

    for (customer, version) in [(before, 1), (after, 2)] {
        customer.checks_out().await;
        customer.is_charged().await;
        customer.gets_tickets().await;
        customer.ends_in("TicketsSold").await;
        let sale = customer.ends().await;
        assert_eq!(sale["version"], version, "{sale:#}");
    }
}
