use http::Method;
use serde_json::{Value, json};
use testkit::request;
use testkit::zeebe::{PAGE, Zeebe};

use super::shop::Shop;

const LEVEL: &str = "1-watch";

#[tokio::test]
async fn the_observer_finds_a_sale_by_its_session_tells_its_path_and_counts_them_all() {
    let shop = Shop::open("watch-observed", LEVEL, &[]).await;
    let gone = shop.customer("observed-gone");
    gone.joins().await;
    gone.leaves().await;
    gone.ends_in("LeftLine").await;
    let waits = shop.customer("observed-waits");
    waits.enters_the_shop().await;
    waits.stands_at("ChooseTickets").await;

    let zeebe = Zeebe::shared().await;
    let found = zeebe.instances_with("session", "s-observed-gone").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    let passed: Vec<&Value> = found[0]["completed"]
        .as_array()
        .expect("a path")
        .iter()
        .filter(|id| !id.as_str().is_some_and(|id| id.contains("_to_")))
        .collect();
    assert_eq!(
        passed,
        ["CustomerJoined", "WaitInLine", "GoneFromLine", "LeftLine"]
    );
    assert!(zeebe.instances_with("session", "s-nobody").await.is_empty());
    // One that is asked for after the variable was first asked for.
    let late = shop.customer("observed-late");
    late.joins().await;
    late.stands_at("WaitInLine").await;
    let found = zeebe.instances_with("session", "s-observed-late").await;
    assert_eq!(found.len(), 1, "{found:#?}");

    let counts = zeebe.counts(&shop.scenario.of("ticket-sale")).await;
    assert_eq!(
        counts,
        json!({
            "active": 2, "completed": 1, "terminated": 0, "incidents": 0,
            "endEvents": {"LeftLine": 1},
        })
    );
}

#[tokio::test]
async fn who_asks_for_many_variables_keeps_nobody_from_finding_a_sale_by_its_session() {
    let shop = Shop::open("observed-many", LEVEL, &[]).await;
    let ada = shop.customer("observed-many");
    ada.joins().await;
    ada.stands_at("WaitInLine").await;
    let zeebe = Zeebe::shared().await;
    for other in 0..20 {
        let found = zeebe.instances_with(&format!("other{other}"), "any").await;
        assert!(found.is_empty(), "{found:#?}");
        let found = zeebe.instances_with("session", &ada.session).await;
        assert_eq!(found.len(), 1, "after {other}: {found:#?}");
    }
    for other in 0..20 {
        zeebe.instances_with(&format!("other{other}"), "any").await;
    }
    let found = zeebe.instances_with("session", &ada.session).await;
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[tokio::test]
async fn only_a_page_of_an_origin_that_was_named_may_read_what_the_observer_says() {
    let zeebe = Zeebe::shared().await;
    let url = format!("{}/counts?process=any", zeebe.observer());
    for (origin, allowed) in [
        (Some(PAGE), Some(PAGE)),
        (Some("http://elsewhere.example"), None),
        (Some("null"), None),
        (None, None),
    ] {
        let headers: Vec<_> = origin.iter().map(|origin| ("origin", *origin)).collect();
        let answered = request::try_send(Method::GET, &url, &headers, "")
            .await
            .expect("an answer");
        assert_eq!(answered.status, 200, "{origin:?}");
        let header = answered.header("access-control-allow-origin");
        assert_eq!(header, allowed, "{origin:?}");
    }
}
