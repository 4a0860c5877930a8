//! The services of the ticket sale, as the demo has them, in this program.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use demo::customer::{self, Card, CustomerArguments};
use demo::payments::{Mode, Payments, PaymentsArguments};
use demo::queue::{Queue, QueueArguments};
use demo::service::settings::{ServiceArguments, Settings};
use demo::service::{self, NoRoutes, Routes, Running, Service};
use demo::store::{REMEMBERED, Store, UNDER_WAY};
use demo::tickets::{Tickets, TicketsArguments};
use demo::traces::Traced;
use demo::website::{Limits, Website, WebsiteArguments};
use runtime::shutdown::Shutdown;
use tempfile::TempDir;

/// How long a customer and the end of the services are awaited.
const PATIENCE: Duration = Duration::from_secs(180);

/// The queue, the ticket office, the cashier and the website, each with spans under its own name.
pub(crate) struct Services {
    sink: String,
    telemetry: Vec<(String, String)>,
    data: TempDir,
    shutdown: Shutdown,
    running: Vec<(Running, Traced)>,
    references: Vec<(&'static str, String)>,
    website: String,
}

impl Services {
    /// Opens them all; their events go to `sink`, and `telemetry` is what OpenTelemetry's variables are.
    pub(crate) async fn open(sink: &str, telemetry: &[(&str, &str)]) -> Self {
        let mut all = Self {
            sink: sink.to_owned(),
            telemetry: telemetry
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            data: tempfile::tempdir().expect("a temporary folder"),
            shutdown: Shutdown::new(PATIENCE),
            running: Vec::new(),
            references: Vec::new(),
            website: String::new(),
        };
        let queue = Queue::new(&QueueArguments {
            shop_seats: 1,
            decide_within_seconds: 3_600,
        });
        let (store, traced) = all.store(&queue);
        all.start("Service/queue", queue, NoRoutes, store, traced)
            .await;
        let tickets = Tickets::new(&TicketsArguments {
            stock: 4,
            price: demo::sale::PRICE_CENTS,
            hold_for_seconds: 3_600,
            choreographed: false,
        });
        let (store, traced) = all.store(&tickets);
        Tickets::lay_out(&store, 4).await.expect("seats");
        all.start("Service/tickets", tickets, NoRoutes, store, traced)
            .await;
        let payments = Payments::new(&PaymentsArguments {
            work_for_ms: 20,
            // A slow card is slower than any scenario.
            slow_for_ms: 3_600_000,
            mode: Mode::Ok,
        });
        let (store, traced) = all.store(&payments);
        all.start("Service/payments", payments, NoRoutes, store, traced)
            .await;
        let website = Website::new(Limits::default());
        let (store, traced) = all.store(&website);
        let arguments = WebsiteArguments::default();
        let site = website.site(&arguments, store.clone(), all.shutdown.clone());
        let site = site.await.expect("the page");
        let events = all
            .start("Service/website-events", website, site, store, traced)
            .await;
        all.website = format!("http://{events}");
        all
    }

    /// Where each of them takes events, by the name that the Triggers have for it.
    pub(crate) fn references(&self) -> &[(&'static str, String)] {
        &self.references
    }

    /// A customer opens the page, joins the line, asks for two tickets once in the shop, and pays with this card once
    /// seats are held; looks on until the page says that it is over.
    pub(crate) async fn sell(&self, card: Card) {
        let arguments = CustomerArguments {
            website: self.website.clone(),
            customer: "Ada".to_owned(),
            tickets: 2,
            cards: vec![card],
        };
        tokio::time::timeout(PATIENCE, customer::run(&arguments, |_| ()))
            .await
            .expect("the page says in time that the sale is over")
            .expect("the sale ends as the card has it");
    }

    /// Ends them, once what they have in hand is done and their spans are sent.
    pub(crate) async fn end(mut self) {
        self.shutdown.request();
        for (running, traced) in std::mem::take(&mut self.running) {
            running.stopped().await.expect("its store is there");
            traced.finish(PATIENCE).await;
        }
    }

    fn store(&self, service: &impl Service) -> (Store, Traced) {
        let traced = Traced::start(service.name(), self.telemetry.iter().cloned());
        let store = service::open(service, &self.settings()).expect("a file");
        (store.traced(traced.traces()), traced)
    }

    fn settings(&self) -> Settings {
        let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
        let arguments = ServiceArguments {
            listen: loopback,
            port: 0,
            events_port: Some(0),
            events_listen: loopback,
            data: self.data.path().to_owned(),
            sink: Some(self.sink.clone()),
            ce_overrides: None,
            ca_certs: None,
            grace_seconds: PATIENCE.as_secs(),
            under_way: UNDER_WAY,
            remembered: REMEMBERED,
        };
        Settings::try_from(&arguments).expect("the Broker's address")
    }

    /// Starts one; returns where browsers come to.
    async fn start(
        &mut self,
        reference: &'static str,
        service: impl Service,
        routes: impl Routes,
        store: Store,
        traced: Traced,
    ) -> SocketAddr {
        let shutdown = self.shutdown.clone();
        let running = service::start(service, routes, store, self.settings(), shutdown)
            .await
            .expect("a service");
        let events = running.events_address().expect("a door for events");
        self.references
            .push((reference, format!("http://{events}")));
        let front = running.address();
        self.running.push((running, traced));
        front
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}
