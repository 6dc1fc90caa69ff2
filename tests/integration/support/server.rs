//! A server in this process on a store of its own, with a clock and a chance of its own, and the plainest client there is.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use carnet::app::{self, Ending, Running};
use carnet::config::{ContentPlace, Limits, Settings};
use carnet::fhir::Instant;
use carnet::interaction::Context;
use serde_json::Value;

use super::place::Place;

/// 2026-01-01T00:00:00Z, when every test begins.
const BEGINNING_MICROS: i64 = 1_767_225_600_000_000;
const TICK_MICROS: i64 = 1_000;

/// A clock that moves by a millisecond whenever it is looked at, and numbers that are random but always the same.
pub(crate) fn context() -> Context {
    let clock = AtomicI64::new(BEGINNING_MICROS);
    let chance = AtomicU64::new(0x5EED);
    Context::new(
        move || Instant::from_micros(clock.fetch_add(TICK_MICROS, Ordering::Relaxed)),
        move || scattered(chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)),
    )
}

fn scattered(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Limits of time that only a test that sets one of them meets, however slow the machine.
fn patient() -> Limits {
    Limits { header_seconds: 3_600, body_seconds: 3_600, idle_seconds: 3_600, shutdown_seconds: 300, ..Limits::default() }
}

fn begun(place: &Place, change: impl FnOnce(&mut Settings)) -> Running {
    let mut settings =
        Settings { listen: "127.0.0.1:0".parse().unwrap(), store: place.store(), limits: patient(), ..Settings::default() };
    settings.content.store = Some(ContentPlace::Folder(place.contents()));
    change(&mut settings);
    app::start(&settings, context(), Ending::ByHolder).unwrap()
}

/// A server that ends with the test.
pub(crate) struct Server {
    running: Option<Running>,
    pub(crate) address: SocketAddr,
    pub(crate) base_url: String,
    pub(crate) place: Place,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_at(Place::new(), change)
    }

    pub(crate) fn start_at(place: Place, change: impl FnOnce(&mut Settings)) -> Self {
        let running = begun(&place, change);
        let base_url = running.base_url().to_string();
        let address = running.address();
        Self { running: Some(running), address, base_url, place }
    }

    /// Sends one request; `path` is relative to the service base.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut text = format!("{method} /fhir{path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || matches!(method, "POST" | "PUT") {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut connection = self.connect();
        connection.write_all(text.as_bytes()).unwrap();
        // A server that refuses early need not read the rest.
        let _ = connection.write_all(body);
        Answer::read(&mut connection)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, resource: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/fhir+json")], resource.to_string().as_bytes())
    }

    pub(crate) fn put(&self, path: &str, resource: &Value) -> Answer {
        self.send("PUT", path, &[("content-type", "application/fhir+json")], resource.to_string().as_bytes())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"")
    }

    /// Where it answers operators.
    pub(crate) fn operators_at(&self) -> SocketAddr {
        self.running.as_ref().unwrap().operators_at()
    }

    /// Ends the server as a signal would.
    /// Stops, and begins again where it was.
    pub(crate) fn restart(&mut self, change: impl FnOnce(&mut Settings)) {
        self.running.take().unwrap().stop().unwrap();
        let running = begun(&self.place, change);
        (self.address, self.base_url) = (running.address(), running.base_url().to_string());
        self.running = Some(running);
    }

    pub(crate) fn stop(mut self) {
        self.running.take().unwrap().stop().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().unwrap();
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads until the server closes the connection.
    pub(crate) fn read(connection: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let _ = connection.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers =
            lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Self { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The code of the first issue of an OperationOutcome.
    pub(crate) fn issue(&self) -> String {
        let outcome = self.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
        outcome["issue"][0]["code"].as_str().unwrap().to_owned()
    }

    /// The logical id in `Location`.
    pub(crate) fn id(&self) -> String {
        let location = self.header("location").expect("a create tells where");
        location.rsplit('/').nth(2).unwrap().to_owned()
    }
}
