//! How a store is searched, by figures: terms packed on the row with a table of terms, with an inverted index of PostgreSQL
//! (GIN), and a table of entries alone; on SQLite and on PostgreSQL, with the real entries of French documents.
//! `cargo bench --bench index -- [DOCUMENTS] [postgres://…]`; in PostgreSQL a schema is made and removed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what cannot be measured ends here, and what was measured is told"
)]

use std::time::Instant;

use carnet::definition::Registry;
use carnet::fhir::ResourceType;
use carnet::fhir::json::Tree;
use carnet::search::Indexer;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

const DOCUMENT: &str = include_str!("document-reference.json");
/// What a body takes at rest.
const COMPRESSED_BYTES: usize = 275;
const DOSSIER: i64 = 50;
const AT_ONCE: usize = 500;
const SEARCHES: i64 = 10;
const TURNS: i64 = 20;

/// A document as a store keeps it.
struct Row {
    part: i64,
    rid: i64,
    body: String,
    terms: Vec<i64>,
}

impl Row {
    /// Those that lead to it from anywhere.
    fn leading(&self) -> impl Iterator<Item = i64> + '_ {
        self.terms.iter().copied().filter(|term| *term >= 0)
    }

    /// As the store packs them: nine bytes for one that leads, five for one that judges.
    fn packed(&self, judging_only: bool) -> Vec<u8> {
        let terms = self.terms.iter().filter(|term| !judging_only || **term < 0);
        terms.flat_map(|term| packed(*term)).collect()
    }
}

fn packed(term: i64) -> Vec<u8> {
    let (mark, length) = if term < 0 { (0x80, 5) } else { (0xc0, 9) };
    let mut bytes: Vec<u8> = (0..length).rev().map(|place| (term >> (7 * place)) as u8 & 0x7f).collect();
    bytes[0] |= mark;
    bytes
}

fn document(number: i64) -> String {
    let (dossier, date) = (number / DOSSIER, format!("20{:02}-{:02}-{:02}", 10 + number % 16, 1 + number % 12, 1 + number % 28));
    let mut body: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap();
    body["masterIdentifier"]["value"] = format!("urn:oid:1.2.250.1.999.1.1.{number}").into();
    body["identifier"][0]["value"] = format!("urn:uuid:7b1d3c1e-52b8-4f0a-9e0f-{number:012}").into();
    body["subject"]["reference"] = format!("Patient/p{dossier}").into();
    body["type"]["coding"][0]["code"] = ["11502-2", "34112-3", "18842-5", "11490-0", "57833-6"][number as usize % 5].into();
    body["author"][0]["reference"] = format!("Practitioner/8100000{:05}", number % 4_000).into();
    body["date"] = format!("{date}T10:30:00+01:00").into();
    body.to_string()
}

fn rows(count: i64) -> Vec<Row> {
    let registry = Registry::shared().unwrap();
    let indexer = Indexer::new(registry, "http://127.0.0.1:8080/fhir", [7; 16], chrono_tz::Europe::Paris);
    let row = |number: i64| {
        let body = document(number);
        let entries = indexer.entries(ResourceType::DocumentReference, &Tree::parse(body.as_bytes()).unwrap()).unwrap();
        let terms = entries.terms.iter().map(|term| term.0).collect();
        let body = body.chars().filter(char::is_ascii).take(COMPRESSED_BYTES).collect();
        Row { part: (number / DOSSIER).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()), rid: number, body, terms }
    };
    (0..count).map(row).collect()
}

/// A back end on which layouts are tried.
trait Database {
    fn execute(&mut self, text: &str);
    fn write(&mut self, layout: &Layout, rows: &[Row]);
    /// Ends what writing has left for later.
    fn settle(&mut self) {}
    fn bytes(&mut self) -> f64;
    /// How many rows a query has.
    fn count(&mut self, text: &str) -> usize;
}

/// A way to keep entries.
struct Layout {
    name: &'static str,
    make: &'static str,
    /// `{part}`, `{term}`: the documents of a dossier with a term, the first twenty.
    inside: &'static str,
    /// `{term}`: the same in all dossiers.
    across: &'static str,
    table: Option<&'static str>,
    is_array: bool,
}

// Every layout has the index of all instances by age.
const ON_BOTH: &str = "CREATE TABLE i (part BIGINT, rid BIGINT, terms {bytes}, body TEXT, PRIMARY KEY (part, rid)) {clustered};
     CREATE INDEX i_rid ON i (rid);
     CREATE TABLE e (term BIGINT, rid BIGINT, part BIGINT, PRIMARY KEY (term, rid, part)) {clustered};";
const ACROSS: &str = "SELECT i.rid, i.body FROM (SELECT part, rid FROM e WHERE term = {term} ORDER BY rid LIMIT 20) d \
     CROSS JOIN i WHERE i.part = d.part AND i.rid = d.rid";

