//! Content that is too long for the database: it is read as what is short is read, in every way there is.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::process::Process;
use crate::support::server::{Answer, Server};

const FHIR: (&str, &str) = ("content-type", "application/fhir+json");
const AS_FHIR: [(&str, &str); 1] = [("accept", "application/fhir+json")];
const PDF: (&str, &str) = ("content-type", "application/pdf");
/// Just too long for the database; a chunk and a bit; more than is held in memory.
const LENGTHS: [usize; 3] = [65_540, 786_433, 7_000_001];

/// Bytes that do not repeat.
fn bytes(len: usize) -> Vec<u8> {
    (0..len as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Every content at rest.
fn objects(server: &Server) -> Vec<PathBuf> {
    let folders = fs::read_dir(server.place.contents().join("dossiers")).into_iter().flatten();
    folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap()).map(|file| file.unwrap().path()).collect()
}

/// The JSON of the Binary that `answer` tells of.
fn resource(answer: &Answer, id: &str, content: &[u8]) -> String {
    let updated = answer.header("last-modified").map(httpdate::parse_http_date).unwrap().unwrap();
    let updated = updated.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let body = std::str::from_utf8(&answer.body).unwrap();
    let shown = body.split("\"lastUpdated\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(chrono::DateTime::parse_from_rfc3339(shown).unwrap().timestamp() as u64, updated);
    format!(
        "{{\"resourceType\":\"Binary\",\"id\":\"{id}\",\"meta\":{{\"versionId\":\"1\",\"lastUpdated\":\"{shown}\"}},\
         \"contentType\":\"application/pdf\",\"data\":\"{}\"}}",
        BASE64_STANDARD.encode(content)
    )
}

fn document(data: &str) -> Value {
    json!({"resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/p1"},
        "content": [{"attachment": {"contentType": "application/pdf", "data": data}}]})
}

#[test]
fn content_comes_back_raw_and_as_fhir_byte_for_byte_however_long() {
    let server = Server::start();
    for (turn, len) in LENGTHS.into_iter().enumerate() {
        let content = bytes(len);
        let created = server.send("POST", "/Binary", &[PDF], &content);
        assert_eq!((created.status, created.body.len()), (201, 0));
        assert_eq!(objects(&server).len(), turn + 1);
        let path = format!("/Binary/{}", created.id());
        let read = server.get(&path);
        assert_eq!((read.status, read.header("content-type")), (200, Some("application/pdf")));
        assert_eq!(read.header("content-length"), Some(len.to_string().as_str()));
        assert!(read.body == content);
        let fhir = server.send("GET", &path, &AS_FHIR, b"");
        assert_eq!(fhir.header("content-length"), Some(fhir.body.len().to_string().as_str()));
        assert!(fhir.body == resource(&fhir, &created.id(), &content).as_bytes());
    }
}

#[test]
fn the_head_of_content_tells_its_length_and_nothing_of_it_is_read() {
    let server = Server::start();
    let path = format!("/Binary/{}", server.send("POST", "/Binary", &[PDF], &bytes(70_000)).id());
    fs::remove_file(objects(&server).pop().unwrap()).unwrap();
    let raw = server.send("HEAD", &path, &[], b"");
    assert_eq!((raw.status, raw.header("content-length"), raw.body.len()), (200, Some("70000"), 0));
    let fhir = server.send("HEAD", &path, &AS_FHIR, b"");
    assert!(fhir.header("content-length").unwrap().parse::<usize>().unwrap() > 4 * 70_000 / 3 && fhir.body.is_empty());
}

#[test]
fn data_comes_back_as_it_was_written_even_where_we_would_write_it_otherwise() {
    let server = Server::start();
    let content = bytes(100_000);
    let plain = BASE64_STANDARD.encode(&content);
    for data in [plain.clone(), plain.replace('/', "\\/"), format!("{}\\n{}", &plain[..76], &plain[76..])] {
        let sent = format!(r#"{{"resourceType":"Binary","contentType":"application/pdf","data":"{data}"}}"#);
        let path = format!("/Binary/{}", server.send("POST", "/Binary", &[FHIR], sent.as_bytes()).id());
        let fhir = server.send("GET", &path, &AS_FHIR, b"");
        assert!(String::from_utf8(fhir.body).unwrap().contains(&format!("\"data\":\"{data}\"")));
        let raw = server.get(&path);
        assert!(raw.body == content);
        let part = server.send("GET", &path, &[("range", "bytes=76-1075")], b"");
        assert!((part.status, part.body.as_slice()) == (206, &content[76..1_076]));
    }
}

#[test]
fn attachments_are_whole_wherever_their_resource_is_shown() {
    let server = Server::start();
    let (first, second) = (BASE64_STANDARD.encode(bytes(90_000)), BASE64_STANDARD.encode(bytes(1_000_000)));
    let created = server.post("/DocumentReference", &document(&first));
    assert_eq!(created.status, 201);
    let data = |resource: &Value| resource["content"][0]["attachment"]["data"].as_str().unwrap().to_owned();
    assert!(data(&created.json()) == first);
    let path = format!("/DocumentReference/{}", created.id());
    let mut next = document(&second);
    next["id"] = created.id().into();
    assert_eq!(server.put(&path, &next).status, 200);
    assert!(data(&server.get(&path).json()) == second);
    assert!(data(&server.get(&format!("{path}/_history/1")).json()) == first);
    let entries = |answer: &Answer| answer.json()["entry"].as_array().unwrap().clone();
    let history = entries(&server.get(&format!("{path}/_history")));
    assert!(data(&history[0]["resource"]) == second && data(&history[1]["resource"]) == first);
    assert_eq!(server.post("/DocumentReference", &document(&first)).status, 201);
    let found = entries(&server.get("/DocumentReference?patient=Patient/p1&_sort=_lastUpdated"));
    assert!(data(&found[0]["resource"]) == second && data(&found[1]["resource"]) == first);
    let asked = json!({"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": &path[1..]}}]});
    assert!(data(&entries(&server.post("", &asked))[0]["resource"]) == second);
    let pretty = server.get(&format!("{path}?_pretty=true"));
    assert!(data(&pretty.json()) == second && pretty.body.starts_with(b"{\n  \"resourceType\""));
}

