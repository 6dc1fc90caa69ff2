//! Contents outside the database: each is counted as often as versions name it, is there, and is the one its name says.

use std::collections::BTreeMap;

use bytes::Bytes;
use diesel::result::QueryResult;

use super::{Look, resource};
use crate::outcome::{Failure, Kind};
use crate::store::connection::Connection;
use crate::store::content::{self, Digest, Known};
use crate::store::statement::Statement;

const BODIES: [&str; 2] = ["SELECT body FROM instance WHERE part = ?", "SELECT body FROM version WHERE part = ?"];

/// How many versions name a content of a dossier.
pub(super) type Named = BTreeMap<(i64, Digest), i64>;

impl Look<'_> {
    /// Counts the contents that a version names.
    pub(super) fn count(&mut self, body: Option<&Bytes>, part: i64) {
        for digest in body.map(|body| content::named(body, part)).unwrap_or_default() {
            *self.named.entry((part, digest)).or_default() += 1;
        }
    }

    /// Looks at every content.
    pub(super) fn contents(&mut self) -> QueryResult<()> {
        let mut after = None;
        loop {
            let page = content::page(self.connection, after)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            for known in &page {
                self.content(known)?;
            }
            self.verified.contents += page.len() as u64;
            self.checked(page.len());
        }
        for (part, digest) in std::mem::take(&mut self.named).into_keys() {
            let (counted, _) = recount(self.connection, part, digest)?;
            if counted > 0 {
                self.fault(format!("content {part:016x}/{digest}"), "versions name it, and it is not known");
            }
        }
        Ok(())
    }

    fn content(&mut self, known: &Known) -> QueryResult<()> {
        let (place, (part, digest)) = (format!("content {}", known.name()), known.key());
        let mut uses = (self.named.remove(&(part, digest)).unwrap_or_default(), known.uses);
        // What changed meanwhile is counted again in one state of the database.
        if uses.0 != uses.1 {
            uses = self.connection.together(|connection| recount(connection, part, digest))?;
        }
        if uses.0 != uses.1 {
            self.fault(&place, format!("{} versions name it, and {} are counted", uses.0, uses.1));
        }
        if uses.0 == 0 {
            return Ok(());
        }
        let checked = match self.keeping {
            Ok(keeping) => keeping.check(known),
            Err(failure) => Err(Failure::new(Kind::Unavailable, failure.to_string())),
        };
        if let Err(failure) = checked {
            let cause = failure.cause().map_or_else(|| failure.to_string(), ToString::to_string);
            self.fault(&place, cause);
        }
        Ok(())
    }
}

/// How many versions name a content, and how many are counted.
fn recount(connection: &mut Connection, part: i64, digest: Digest) -> QueryResult<(i64, i64)> {
    let mut count = 0;
    for text in BODIES {
        let bodies = connection.load(&Statement::new(text).bind(part), |row| Ok(resource::body(row.optional_binary(0)?)))?;
        let names = |body: &Bytes| content::named(body, part).contains(&digest);
        count += bodies.iter().flatten().filter(|body| names(body)).count() as i64;
    }
    let known = content::uses(connection, part, digest)?;
    Ok((count, known.unwrap_or_default()))
}
