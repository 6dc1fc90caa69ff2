//! What operators ask: `/health` and `/metrics`, read by the rules of the text format of Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::client::{Client, FHIR_JSON};
use crate::support::people::Stranger;
use crate::support::resources::{patient_called, patient_saying};
use crate::support::server::Server;

/// A word that stands nowhere but in what clients send.
const SECRET: &str = "Zwyntgraf";

type Labels = BTreeMap<String, String>;

/// A family of samples, each under its name and its labels.
#[derive(Debug, Default)]
struct Family {
    sort: String,
    samples: BTreeMap<(String, Labels), f64>,
}

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    text.bytes().next().is_some_and(is_letter) && text.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// Reads `name="value",…}` to its end; what follows it.
fn labels(mut text: &str) -> (Labels, &str) {
    let mut found = Labels::new();
    loop {
        let (name, rest) = text.split_once("=\"").expect("a label has a value");
        let end = rest.find('"').expect("a value ends");
        let value = &rest[..end];
        assert!(is_name(name) && !name.contains(':') && !value.contains(['\\', '\n']), "{text}");
        assert!(found.insert(name.to_owned(), value.to_owned()).is_none(), "{text}: a label twice");
        match rest[end + 1..].strip_prefix(',') {
            Some(next) => text = next,
            None => return (found, rest[end + 1..].strip_prefix('}').expect("labels end in a brace")),
        }
    }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).expect("a sample has a value");
    let (labels, value) = match line[end..].strip_prefix('{') {
        Some(rest) => labels(rest),
        None => (Labels::new(), &line[end..]),
    };
    let value = value.strip_prefix(' ').expect("a blank stands before the value");
    assert!(is_name(&line[..end]), "{line}");
    (line[..end].to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("{line}: no number")))
}

/// Reads a whole text; whatever breaks a rule of the format fails the test.
fn parsed(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) =
            line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).expect("a family begins with its help");
        assert!(is_name(name) && !help.is_empty(), "{line}");
        let sort = lines.next().and_then(|line| line.strip_prefix("# TYPE ")?.strip_prefix(name)?.strip_prefix(' '));
        let mut family = Family { sort: sort.expect("its type follows").to_owned(), ..Family::default() };
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (own, labels, value) = sample(line);
            let suffix = own.strip_prefix(name).unwrap_or_else(|| panic!("{own} stands among {name}"));
            let is_allowed =
                if family.sort == "histogram" { ["_bucket", "_sum", "_count"].contains(&suffix) } else { suffix.is_empty() };
            assert!(is_allowed && value >= 0.0, "{line}");
            assert!(family.samples.insert((own.clone(), labels), value).is_none(), "{line}: twice");
        }
        hold(name, &family);
        assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
    }
    families
}

/// Holds what the type of a family demands.
fn hold(name: &str, family: &Family) {
    match family.sort.as_str() {
        "counter" => assert!(name.ends_with("_total"), "{name}"),
        "gauge" => {}
        "histogram" => hold_histogram(name, family),
        other => panic!("{name} is of type {other}"),
    }
}

/// Buckets do not fall, the last holds everything, and there is a sum (whatever labels there are besides `le`).
fn hold_histogram(name: &str, family: &Family) {
    let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for ((own, labels), value) in &family.samples {
        if own.ends_with("_bucket") {
            let mut labels = labels.clone();
            let bound: f64 = labels.remove("le").expect("a bucket has a bound").parse().unwrap();
            buckets.entry(labels).or_default().push((bound, *value));
        }
    }
    for (labels, mut buckets) in buckets {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(buckets.is_sorted_by(|one, other| one.0 < other.0 && one.1 <= other.1), "{name}: {buckets:?}");
        let all = buckets.last().unwrap();
        assert_eq!((all.0, Some(&all.1)), (f64::INFINITY, family.samples.get(&(format!("{name}_count"), labels.clone()))));
        assert!(family.samples.contains_key(&(format!("{name}_sum"), labels)));
    }
}

