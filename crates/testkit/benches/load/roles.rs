//! What runs as a program of its own: the gateway, the bare limit of either direction, and a
//! collector.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::post;
use axum::serve::ListenerExt;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use testkit::gateway::FakeGateway;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::transport::{Channel, Endpoint};
use zeebe_client::protocol::gateway_client::GatewayClient;
use zeebe_client::protocol::{
    CompleteJobRequest, PublishMessageRequest, StreamActivatedJobsRequest,
};

/// Jobs in flight in the source, in the bridge and in its bare limit.
pub(crate) const JOBS_IN_FLIGHT: usize = 32;

/// Says where this program listens, in the words of the bridge.
fn listening(address: &str) {
    println!(r#"{{"message":"listening","address":"{address}"}}"#);
}

/// A fast gateway with jobs of so many bytes; its counts are told to whoever connects to a second
/// port, which is the one that is announced after a comma.
pub(crate) async fn gateway(job_bytes: &str) {
    let gateway = FakeGateway::fast(job_bytes.parse().expect("a number of bytes")).await;
    let counts = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = counts.local_addr().expect("its address");
    listening(&format!("{},{address}", gateway.address()));
    while let Ok((mut stream, _)) = counts.accept().await {
        let text = format!("{} {}", gateway.count_completed(), gateway.count_failed());
        // Who asked and went away needs no answer.
        let _ = stream.write_all(text.as_bytes()).await;
    }
}

async fn connect(gateway: &str) -> GatewayClient<Channel> {
    let channel = Endpoint::from_shared(gateway.to_owned())
        .expect("an address")
        .tcp_nodelay(true)
        .connect_lazy();
    GatewayClient::new(channel)
}

/// The least that a sink of this stack can do: body in, one call, 202 out.
pub(crate) async fn bare_sink(gateway: &str) {
    let client = connect(gateway).await;
    let routes = Router::new().route("/", post(forward)).with_state(client);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listening(&listener.local_addr().expect("its address").to_string());
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("no delay"));
    axum::serve(listener, routes).await.expect("it can serve");
}

async fn forward(State(mut client): State<GatewayClient<Channel>>, body: Bytes) -> StatusCode {
    let Ok(variables) = String::from_utf8(body.into()) else {
        return StatusCode::BAD_REQUEST;
    };
    let message = PublishMessageRequest {
        name: String::from("Tickets.Requested"),
        time_to_live: 3_600_000,
        variables,
        ..PublishMessageRequest::default()
    };
    match client.publish_message(message).await {
        Ok(_) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A collector that takes all spans by gRPC and reads none: what reading costs is not the bridge's.
pub(crate) async fn collector() {
    let routes = Router::new().fallback(take);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    listening(&format!("http://{address}"));
    axum::serve(listener, routes).await.expect("it can serve");
}

async fn take(mut body: Body) -> Response<Body> {
    while let Some(frame) = body.frame().await {
        frame.expect("a frame");
    }
    // An empty message, and that all is well.
    let ok = (
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    );
    let frames = [
        Frame::data(Bytes::from_static(&[0; 5])),
        Frame::trailers(HeaderMap::from_iter([ok])),
    ];
    let frames = futures_util::stream::iter(frames.map(Ok::<_, Infallible>));
    Response::builder()
        .header(header::CONTENT_TYPE, "application/grpc")
        .body(Body::new(StreamBody::new(frames)))
        .expect("an answer")
}

/// The least that a source of this stack can do: job in, its variables posted, job completed.
pub(crate) async fn bare_source(gateway: &str, destination: &str) {
    let mut client = connect(gateway).await;
    let sender: Client<HttpConnector, Full<Bytes>> = {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Client::builder(TokioExecutor::new()).build(connector)
    };
    let destination: http::Uri = destination.parse().expect("a URL");
    let permits = Arc::new(Semaphore::new(JOBS_IN_FLIGHT));
    listening("nowhere");
    let request = StreamActivatedJobsRequest {
        r#type: String::from("cloudevents"),
        worker: String::from("bare"),
        timeout: 15_000,
        ..StreamActivatedJobsRequest::default()
    };
    let answer = client.stream_activated_jobs(request).await;
    let mut jobs = answer.expect("a stream").into_inner();
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let job = jobs.message().await.expect("a stream that goes on");
        let job = job.expect("jobs without end");
        let (mut client, sender, destination) =
            (client.clone(), sender.clone(), destination.clone());
        tokio::spawn(async move {
            let request = Request::post(destination)
                .header(header::CONTENT_TYPE, "application/json")
                .body(Full::new(Bytes::from(job.variables)))
                .expect("a request");
            let answer = sender.request(request).await.expect("an answer");
            let accepted = answer.status() == StatusCode::ACCEPTED;
            answer.into_body().collect().await.expect("its body");
            assert!(accepted, "the destination takes everything");
            let done = CompleteJobRequest {
                job_key: job.key,
                variables: String::new(),
            };
            client.complete_job(done).await.expect("a job completed");
            drop(permit);
        });
    }
}
