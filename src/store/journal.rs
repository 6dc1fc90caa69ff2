//! The journal of accesses: rows appended in the transaction of what they tell of, numbered inside their dossier without a gap.

use diesel::result::QueryResult;

use super::connection::Connection;
use super::statement::Statement;
use crate::audit::AuditRecord;

const APPEND: &str = "INSERT INTO audit (part, seq, recorded, entry) \
     SELECT ?, coalesce(max(seq), 0) + 1, ?, ? FROM audit WHERE part = ?";

/// Appends `records` in their order.
pub(super) fn append(connection: &mut Connection, records: &[AuditRecord]) -> QueryResult<()> {
    for record in records {
        let part = record.part.0;
        let statement = Statement::new(APPEND).bind(part).bind(record.recorded.micros()).bind(&*record.entry).bind(part);
        connection.execute(&statement)?;
    }
    Ok(())
}
