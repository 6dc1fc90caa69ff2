//! The journal of accesses: rows appended in the transaction of what they tell of, numbered inside their dossier without a gap.
//!
//! Records rest in the order of time, so that a group of them, of as many dossiers, is written to few pages. The head of a dossier
//! says when its last record was made, and each record when the one before it was: together they are the dossier's journal.

use diesel::result::{Error, QueryResult};

use super::connection::Connection;
use super::dialect::Dialect;
use super::statement::Statement;
use crate::audit::AuditRecord;

const ADVANCE: &str = "INSERT INTO audit_head (part, seq, recorded, preceding) VALUES (?, 1, ?, NULL) \
     ON CONFLICT (part) DO UPDATE SET seq = audit_head.seq + 1, preceding = audit_head.recorded, recorded = excluded.recorded \
     RETURNING seq, preceding";

const HEAD: &str = "SELECT seq, recorded FROM audit_head WHERE part = ?";

const SET_HEAD: &str = "INSERT INTO audit_head (part, seq, recorded, preceding) VALUES (?, ?, ?, ?) \
     ON CONFLICT (part) DO UPDATE SET seq = excluded.seq, recorded = excluded.recorded, preceding = excluded.preceding";

const APPEND: &str = "INSERT INTO audit (part, seq, recorded, preceding, entry) VALUES (?, ?, ?, ?, ?)";

/// So many records of a dossier are looked through for one that may be there, from the last one back.
const LOOKED_THROUGH_RECORDS: i64 = 10_000;

const SELECT_SAME: &str = "SELECT count(*) FROM audit WHERE part = ? AND recorded = ? AND entry = ? \
     AND seq > (SELECT coalesce(max(seq), 0) FROM audit_head WHERE part = ?) - ?";

/// Whether `record` was appended lately.
pub(super) fn holds(connection: &mut Connection, record: &AuditRecord) -> QueryResult<bool> {
    let part = record.part.0;
    let statement = Statement::new(SELECT_SAME).bind(part).bind(record.recorded.micros()).bind(&*record.entry).bind(part);
    let same = connection.first(&statement.bind(LOOKED_THROUGH_RECORDS), |row| row.bigint(0))?;
    Ok(same.is_some_and(|count| count > 0))
}

/// Appends `records` in their order.
pub(super) fn append(connection: &mut Connection, records: &[AuditRecord]) -> QueryResult<()> {
    for record in records {
        let (part, recorded) = (record.part.0, record.recorded.micros());
        let (seq, preceding) = match connection.dialect() {
            Dialect::Sqlite => advance_alone(connection, part, recorded)?,
            Dialect::Postgres => advance(connection, part, recorded)?,
        };
        let append = Statement::new(APPEND).bind(part).bind(seq).bind(recorded).bind(preceding).bind(&*record.entry);
        connection.execute(&append)?;
    }
    Ok(())
}

/// Advances the head of a dossier, whoever else does; the number of the new record, and when the one before it was made.
fn advance(connection: &mut Connection, part: i64, recorded: i64) -> QueryResult<(i64, Option<i64>)> {
    let statement = Statement::new(ADVANCE).bind(part).bind(recorded);
    connection.first(&statement, |row| Ok((row.bigint(0)?, row.optional_bigint(1)?)))?.ok_or(Error::NotFound)
}

/// The same where nobody else can write meanwhile. For each `RETURNING` SQLite makes a table of its own, which costs more than
/// a second statement.
fn advance_alone(connection: &mut Connection, part: i64, recorded: i64) -> QueryResult<(i64, Option<i64>)> {
    let head = connection.first(&Statement::new(HEAD).bind(part), |row| Ok((row.bigint(0)?, row.bigint(1)?)))?;
    let (seq, preceding) = head.map_or((1, None), |(seq, last)| (seq + 1, Some(last)));
    connection.execute(&Statement::new(SET_HEAD).bind(part).bind(seq).bind(recorded).bind(preceding))?;
    Ok((seq, preceding))
}