#[test]
fn a_transaction_stores_content_and_answers_with_it() {
    let server = Server::start();
    let data = BASE64_STANDARD.encode(bytes(80_000));
    let binary = json!({"resourceType": "Binary", "contentType": "application/pdf", "data": data});
    let mut named = document(&data);
    named["content"][0]["attachment"]["url"] = "urn:uuid:11111111-1111-4111-8111-111111111111".into();
    let sent = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "urn:uuid:11111111-1111-4111-8111-111111111111", "resource": binary,
            "request": {"method": "POST", "url": "Binary"}},
        {"fullUrl": "urn:uuid:22222222-2222-4222-8222-222222222222", "resource": named,
            "request": {"method": "POST", "url": "DocumentReference"}}]});
    let headers = [FHIR, ("prefer", "return=representation")];
    let answer = server.send("POST", "", &headers, sent.to_string().as_bytes());
    assert_eq!(answer.status, 200);
    let entry = answer.json()["entry"].clone();
    let attachment = &entry[1]["resource"]["content"][0]["attachment"];
    assert!(entry[0]["resource"]["data"] == data && attachment["data"] == data);
    assert_eq!(attachment["url"], format!("Binary/{}", entry[0]["resource"]["id"].as_str().unwrap()));
}

#[test]
fn what_an_update_keeps_of_a_resource_is_kept_beside_content_too() {
    let server = Server::start();
    let tag = json!({"system": "http://s", "code": "kept"});
    let first = json!({"resourceType": "Binary", "id": "b", "meta": {"tag": [tag]}, "contentType": "text/plain", "data": "aGk="});
    assert_eq!(server.put("/Binary/b", &first).status, 201);
    let content = bytes(7_000_000);
    for _ in 0..2 {
        assert_eq!(server.send("PUT", "/Binary/b", &[PDF], &content).status, 200);
        let read = server.send("GET", "/Binary/b", &AS_FHIR, b"").json();
        assert_eq!((&read["meta"]["tag"][0], &read["contentType"]), (&tag, &json!("application/pdf")));
        assert!(read["data"] == BASE64_STANDARD.encode(&content));
    }
    assert_eq!(objects(&server).len(), 1);
}

