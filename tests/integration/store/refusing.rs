//! A database that refuses: what passes is tried again, what lasts is answered 503, and when it is over nobody has to help.

use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Integer;

use crate::support::cluster::Cluster;
use crate::support::place::Place;
use crate::support::resources::patient_called;
use crate::support::server::{Answer, Server};

/// What may pass by itself: serialization, deadlock, lock, cancelled statement, full disk or memory, an operator's intervention,
/// a read-only server, a lost connection, and what Citus says at the end of a transaction.
const PASSING: &[&str] =
    &["40001", "40P01", "55P03", "57014", "53100", "53200", "57P01", "57P02", "57P03", "25006", "08006", "08003", "XX000"];

/// Lets every insertion of instances fail with `state`, the first `times` of them; `late`: only when it is to be committed.
fn refuse(place: &Place, state: &str, times: u32, late: bool) {
    let (kind, when) =
        if late { ("CONSTRAINT", "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW") } else { ("", "FOR EACH STATEMENT") };
    place.execute(&format!(
        "CREATE SEQUENCE attempts; GRANT USAGE ON attempts TO carnet_server;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('attempts') <= {times} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END IF;
             RETURN NULL;
         END $$;
         CREATE {kind} TRIGGER refusing AFTER INSERT ON instance {when} EXECUTE FUNCTION refuse();"
    ));
}

fn refuse_no_more(place: &Place) {
    place.execute("DROP TRIGGER refusing ON instance; DROP FUNCTION refuse; DROP SEQUENCE attempts");
}

/// A server that waits for a second only.
fn impatient(place: Place) -> Server {
    Server::start_at(place, |settings| {
        settings.limits.store_wait_seconds = 1;
        settings.limits.reader_threads = 2;
    })
}

/// Whether the client is told to try again later.
fn is_away(answer: &Answer) -> bool {
    answer.status == 503 && answer.header("retry-after").is_some() && answer.issue() == "transient"
}