impl Family {
    /// The sample under exactly these labels.
    fn of(&self, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.iter().find(|((_, own), _)| *own == labels).map(|(_, value)| *value)
    }
}

async fn metrics(server: &Server) -> BTreeMap<String, Family> {
    let answer = Client::new(&format!("http://{}", server.address)).get("metrics").await.expect(200);
    assert_eq!(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    parsed(std::str::from_utf8(&answer.body).unwrap())
}

fn operators(server: &Server) -> Client {
    Client::new(&format!("http://{}", server.address))
}

#[tokio::test]
async fn requests_are_counted_by_interaction_and_status_with_the_time_they_took() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    stranger.put("Patient/p", &patient_called("p")).await.expect(201);
    for _ in 0..3 {
        stranger.get("Patient/p").await.expect(200);
    }
    stranger.get("Patient/nobody").await.expect(404);
    stranger.get("Patience/p").await.expect(404);
    let found = metrics(&server).await;
    let requests = &found["carnet_requests_total"];
    let of = |interaction, status| requests.of(&[("interaction", interaction), ("status", status)]);
    assert_eq!(
        (of("update", "201"), of("read", "200"), of("read", "404"), of("none", "404")),
        (Some(1.0), Some(3.0), Some(1.0), Some(1.0))
    );
    let took = &found["carnet_request_duration_seconds"].samples;
    let read: Labels = [("interaction".to_owned(), "read".to_owned())].into();
    assert_eq!(took[&("carnet_request_duration_seconds_count".to_owned(), read.clone())], 4.0);
    assert!(took[&("carnet_request_duration_seconds_sum".to_owned(), read)] > 0.0);
    assert_eq!(found["carnet_requests_in_flight"].of(&[]), Some(0.0));
    // A second look sees neither itself nor the first.
    assert_eq!(metrics(&server).await["carnet_requests_total"].samples, requests.samples);
}

