//! The tables: the same on both back ends, made and undone by the migrations, each distributed once.

use std::collections::BTreeMap;
use std::path::Path;

use diesel_migrations::MigrationHarness as _;

use super::bed::*;
use super::on_each_back_end;
use crate::config::StoreSettings;
use crate::outcome::Failure;
use crate::store::connection::{Connection, Source};
use crate::store::dialect::{Dialect, Use};
use crate::store::schema::{POSTGRES, SQLITE, ready};
use crate::store::statement::Statement;
use crate::store::{Store, migrate};

/// Every table and its columns in their order, each with its type; `null` where it may be. Only in how they lead from terms to
/// instances the back ends differ: see [`tables`].
const TABLES: &[(&str, &[&str])] = &[
    ("alias", &["name bigint", "kind smallint", "id text", "part bigint", "rid bigint"]),
    ("audit", &["part bigint", "seq bigint", "recorded bigint", "preceding bigint null", "entry binary"]),
    ("audit_head", &["part bigint", "seq bigint", "recorded bigint", "preceding bigint null"]),
    ("content", &["part bigint", "digest binary", "generation bigint", "uses bigint", "size bigint", "chunks binary"]),
    ("date_value", &["part bigint", "rid bigint", "entry integer", "parameter integer", "low bigint", "high bigint"]),
    (
        "instance",
        &[
            "part bigint",
            "rid bigint",
            "version bigint",
            "updated bigint",
            "date_low bigint null",
            "date_high bigint null",
            "kind smallint",
            "method smallint",
            "id text",
            "terms binary",
            "leads ARRAY",
            "body binary null",
        ],
    ),
    ("job", &["name text", "state text"]),
    ("parameter", &["id integer", "state smallint", "since bigint", "definition text"]),
    ("premise", &["slot smallint", "taken bigint"]),
    (
        "quantity_value",
        &[
            "part bigint",
            "rid bigint",
            "entry integer",
            "parameter integer",
            "unit bigint",
            "low double precision",
            "high double precision",
        ],
    ),
    ("setting", &["name text", "value binary"]),
    ("string_value", &["part bigint", "rid bigint", "entry integer", "parameter integer", "folded text"]),
    ("term", &["term bigint", "kind smallint", "rid bigint", "part bigint", "qualifier bigint"]),
    ("task", &["id text", "expires bigint", "state text"]),
    ("task_output", &["id text", "page integer", "body binary"]),
    (
        "version",
        &[
            "part bigint",
            "rid bigint",
            "version bigint",
            "updated bigint",
            "kind smallint",
            "method smallint",
            "body binary null",
        ],
    ),
];

/// What there is of [`TABLES`] on one back end: an array of leading terms and a table of what holds writers apart on PostgreSQL, a
/// table of leading terms on SQLite.
fn tables(dialect: Dialect) -> BTreeMap<&'static str, Vec<&'static str>> {
    let (no_table, no_column) = match dialect {
        Dialect::Sqlite => ("premise", "leads ARRAY"),
        Dialect::Postgres => ("term", ""),
    };
    let of_back_end = TABLES.iter().filter(|(table, _)| *table != no_table);
    let columns = |columns: &[&'static str]| columns.iter().copied().filter(|column| *column != no_column).collect();
    of_back_end.map(|(table, all)| (*table, columns(all))).collect()
}

/// The tables that are there, in the words of [`TABLES`].
fn columns(connection: &mut Connection) -> BTreeMap<String, Vec<String>> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT t.name, c.name || ' ' || replace(lower(c.type), 'blob', 'binary') || iif(c.\"notnull\", '', ' null') \
             FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY t.name, c.cid"
        }
        Dialect::Postgres => {
            "SELECT table_name, column_name || ' ' || replace(data_type, 'bytea', 'binary') \
             || CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END \
             FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%' \
             ORDER BY table_name, ordinal_position"
        }
    };
    let mut tables = BTreeMap::<String, Vec<String>>::new();
    for (table, column) in connection.load(&Statement::new(text), |row| Ok((row.text(0)?, row.text(1)?))).unwrap() {
        tables.entry(table).or_default().push(column);
    }
    tables
}

/// Tables, columns, keys and indexes, in the words of each back end.
fn dump(connection: &mut Connection) -> Vec<String> {
    let text = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY name"
        }
        Dialect::Postgres => {
            "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(collation_name, '') \
             FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%' \
             UNION ALL SELECT replace(indexdef, current_schema(), '') FROM pg_indexes \
             WHERE schemaname = current_schema() AND tablename NOT LIKE '\\_\\_%' ORDER BY 1"
        }
    };
    connection.load(&Statement::new(text), |row| row.text(0)).unwrap()
}