const LAYOUTS: [Layout; 3] = [
    Layout {
        name: "packed, table of terms",
        make: ON_BOTH,
        inside: "SELECT rid, body FROM i WHERE part = {part} AND {has} ORDER BY rid LIMIT 20",
        across: ACROSS,
        table: Some("e"),
        is_array: false,
    },
    Layout {
        name: "table of entries alone",
        make: "CREATE TABLE i (part BIGINT, rid BIGINT, terms {bytes}, body TEXT, PRIMARY KEY (part, rid)) {clustered};
             CREATE INDEX i_rid ON i (rid);
             CREATE TABLE e (part BIGINT, term BIGINT, rid BIGINT, PRIMARY KEY (part, term, rid)) {clustered};
             CREATE INDEX e_term ON e (term, rid, part);",
        inside: "SELECT i.rid, i.body FROM (SELECT part, rid FROM e WHERE part = {part} AND term = {term} ORDER BY rid LIMIT 20) d \
             CROSS JOIN i WHERE i.part = d.part AND i.rid = d.rid",
        across: ACROSS,
        table: Some("e"),
        is_array: false,
    },
    Layout {
        name: "packed, inverted index (GIN)",
        make: "CREATE TABLE i (part BIGINT, rid BIGINT, terms {bytes}, body TEXT, leads BIGINT[], PRIMARY KEY (part, rid));
             CREATE INDEX i_rid ON i (rid);
             CREATE INDEX i_leads ON i USING gin (leads);",
        inside: "SELECT rid, body FROM i WHERE part = {part} AND leads && ARRAY[{term}::bigint] ORDER BY rid LIMIT 20",
        across: "SELECT rid, body FROM i WHERE leads && ARRAY[{term}::bigint] ORDER BY rid LIMIT 20",
        table: None,
        is_array: true,
    },
];

/// A file in a folder that is removed with it.
struct File(rusqlite::Connection, #[allow(dead_code, reason = "kept until the end")] tempfile::TempDir);

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
        let settings = "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA cache_size = -262144";
        connection.execute_batch(settings).unwrap();
        Self(connection, folder)
    }
}

impl Database for File {
    fn execute(&mut self, text: &str) {
        let text = text.replace("{bytes}", "BLOB").replace("{clustered}", "WITHOUT ROWID");
        self.0.execute_batch(&text).unwrap();
    }

    fn write(&mut self, layout: &Layout, rows: &[Row]) {
        let transaction = self.0.transaction().unwrap();
        {
            let mut instance = transaction.prepare("INSERT INTO i VALUES (?, ?, ?, ?)").unwrap();
            let mut entry = transaction.prepare("INSERT INTO e (term, rid, part) VALUES (?, ?, ?)").unwrap();
            for row in rows {
                let packed = if layout.name.starts_with("packed") { row.packed(false) } else { Vec::new() };
                instance.execute(rusqlite::params![row.part, row.rid, packed, row.body]).unwrap();
                row.leading().for_each(|term| assert_eq!(entry.execute([term, row.rid, row.part]), Ok(1)));
            }
        }
        transaction.commit().unwrap();
    }

    fn bytes(&mut self) -> f64 {
        let of = |name| self.0.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, f64>(0)).unwrap();
        of("page_count") * of("page_size")
    }

    fn count(&mut self, text: &str) -> usize {
        let text = match text.split_once("{has ") {
            Some((before, rest)) => {
                let (term, after) = rest.split_once('}').unwrap();
                let bytes = hexadecimal(&packed(term.parse().unwrap()));
                format!("{before}instr(terms, x'{bytes}') > 0{after}")
            }
            None => text.to_owned(),
        };
        let mut statement = self.0.prepare(&text).unwrap();
        let bodies = statement.query_map([], |row| row.get::<_, String>(1)).unwrap();
        bodies.filter(|body| !body.as_ref().unwrap().is_empty()).count()
    }
}

struct Server(PgConnection);

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    rid: i64,
}