#[test]
fn a_part_of_content_is_sent_to_whoever_asks_for_one() {
    let server = Server::start();
    for len in [1_000, 2_000_000] {
        let content = bytes(len);
        let path = format!("/Binary/{}", server.send("POST", "/Binary", &[PDF], &content).id());
        let part = |headers: &[(&str, &str)]| server.send("GET", &path, headers, b"");
        assert_eq!(part(&[]).header("accept-ranges"), Some("bytes"));
        for (range, from, to) in
            [("bytes=0-0", 0, 1), ("bytes=900-", 900, len), ("bytes=-5", len - 5, len), ("bytes=7-998", 7, 999)]
        {
            let answer = part(&[("range", range)]);
            assert_eq!((answer.status, answer.header("etag")), (206, Some("W/\"1\"")), "{range}");
            assert_eq!(answer.header("content-range"), Some(format!("bytes {from}-{}/{len}", to - 1).as_str()));
            assert_eq!(answer.header("content-length"), Some((to - from).to_string().as_str()));
            assert!(answer.body == content[from..to], "{range}");
        }
        for (tag, status) in [("W/\"1\"", 206), ("\"1\"", 206), ("W/\"2\"", 200), ("Thu, 01 Jan 2026 00:00:00 GMT", 200)] {
            assert_eq!(part(&[("range", "bytes=0-0"), ("if-range", tag)]).status, status, "{tag}");
        }
        let beyond = part(&[("range", &format!("bytes={len}-"))]);
        assert_eq!((beyond.status, beyond.issue().as_str()), (416, "value"));
        assert_eq!(beyond.header("content-range"), Some(format!("bytes */{len}").as_str()));
        assert_eq!(part(&[("range", "bytes=0-1,4-5")]).body.len(), len);
        assert_eq!(part(&[("range", "bytes=0-0"), ("if-none-match", "W/\"1\"")]).status, 304);
        let fhir = part(&[("range", "bytes=0-0"), AS_FHIR[0]]);
        assert_eq!((fhir.status, fhir.header("accept-ranges")), (200, None));
    }
}

#[test]
fn damaged_content_is_an_error_or_breaks_off_and_is_never_served() {
    let server = Server::start();
    let content = bytes(3_000_000);
    let path = format!("/Binary/{}", server.send("POST", "/Binary", &[PDF], &content).id());
    let object = objects(&server).pop().unwrap();
    let damage = |at: usize| {
        let mut bytes = content.clone();
        bytes[at] ^= 1;
        fs::write(&object, bytes).unwrap();
    };
    damage(0);
    for headers in [&[][..], &AS_FHIR, &[("range", "bytes=9-10")]] {
        let answer = server.send("GET", &path, headers, b"");
        assert_eq!((answer.status, answer.issue().as_str()), (500, "exception"));
    }
    assert_eq!(server.send("GET", &path, &[("range", "bytes=800000-800001")], b"").status, 206);
    damage(2_999_999);
    let torn = server.get(&path);
    assert_eq!((torn.status, torn.header("content-length")), (200, Some("3000000")));
    assert!(torn.body.len() < content.len() && torn.body == content[..torn.body.len()]);
    let torn = server.send("GET", &path, &AS_FHIR, b"");
    assert!(torn.body.len() < 4_000_000 && !torn.body.ends_with(b"}"));
}

