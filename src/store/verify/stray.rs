//! Terms that lead to nothing. That none is missing was found out with the instances; so there are too many only if there are more
//! than these have.

use diesel::result::QueryResult;

use super::{Look, place};
use crate::search::index::Term;
use crate::store::dialect::Dialect;
use crate::store::statement::Statement;
use crate::store::terms::{unpack, ways};

const PAGE_TERMS: i64 = 1_024;

const COUNT: &str = "SELECT count(*) FROM term";

const PAGE: &str = "SELECT t.term, t.kind, t.rid, t.part, t.qualifier, CAST(i.kind AS BIGINT), i.terms FROM term t \
     LEFT JOIN instance i ON i.part = t.part AND i.rid = t.rid \
     WHERE (t.term, t.kind, t.rid, t.part, t.qualifier) > (?, ?, ?, ?, ?) \
     ORDER BY t.term, t.kind, t.rid, t.part, t.qualifier LIMIT ?";

impl Look<'_> {
    /// Looks for terms of no instance, if there are more than `expected`, where terms have a table.
    pub(super) fn terms(&mut self, expected: u64) -> QueryResult<()> {
        if self.connection.dialect() == Dialect::Postgres {
            return Ok(());
        }
        let count = self.connection.first(&Statement::new(COUNT).once(), |row| row.bigint(0))?.unwrap_or_default();
        if count.unsigned_abs() <= expected {
            return Ok(());
        }
        let mut after = (i64::MIN, i16::MIN, i64::MIN, i64::MIN, i64::MIN);
        loop {
            let (term, kind, rid, part, qualifier) = after;
            let statement = Statement::new(PAGE).bind(term).bind(kind).bind(rid).bind(part);
            let statement = statement.bind(qualifier).bind(PAGE_TERMS);
            let page = self.connection.load(&statement, |row| {
                let key = (row.bigint(0)?, row.smallint(1)?, row.bigint(2)?, row.bigint(3)?, row.bigint(4)?);
                Ok((key, row.optional_bigint(5)?, row.optional_binary(6)?))
            })?;
            let Some((last, ..)) = page.last() else { return Ok(()) };
            after = *last;
            for ((term, kind, rid, part, qualifier), found, terms) in &page {
                let ways = ways(&terms.as_deref().map(unpack).unwrap_or_default());
                let is_a_way = u32::try_from(*qualifier).is_ok_and(|qualifier| ways.contains(&(Term(*term), qualifier)));
                if *found != Some(i64::from(*kind)) || !is_a_way {
                    self.fault(place((*part, *rid)), format!("the term {term} leads here, where nothing has it"));
                }
            }
        }
    }
}
