//! Aliases: every one leads to an instance of that name.

use diesel::result::QueryResult;

use super::{Look, place_of};
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, ResourceType};
use crate::store::connection::Connection;
use crate::store::statement::Statement;

const PAGE_ALIASES: i64 = 1_024;

const PAGE: &str = "SELECT a.name, a.kind, a.id, a.part, a.rid, i.id, CAST(i.kind AS BIGINT) FROM alias a \
     LEFT JOIN instance i ON i.part = a.part AND i.rid = a.rid \
     WHERE (a.name, a.kind, a.id) > (?, ?, ?) ORDER BY a.name, a.kind, a.id LIMIT ?";

/// A row of `alias` and the instance at its place.
struct Alias {
    name: i64,
    kind: i16,
    id: String,
    key: (i64, i64),
    found: (Option<String>, Option<i64>),
}

impl Look<'_> {
    /// Looks at every alias.
    pub(super) fn names(&mut self) -> QueryResult<()> {
        let mut after = (i64::MIN, i16::MIN, String::new());
        loop {
            let page = page(self.connection, &after)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = (last.name, last.kind, last.id.clone());
            for alias in &page {
                if let Some(rule) = alias.wrong() {
                    self.fault(format!("alias {}", place_of(alias.kind, &alias.id, alias.key)), rule);
                }
            }
        }
    }
}

/// The aliases that follow.
fn page(connection: &mut Connection, after: &(i64, i16, String)) -> QueryResult<Vec<Alias>> {
    let statement = Statement::new(PAGE).bind(after.0).bind(after.1).bind(after.2.as_str()).bind(PAGE_ALIASES);
    connection.load(&statement, |row| {
        let (key, found) = ((row.bigint(3)?, row.bigint(4)?), (row.optional_text(5)?, row.optional_bigint(6)?));
        Ok(Alias { name: row.bigint(0)?, kind: row.smallint(1)?, id: row.text(2)?, key, found })
    })
}

impl Alias {
    fn wrong(&self) -> Option<&'static str> {
        let named = ResourceType::from_code(self.kind).zip(self.id.parse::<InstanceId>().ok());
        if named.is_none_or(|(kind, id)| name_hash(kind, &id).cast_signed() != self.name) {
            return Some("its hash is not that of its name");
        }
        let leads_there = self.found.0.as_ref() == Some(&self.id) && self.found.1 == Some(i64::from(self.kind));
        (!leads_there).then_some("it leads to no instance of that name")
    }
}