impl Server {
    fn new(url: &str) -> Self {
        let mut connection = PgConnection::establish(url).unwrap();
        connection.batch_execute("CREATE SCHEMA index_bench; SET search_path TO index_bench; SET jit = off").unwrap();
        Self(connection)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.batch_execute("DROP SCHEMA index_bench CASCADE");
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Database for Server {
    fn execute(&mut self, text: &str) {
        self.0.batch_execute(&text.replace("{bytes}", "BYTEA").replace("{clustered}", "")).unwrap();
    }

    fn write(&mut self, layout: &Layout, rows: &[Row]) {
        let joined = |terms: Vec<i64>| terms.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let instance = |row: &Row| {
            let packed = if layout.name.starts_with("packed") { row.packed(layout.is_array) } else { Vec::new() };
            let leads = if layout.is_array { format!(", '{{{}}}'", joined(row.leading().collect())) } else { String::new() };
            let body = row.body.replace('\'', "''");
            format!("({}, {}, '\\x{}', '{body}'{leads})", row.part, row.rid, hexadecimal(&packed))
        };
        let instances: Vec<String> = rows.iter().map(instance).collect();
        let mut text = format!("BEGIN; INSERT INTO i VALUES {};", instances.join(", "));
        if let Some(table) = layout.table {
            let entry = |row: &Row| row.leading().map(|term| format!("({term}, {}, {})", row.rid, row.part)).collect::<Vec<_>>();
            let entries: Vec<String> = rows.iter().flat_map(entry).collect();
            text += &format!("INSERT INTO {table} (term, rid, part) VALUES {};", entries.join(", "));
        }
        self.0.batch_execute(&(text + "COMMIT")).unwrap();
    }

    fn settle(&mut self) {
        let pending = "SELECT gin_clean_pending_list(to_regclass('i_leads')) WHERE to_regclass('i_leads') IS NOT NULL";
        self.0.batch_execute(pending).unwrap();
    }

    fn bytes(&mut self) -> f64 {
        self.0.batch_execute("VACUUM ANALYZE i").unwrap();
        let query = "SELECT sum(pg_total_relation_size(c.oid))::bigint AS rid FROM pg_class c \
             JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'index_bench' AND c.relkind = 'r'";
        diesel::sql_query(query).get_result::<Found>(&mut self.0).unwrap().rid as f64
    }

    fn count(&mut self, text: &str) -> usize {
        let text = match text.split_once("{has ") {
            Some((before, rest)) => {
                let (term, after) = rest.split_once('}').unwrap();
                let bytes = hexadecimal(&packed(term.parse().unwrap()));
                format!("{before}position('\\x{bytes}'::bytea IN terms) > 0{after}")
            }
            None => text.to_owned(),
        };
        diesel::sql_query(text).load::<Found>(&mut self.0).unwrap().iter().filter(|found| found.rid >= 0).count()
    }
}

/// The time each of `texts` takes, in microseconds: the median of them.
fn micros(database: &mut dyn Database, texts: &[String]) -> (f64, usize) {
    let (mut times, mut found) = (Vec::new(), 0);
    for text in texts {
        let begun = Instant::now();
        (0..TURNS).for_each(|_| found += database.count(text));
        times.push(begun.elapsed().as_secs_f64() * 1e6 / TURNS as f64);
    }
    times.sort_unstable_by(f64::total_cmp);
    (times[times.len() / 2], found / TURNS as usize)
}

fn measure(name: &str, database: &mut dyn Database, layout: &Layout, rows: &[Row]) {
    database.execute("DROP TABLE IF EXISTS i; DROP TABLE IF EXISTS e;");
    database.execute(layout.make);
    let begun = Instant::now();
    rows.chunks(AT_ONCE).for_each(|rows| database.write(layout, rows));
    database.settle();
    let write = begun.elapsed().as_secs_f64() * 1e6 / rows.len() as f64;
    let bytes = database.bytes() / rows.len() as f64;
    let searched: Vec<&Row> = (0..SEARCHES).map(|which| &rows[(which as usize * 7_919 + 13) % rows.len()]).collect();
    // From the rarest term of a document to the most frequent one.
    let term = |which: usize, row: &Row| {
        let leading: Vec<i64> = row.leading().collect();
        leading[which * leading.len() / SEARCHES as usize]
    };
    let texts = |text: &str| -> Vec<String> {
        let one = |(which, row): (usize, &&Row)| {
            let term = term(which, row).to_string();
            let text = text.replace("{has}", &format!("{{has {term}}}")).replace("{term}", &term);
            text.replace("{part}", &row.part.to_string())
        };
        searched.iter().enumerate().map(one).collect()
    };
    let (inside, inside_found) = micros(database, &texts(layout.inside));
    let (across, across_found) = micros(database, &texts(layout.across));
    println!(
        "| {name} | {} | {bytes:.0} | {write:.0} | {inside:.0} ({inside_found}) | {across:.0} ({across_found}) |",
        layout.name
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let count = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let rows = rows(count);
    println!(
        "{count} documents, {} terms each, of which {} lead",
        rows.iter().map(|row| row.terms.len()).sum::<usize>() / rows.len(),
        rows.iter().map(|row| row.leading().count()).sum::<usize>() / rows.len()
    );
    println!("| back end | layout | bytes each | µs to write each | µs in a dossier (found) | µs across dossiers (found) |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for layout in LAYOUTS.iter().filter(|layout| !layout.is_array) {
        measure("SQLite", &mut File::new(), layout, &rows);
    }
    if let Some(url) = arguments.iter().find(|argument| argument.starts_with("postgres")) {
        let mut server = Server::new(url);
        LAYOUTS.iter().for_each(|layout| measure("PostgreSQL", &mut server, layout, &rows));
    }
}