on_each_back_end! {
    async fn the_tables_are_these(bed: &Bed) {
        let mut connection = bed.connection(Use::Migrating);
        let there = columns(&mut connection);
        let there: BTreeMap<&str, Vec<&str>> =
            there.iter().map(|(table, columns)| (table.as_str(), columns.iter().map(String::as_str).collect())).collect();
        assert_eq!(there, tables(connection.dialect()));
    }

    async fn the_migrations_undo_what_they_do(bed: &Bed) {
        let mut connection = bed.connection(Use::Migrating);
        let up = dump(&mut connection);
        assert!(up.len() > TABLES.len());
        connection.either(
            |sqlite| sqlite.revert_all_migrations(SQLITE).map(drop).map_err(Failure::fault),
            |postgres| postgres.revert_all_migrations(POSTGRES).map(drop).map_err(Failure::fault),
        ).unwrap();
        assert_eq!(dump(&mut connection), Vec::<String>::new());
        ready(&mut connection).unwrap();
        assert_eq!(dump(&mut connection), up);
    }
}

#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn postgres_is_migrated_once_by_many_who_start_at_once() {
    let (settings, name) = empty_schema();
    let taken: usize = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..8).map(|_| scope.spawn(|| migrate(&settings).unwrap().len())).collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let stated = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres")).unwrap().count();
    assert_eq!(taken, stated);
    let mut connection = Source::of(&settings, &limits()).connect(Use::Migrating).unwrap();
    connection.batch(&format!("DROP SCHEMA {name} CASCADE")).unwrap();
}

/// The program has a newer schema than the database, and its role may not change that.
#[test]
#[ignore = "needs a server of PostgreSQL, named by CARNET_TEST_POSTGRES"]
fn postgres_that_is_older_is_refused_with_the_command_that_mends_it() {
    let (settings, name) = empty_schema();
    let mut connection = Source::of(&settings, &limits()).connect(Use::Migrating).unwrap();
    connection.batch(&format!("CREATE ROLE reader_{name}; GRANT USAGE ON SCHEMA {name} TO reader_{name}")).unwrap();
    let StoreSettings::Postgres { url } = &settings else { panic!("a server") };
    let poor: StoreSettings = format!("{}%20-crole%3Dreader_{name}", url.expose()).parse().unwrap();
    let refused = Store::open(&poor, &limits()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("run `carnet migrate` as a user of the database who may make tables"), "{refused}");
    migrate(&settings).unwrap();
    connection.batch(&format!("GRANT ALL ON ALL TABLES IN SCHEMA {name} TO reader_{name}")).unwrap();
    assert!(Store::open(&poor, &limits()).is_ok());
    connection.batch(&format!("DROP SCHEMA {name} CASCADE; DROP ROLE reader_{name}")).unwrap();
}

#[test]
fn the_migrations_of_both_back_ends_have_the_same_names() {
    let names = |back_end: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(back_end);
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}

#[test]
fn every_table_is_distributed_once_by_a_column_it_has() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/citus.sql")).unwrap();
    let calls = text.lines().filter_map(|line| line.strip_prefix("SELECT create_"));
    let mut distributed: Vec<&str> = calls
        .map(|call| {
            let mut words = call.split('\'');
            let (kind, table) = (words.next().unwrap(), words.next().unwrap());
            let columns = &tables(Dialect::Postgres)[table];
            if kind == "distributed_table(" {
                let key = words.nth(1).unwrap();
                assert!(columns.contains(&format!("{key} bigint").as_str()), "{table} has no {key}");
                assert!(key == "part" || table == "alias", "{table} rests beside its dossier");
            } else {
                assert!(
                    kind == "reference_table("
                        && ["job", "parameter", "premise", "setting", "task", "task_output"].contains(&table),
                    "{kind}{table}"
                );
            }
            table
        })
        .collect();
    distributed.sort_unstable();
    assert_eq!(distributed, tables(Dialect::Postgres).into_keys().collect::<Vec<_>>());
}

#[test]
fn every_table_is_copied_with_all_its_columns() {
    let copied: BTreeMap<_, _> = crate::store::copy::TABLES.iter().map(|table| (table.name, table.column_names())).collect();
    // The rows of `term` follow from those of `instance`, whose terms are one column that rests as two on PostgreSQL.
    let there =
        tables(Dialect::Sqlite).into_iter().filter(|(name, _)| !matches!(*name, "setting" | "task" | "task_output" | "term"));
    let there = there.map(|(name, columns)| (name, columns.iter().filter_map(|column| column.split(' ').next()).collect()));
    assert_eq!(copied, there.collect());
}