#[tokio::test]
async fn the_store_the_connections_and_the_process_are_told_of() {
    let server = Server::start_with(|settings| settings.limits.connections = 4_711);
    let stranger = Stranger::of(&server);
    stranger.put("Patient/p", &patient_called("p")).await.expect(201);
    stranger.put("Patient/p", &patient_saying("p", 1)).await.expect(200);
    let found = metrics(&server).await;
    let alone = |name: &str| found[name].of(&[]).unwrap_or_else(|| panic!("{name} has no sample"));
    assert_eq!((alone("carnet_store_changes_total"), alone("carnet_store_commits_total")), (2.0, 2.0));
    assert!(alone("carnet_connections") >= 1.0);
    assert_eq!(alone("carnet_connections_limit"), 4_711.0);
    assert_eq!(alone("process_start_time_seconds").floor(), 1_767_225_600.0);
    for queue in ["read", "write"] {
        let of = |name: &str| found[name].of(&[("queue", queue)]).unwrap();
        assert!(of("carnet_store_threads") >= 1.0 && of("carnet_store_threads_idle") <= of("carnet_store_threads"), "{queue}");
        assert!(of("carnet_store_queue_depth") <= of("carnet_store_queue_limit"), "{queue}");
    }
    assert!(alone("process_resident_memory_bytes") > 1e6 && alone("process_cpu_seconds_total") > 0.0);
    assert!(alone("process_open_fds") > 3.0 && alone("process_max_fds") >= alone("process_open_fds"));
    assert_eq!(found["carnet_build_info"].of(&[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
}

#[tokio::test]
async fn labels_have_few_values_and_say_nothing_of_what_clients_send() {
    let server = Server::start();
    let stranger = Stranger::of(&server);
    for path in [format!("Patient/{SECRET}"), format!("{SECRET}/1"), format!("Patient?{SECRET}={SECRET}"), format!("${SECRET}")] {
        stranger.get(&path).header("X-Request-Id", SECRET).await;
        stranger.request(SECRET, &path).await;
        stranger.request("PUT", &path).body(FHIR_JSON, format!("{{\"resourceType\":\"{SECRET}\"}}")).await;
    }
    let answer = operators(&server).get(&format!("metrics?{SECRET}")).await.expect(200);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(!text.contains(SECRET), "{text}");
    let found = parsed(&text);
    let values = |name: &str| -> BTreeSet<&String> {
        found.values().flat_map(|family| family.samples.keys()).filter_map(|(_, labels)| labels.get(name)).collect()
    };
    let known: BTreeSet<&str> = carnet::interaction::Interaction::ALL.iter().map(|one| one.code()).chain(["none"]).collect();
    assert!(values("interaction").iter().all(|value| known.contains(value.as_str())), "{:?}", values("interaction"));
    assert!(values("status").iter().all(|value| value.parse::<u16>().is_ok_and(|status| (200..600).contains(&status))));
    let names: BTreeSet<&String> =
        found.values().flat_map(|family| family.samples.keys()).flat_map(|(_, labels)| labels.keys()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["interaction", "le", "queue", "status", "version"]);
}

#[tokio::test]
async fn a_server_whose_store_is_away_is_alive_but_not_ready() {
    let server = Server::start();
    let operators = operators(&server);
    assert_eq!(operators.get("health/ready").await.expect(200).body, b"ready\n");
    server.place.execute("ALTER TABLE instance RENAME TO away");
    let refused = operators.get("health/ready").await.expect(503);
    assert_eq!(refused.body, b"the store does not answer\n");
    assert_eq!(operators.get("health/live").await.expect(200).body, b"live\n");
    server.place.execute("ALTER TABLE away RENAME TO instance");
    operators.get("health/ready").await.expect(200);
}

#[tokio::test]
async fn operators_need_no_credentials_and_are_only_told() {
    let server = Server::start_with(|settings| settings.security.mode = carnet::config::SecurityMode::Enforced);
    let operators = operators(&server);
    for path in ["metrics", "health/live", "health/ready"] {
        operators.get(path).await.expect(200);
        assert!(operators.head(path).await.expect(200).body.is_empty());
        let refused = operators.delete(path).await.expect(405);
        assert_eq!(refused.header("Allow"), "GET, HEAD");
    }
    for path in ["fhir/metrics", "fhir/health/live", "metrics/x", "health"] {
        operators.get(path).await.refused(404);
    }
}

#[tokio::test]
async fn metrics_move_to_an_address_of_their_own_and_health_is_told_on_both() {
    let server = Server::start_with(|settings| settings.metrics_listen = Some("127.0.0.1:0".parse().unwrap()));
    let (clients, apart) = (operators(&server), Client::new(&format!("http://{}", server.operators_at())));
    Stranger::of(&server).get("metadata").await.expect(200);
    clients.get("metrics").await.refused(404);
    clients.get("health/ready").await.expect(200);
    apart.get("health/ready").await.expect(200);
    let found = parsed(std::str::from_utf8(&apart.get("metrics").await.expect(200).body).unwrap());
    let answered = found["carnet_requests_total"].of(&[("interaction", "capabilities"), ("status", "200")]);
    assert_eq!(answered, Some(1.0));
    apart.get("fhir/metadata").await.expect(404);
}

#[tokio::test]
async fn a_service_at_the_root_leaves_the_operators_their_places() {
    let server = Server::start_with(|settings| settings.base_url = Some("http://127.0.0.1:1".parse().unwrap()));
    let root = operators(&server);
    root.get("metadata").await.expect(200);
    parsed(std::str::from_utf8(&root.get("metrics").await.expect(200).body).unwrap());
    root.get("health/ready").await.expect(200);
}

#[tokio::test]
async fn every_family_is_explained_to_operators() {
    let server = Server::start();
    let told = include_str!("../../../docs/operations.md");
    for name in metrics(&server).await.keys() {
        assert!(told.contains(&format!("`{name}`")), "{name}");
    }
}