/// Sends `head` and, piece by piece, what follows it; the head of the answer and how many bytes follow that.
fn exchange(address: &str, head: &str, pieces: usize, piece: &[u8]) -> (String, usize) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(format!("{head}\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    for _ in 0..pieces {
        connection.write_all(piece).unwrap();
    }
    let mut answer = BufReader::new(connection);
    let mut told = String::new();
    while !told.ends_with("\r\n\r\n") {
        answer.read_line(&mut told).unwrap();
    }
    (told, std::io::copy(&mut answer, &mut std::io::sink()).unwrap() as usize)
}

#[test]
fn content_of_128_mib_takes_no_more_memory_than_a_few_chunks() {
    const PIECES: usize = 128;
    const GROWTH_KIBIBYTES: u64 = 48 * 1024;
    let place = Place::folder();
    let server = Process::start(&place, &[]);
    let (address, before) = (server.address(), server.peak_kibibytes());
    let (piece, len) = (bytes(1024 * 1024), PIECES * 1024 * 1024);
    let head = format!("POST /fhir/Binary HTTP/1.1\r\ncontent-type: a/b\r\ncontent-length: {len}");
    let (created, _) = exchange(address, &head, PIECES, &piece);
    assert!(created.starts_with("HTTP/1.1 201"), "{created}");
    let id = created.split("/Binary/").nth(1).unwrap().split('/').next().unwrap();
    let get = |accept: &str| exchange(address, &format!("GET /fhir/Binary/{id} HTTP/1.1\r\naccept: {accept}"), 0, b"").1;
    assert_eq!(get("*/*"), len);
    assert!(get("application/fhir+json") > len / 3 * 4);
    let growth = server.peak_kibibytes() - before;
    assert!(growth < GROWTH_KIBIBYTES, "{growth} KiB");
}

#[test]
fn content_over_its_limit_is_refused_however_it_is_sent() {
    let server = Server::start_with(|settings| settings.limits.content_bytes = 100_000);
    assert_eq!(server.send("POST", "/Binary", &[PDF], &bytes(100_000)).status, 201);
    let declared = server.send("POST", "/Binary", &[PDF], &bytes(100_001));
    assert_eq!((declared.status, declared.issue().as_str()), (413, "too-long"));
    let mut connection = server.connect();
    let head = format!(
        "POST /fhir/Binary HTTP/1.1\r\nhost: {}\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n186A1\r\n",
        server.address
    );
    connection.write_all(head.as_bytes()).unwrap();
    // A server that refuses early need not read the rest.
    let _ = connection.write_all(&bytes(100_001));
    let _ = connection.write_all(b"\r\n0\r\n\r\n");
    assert_eq!(Answer::read(&mut connection).status, 413);
    assert_eq!(objects(&server).len(), 1);
    let as_fhir = json!({"resourceType": "Binary", "contentType": "a/b", "data": BASE64_STANDARD.encode(bytes(100_001))});
    assert_eq!(server.post("/Binary", &as_fhir).status, 201, "of JSON the limit is limits.body_bytes");
}

#[test]
fn content_that_is_refused_leaves_nothing_behind() {
    let server = Server::start();
    assert_eq!(server.send("PUT", "/Binary/b", &[PDF], b"short").status, 201);
    let refused = server.send("PUT", "/Binary/b", &[PDF, ("if-match", "W/\"9\"")], &bytes(7_000_000));
    assert_eq!((refused.status, objects(&server).len()), (412, 0));
    assert_eq!(server.get("/Binary/b").body, b"short");
}

#[test]
fn how_long_is_too_long_is_a_setting() {
    let server = Server::start_with(|settings| settings.content.inline_bytes = 3);
    for (content, outside) in [("abc", 0), ("abcd", 1)] {
        let path = format!("/Binary/{}", server.send("POST", "/Binary", &[PDF], content.as_bytes()).id());
        assert_eq!(objects(&server).len(), outside);
        assert_eq!(server.get(&path).body, content.as_bytes());
    }
}