/// Sends it until the database is not away any more.
fn at_last(send: impl Fn() -> Answer) -> Answer {
    std::iter::repeat_with(send).find(|answer| answer.status != 503).unwrap()
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn what_passes_is_tried_again_and_done_once() {
    let server = Server::start_at(Place::on_the_server(), |_| {});
    for (number, state) in PASSING.iter().enumerate() {
        for late in [false, true] {
            let id = format!("p{number}{late}");
            refuse(&server.place, state, 2, late);
            let answer = server.put(&format!("/Patient/{id}"), &patient_called(&id));
            assert_eq!(answer.status, 201, "{state} {late}");
            refuse_no_more(&server.place);
            let history = server.get(&format!("/Patient/{id}/_history")).json();
            assert_eq!(history["entry"].as_array().unwrap().len(), 1, "{state} {late}");
        }
    }
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn what_lasts_is_answered_503_and_is_over_when_it_is_over() {
    let server = impatient(Place::on_the_server());
    for (number, state) in ["53100", "40P01", "57P01", "XX000"].iter().enumerate() {
        let (id, late) = (format!("p{number}"), *state == "XX000");
        refuse(&server.place, state, u32::MAX, late);
        assert!(is_away(&server.put(&format!("/Patient/{id}"), &patient_called(&id))), "{state}");
        refuse_no_more(&server.place);
        assert_eq!(at_last(|| server.put(&format!("/Patient/{id}"), &patient_called(&id))).status, 201, "{state}");
        let history = server.get(&format!("/Patient/{id}/_history")).json();
        assert_eq!(history["entry"].as_array().unwrap().len(), 1, "{state}");
    }
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn a_statement_that_takes_too_long_is_given_up() {
    let server = impatient(Place::on_the_server());
    server.place.execute(
        "CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3600); RETURN NULL; END $$;
         CREATE TRIGGER sleeping AFTER INSERT ON instance FOR EACH STATEMENT EXECUTE FUNCTION sleep();",
    );
    assert!(is_away(&server.put("/Patient/p1", &patient_called("p1"))));
    server.place.execute("DROP TRIGGER sleeping ON instance; DROP FUNCTION sleep");
    assert_eq!(at_last(|| server.put("/Patient/p1", &patient_called("p1"))).status, 201);
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn a_lock_that_somebody_keeps_is_not_waited_for_for_ever() {
    let server = impatient(Place::on_the_server());
    assert_eq!(at_last(|| server.put("/Patient/p1", &patient_called("p1"))).status, 201);
    let mut holder = server.place.connection();
    holder.batch_execute("BEGIN; LOCK TABLE instance IN ACCESS EXCLUSIVE MODE").unwrap();
    assert!(is_away(&server.get("/Patient/p1")));
    assert!(is_away(&server.put("/Patient/p2", &patient_called("p2"))));
    holder.batch_execute("ROLLBACK").unwrap();
    assert_eq!(at_last(|| server.get("/Patient/p1")).status, 200);
    assert_eq!(at_last(|| server.put("/Patient/p2", &patient_called("p2"))).status, 201);
}

/// As many connections as the server of the next test has room for.
const ALL_CONNECTIONS: usize = 20;

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

fn own_process(connection: &mut PgConnection) -> i32 {
    sql_query("SELECT pg_backend_pid() AS pid").get_result::<Process>(connection).unwrap().pid
}

#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_takes_no_more_connections_is_waited_for() {
    let most = format!("max_connections={ALL_CONNECTIONS}");
    let cluster = Cluster::start(&[&most, "superuser_reserved_connections=0"]);
    let place = Place::on(&cluster);
    let server = impatient(place);
    let mut others = Vec::new();
    // Whatever the server has connected by now ends, and others take its room, until it has none.
    while others.len() < ALL_CONNECTIONS {
        others.extend(std::iter::from_fn(|| PgConnection::establish(cluster.url()).ok()));
        let own: Vec<String> = others.iter_mut().map(|other| own_process(other).to_string()).collect();
        let end = format!(
            "DO $$ BEGIN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE backend_type = 'client backend' AND pid NOT IN ({}); END $$",
            own.join(", ")
        );
        others.first_mut().unwrap().batch_execute(&end).unwrap();
    }
    assert!(is_away(&server.get("/Patient/p1")));
    others.clear();
    assert_eq!(at_last(|| server.get("/Patient/p1")).status, 404);
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn connections_that_an_operator_ends_are_made_anew() {
    let server = Server::start_at(Place::on_the_server(), |_| {});
    for round in 0..5 {
        let id = format!("p{round}");
        assert_eq!(server.put(&format!("/Patient/{id}"), &patient_called(&id)).status, 201);
        let backends = server.place.backends();
        assert!(!backends.is_empty());
        for pid in backends {
            sql_query("SELECT pg_terminate_backend($1)").bind::<Integer, _>(pid).execute(&mut server.place.connection()).unwrap();
        }
        assert_eq!(server.get(&format!("/Patient/{id}")).status, 200);
    }
}

/// Neither works nor breaks its connections.
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn a_server_that_is_frozen_keeps_nobody_waiting() {
    let cluster = Cluster::start(&[]);
    let server = impatient(Place::on(&cluster));
    assert_eq!(at_last(|| server.put("/Patient/p1", &patient_called("p1"))).status, 201);
    assert_eq!(at_last(|| server.get("/Patient/p1")).status, 200);
    let backends: Vec<String> = server.place.backends().iter().map(ToString::to_string).collect();
    let signal = |name: &str| assert!(Command::new("kill").arg(name).args(&backends).status().unwrap().success());
    signal("-STOP");
    assert!(is_away(&server.put("/Patient/p1", &patient_called("p1"))));
    signal("-CONT");
    assert!(matches!(at_last(|| server.put("/Patient/p1", &patient_called("p1"))).status, 200 | 201));
}
