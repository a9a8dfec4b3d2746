//! The ingestion service on axum and rdkafka: as fast as is reasonable without leaving the two crates' usual use.
mod event;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use serde::Serialize;
use serde_json::value::RawValue;
use std::env;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

static TOPIC: LazyLock<String> = LazyLock::new(|| env::var("KAFKA_TOPIC").unwrap_or_else(|_| "events".into()));

#[derive(Default)]
struct Outcomes {
    delivered: AtomicU64,
    failed: AtomicU64,
}

impl ClientContext for Outcomes {}

impl ProducerContext for Outcomes {
    type DeliveryOpaque = ();
    fn delivery(&self, outcome: &DeliveryResult<'_>, (): ()) {
        if outcome.is_ok() { &self.delivered } else { &self.failed }.fetch_add(1, Relaxed);
    }
}

type Kafka = Arc<ThreadedProducer<Outcomes>>;

fn connect() -> Result<Kafka, KafkaError> {
    let servers = env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_else(|_| "localhost:9092".into());
    let producer: ThreadedProducer<Outcomes> = ClientConfig::new()
        .set("bootstrap.servers", servers)
        .set("linger.ms", "5")
        .set("batch.size", "1048576")
        .set("compression.type", "lz4")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.kbytes", "65536")
        .set("message.timeout.ms", "30000")
        .create_with_context(Outcomes::default())?;
    producer.client().fetch_metadata(Some(&TOPIC), Duration::from_secs(30))?;
    Ok(Arc::new(producer))
}

/// Puts one record in the client's queue.
fn produce(kafka: &Kafka, record: &event::Record) -> Result<(), KafkaError> {
    let mut message = BaseRecord::<[u8], [u8]>::to(&TOPIC).payload(&record.value);
    if let Some(key) = &record.key {
        message = message.key(key.as_bytes());
    }
    kafka.send(message).map_err(|(error, _)| error)
}

#[derive(Serialize)]
struct EventResult<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    status: &'a str,
    event_id: &'a str,
}

#[derive(Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    detail: String,
}

fn problem(status: StatusCode, title: &'static str, detail: String) -> Response {
    let body = serde_json::to_vec(&Problem { title, status: status.as_u16(), detail }).expect("strings only");
    (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response()
}

fn refuse(error: &serde_json::Error) -> Response {
    if error.is_data() {
        problem(StatusCode::UNPROCESSABLE_ENTITY, "The body is not an event", error.to_string())
    } else {
        problem(StatusCode::BAD_REQUEST, "The body is not JSON", error.to_string())
    }
}

fn refuse_kafka(error: &KafkaError) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "Kafka is unavailable", error.to_string());
    if let KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge) = error {
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    } else {
        response.headers_mut().insert("retry-after", "1".parse().expect("a digit"));
    }
    response
}

fn is_content_type(headers: &HeaderMap, wanted: &str) -> bool {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    given.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(wanted))
}

fn accepted(body: Vec<u8>) -> Response {
    (StatusCode::ACCEPTED, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn unsupported() -> Response {
    problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This content type is not taken", "send application/json".into())
}

async fn register_event(State(kafka): State<Kafka>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_content_type(&headers, "application/json") {
        return unsupported();
    }
    let record = match event::read(&body) {
        Ok(record) => record,
        Err(error) => return refuse(&error),
    };
    if let Err(error) = produce(&kafka, &record) {
        return refuse_kafka(&error);
    }
    let mut body = Vec::with_capacity(192);
    write_result(&mut body, None, "accepted", &record.event_id);
    accepted(body)
}

fn write_result(out: &mut Vec<u8>, index: Option<usize>, status: &str, event_id: &str) {
    serde_json::to_writer(out, &EventResult { index, status, event_id }).expect("a Vec takes every write");
}

/// Many events: a JSON array, or a line each. Every event gets its own result.
async fn register_events(State(kafka): State<Kafka>, headers: HeaderMap, body: Bytes) -> Response {
    let is_lines = is_content_type(&headers, "application/x-ndjson");
    if !is_lines && !is_content_type(&headers, "application/json") {
        return unsupported();
    }
    let events: Vec<&[u8]> = if is_lines {
        body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect()
    } else {
        match serde_json::from_slice::<Vec<&RawValue>>(&body) {
            Ok(events) => events.into_iter().map(|event| event.get().as_bytes()).collect(),
            Err(error) => return refuse(&error),
        }
    };
    let mut body = Vec::with_capacity(16 + events.len() * 80);
    body.extend_from_slice(b"{\"results\":[");
    for (index, json) in events.into_iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        match event::read(json) {
            Err(_) => write_result(&mut body, Some(index), "invalid", ""),
            Ok(record) => {
                let status = if produce(&kafka, &record).is_ok() { "accepted" } else { "retry" };
                write_result(&mut body, Some(index), status, &record.event_id);
            }
        }
    }
    body.extend_from_slice(b"]}");
    accepted(body)
}

async fn outcomes(State(kafka): State<Kafka>) -> String {
    let Outcomes { delivered, failed } = kafka.context().as_ref();
    format!("{{\"delivered\":{},\"failed\":{}}}", delivered.load(Relaxed), failed.load(Relaxed))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let kafka = connect()?;
    let app = axum::Router::new()
        .route("/register_event", post(register_event))
        .route("/register_events", post(register_events))
        .route("/health/ready", get(outcomes))
        .layer(DefaultBodyLimit::max(16 * 1024 * 1024))
        .with_state(kafka.clone());
    let port = env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            terminated.recv().await;
        })
        .await?;
    kafka.flush(Duration::from_secs(10))?;
    Ok(())
}
