//! What the server said to PostgreSQL while all other tests ran: every statement finds its rows by the key by which they would be
//! distributed, or is one of a few that were looked at; and none uses what cannot be had on several servers.
//!
//! To be run after the others, on a server with `pg_stat_statements`.

use regex::Regex;

use crate::support::place::Place;

/// What is said without naming rows of a dossier: of a session, of a transaction, of the migrations.
const NO_ROWS: &[&str] = &[
    r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET) ?",
    r"^(-- .* )?(CREATE|ALTER|DROP) (TABLE|INDEX) ",
    r"__diesel_schema_migrations",
    r"FROM setting WHERE name = \$1$",
    r"^INSERT INTO setting ",
    r"^LOCK TABLE parameter IN (ROW SHARE|EXCLUSIVE) MODE$",
];

/// The tables of a dossier, and the one of names.
const TABLES: &str = "instance|version|date_value|string_value|quantity_value|audit|audit_head|content|alias";

/// What asks every server: searches that name no dossier.
const FANS_OUT: &[(&str, &str)] = &[
    (r"^instance i WHERE i\.kind (=|IN) .* AND i\.body IS NOT NULL AND ", "instances of a type by their values"),
    (r"^instance i WHERE \$\d+ = \$\d+ AND ", "none: a condition that nothing fulfils"),
    (r"^instance WHERE kind = .* AND body IS NOT NULL", "how many instances of a type are to be indexed anew"),
    (r"^(instance|version) x WHERE x\.kind = ", "the history of a type, and of every type"),
    (r"^instance i WHERE i\.(body|kind > k\.kind AND i\.body) IS (NOT )?NULL", "which types there are, for the history of all"),
    (r"^content WHERE uses > \$1 LIMIT ", "whether there is any content, when its place is looked at for the first time"),
];

/// The text from `from` up to the parenthesis that ends what it stands in.
fn scope(text: &str, from: usize) -> &str {
    let mut depth = 0;
    let end = text[from..].char_indices().find(|(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0
    });
    &text[from..end.map_or(text.len(), |(end, _)| from + end)]
}

/// The places of a statement that touch rows of a dossier other than by their key.
fn without_key(text: &str) -> Vec<&str> {
    let touches = Regex::new(&format!(r"\b(FROM|JOIN|UPDATE|USING|INTO) (({TABLES})( [a-z])?)\b")).unwrap();
    let found = touches.captures_iter(text).filter_map(|touched| {
        let there = scope(text, touched.get(2).unwrap().start());
        let key = if &touched[3] == "alias" { "name" } else { "part" };
        let name = touched.get(4).map_or(String::new(), |name| format!(r"{}\.", name.as_str().trim()));
        let is_keyed = match &touched[1] {
            // Rows that are inserted say themselves where they go.
            "INTO" => Regex::new(&format!(r"^\w+ \([^)]*\b{key}\b")).unwrap().is_match(there),
            _ => Regex::new(&format!(r"[ (]{name}{key} (=|IN)")).unwrap().is_match(there),
        };
        (!is_keyed).then_some(there)
    });
    found.collect()
}

fn is_reviewed(place: &str) -> bool {
    FANS_OUT.iter().any(|(form, _)| Regex::new(form).unwrap().is_match(place))
}

fn names_rows(text: &str) -> bool {
    !NO_ROWS.iter().any(|form| Regex::new(form).unwrap().is_match(text))
}

#[test]
#[ignore = "reads what was said to a server of PostgreSQL, named by CARNET_TEST_POSTGRES, while the other tests ran"]
fn every_statement_is_keyed_by_its_dossier_or_reviewed() {
    let statements: Vec<String> = Place::statements().into_iter().filter(|text| names_rows(text)).collect();
    let places = statements.iter().flat_map(|statement| without_key(statement));
    let unreviewed: Vec<&str> = places.filter(|place| !is_reviewed(place)).collect();
    assert_eq!(unreviewed, Vec::<&str>::new());
    assert!(statements.len() > 60, "the other tests come first: {}", statements.len());
    for (form, meaning) in FANS_OUT {
        let form = Regex::new(form).unwrap();
        let is_used = |text: &String| without_key(text).iter().any(|place| form.is_match(place));
        assert!(statements.iter().any(is_used), "nothing does this any more: {meaning}");
    }
}

#[test]
#[ignore = "reads what was said to a server of PostgreSQL, named by CARNET_TEST_POSTGRES, while the other tests ran"]
fn no_statement_uses_what_several_servers_do_not_have() {
    let forbidden = Regex::new(
        r"(?i)\b(LISTEN|NOTIFY|TRIGGER|SERIALIZABLE|SEQUENCE|nextval|pg_(try_)?advisory\w*)\b|^WITH .*\b(INSERT|UPDATE|DELETE)\b",
    );
    let (forbidden, locks) = (forbidden.unwrap(), Regex::new(r"(?i)\bFOR (NO KEY )?(UPDATE|SHARE|KEY SHARE)\b").unwrap());
    for statement in Place::statements() {
        assert!(!forbidden.is_match(&statement), "{statement}");
        let is_keyed = statement.ends_with("WHERE part = $1 AND rid = $2 FOR UPDATE");
        assert!(!locks.is_match(&statement) || is_keyed, "{statement}");
        // Tables that are the same everywhere.
        let is_small = statement.contains("__diesel_schema_migrations") || statement.starts_with("LOCK TABLE parameter ");
        assert!(!statement.starts_with("LOCK ") || is_small, "{statement}");
    }
}

#[test]
fn a_statement_without_its_key_is_found() {
    let keyed = [
        "SELECT v.version FROM version v WHERE v.part = $1 AND v.rid = $2",
        "DELETE FROM content WHERE digest = $1 AND part = $4",
        "INSERT INTO content (part, digest) SELECT * FROM unnest($1, $2)",
        "SELECT i.body FROM (SELECT i.rid FROM instance i WHERE ((i.part = $1 AND i.rid = $2))) o CROSS JOIN instance i WHERE i.part = o.part",
        "SELECT a.part FROM alias a WHERE a.name = $1",
    ];
    for text in keyed {
        assert_eq!(without_key(text), Vec::<&str>::new(), "{text}");
    }
    let unkeyed = "SELECT i.body FROM (SELECT i.rid FROM instance i WHERE i.rid = $1 AND EXISTS \
         (SELECT 1 FROM content v WHERE v.part = i.part)) o CROSS JOIN instance i WHERE i.part = o.part";
    assert_eq!(without_key(unkeyed).len(), 1);
    assert!(!is_reviewed(without_key(unkeyed)[0]));
    assert_eq!(without_key("UPDATE version SET body = NULL WHERE rid = $1").len(), 1);
    assert_eq!(without_key("SELECT i.id FROM alias a JOIN instance i ON i.part = a.part WHERE a.id = $1").len(), 1);
}
