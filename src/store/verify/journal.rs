//! The journal: the records of each dossier are a chain without a gap, back from its head to the first.

use diesel::result::QueryResult;

use super::Look;
use crate::fhir::json::Tree;
use crate::store::connection::Connection;
use crate::store::statement::Statement;

const PAGE_HEADS: i64 = 256;
/// Records outside every chain that are named.
const NAMED_STRAYS: i64 = 1_000;

const HEADS: &str = "SELECT part, seq, recorded FROM audit_head WHERE part > ? ORDER BY part LIMIT ?";

const RECORD: &str = "SELECT preceding, entry FROM audit WHERE recorded = ? AND part = ? AND seq = ?";

const STRAYS: &str = "SELECT a.part, a.seq FROM audit a LEFT JOIN audit_head h ON h.part = a.part \
     WHERE h.part IS NULL OR a.seq > h.seq OR a.seq < 1 ORDER BY a.recorded, a.part, a.seq LIMIT ?";

const COUNT: &str = "SELECT count(*) FROM audit";

/// A row of `audit_head`.
#[derive(Clone, Copy)]
struct Head {
    part: i64,
    seq: i64,
    recorded: i64,
}

impl Look<'_> {
    /// Looks at the journal of every dossier.
    pub(super) fn journal(&mut self) -> QueryResult<()> {
        let before = self.verified.faults;
        let count = self.connection.first(&Statement::new(COUNT).once(), |row| row.bigint(0))?.unwrap_or_default();
        let mut after = i64::MIN;
        loop {
            let (chains, last) = self.connection.together(|connection| chains(connection, after))?;
            for (part, records, wrong) in chains {
                self.faults(&format!("journal of part {part}"), wrong);
                self.verified.records += records;
                self.checked(usize::try_from(records).unwrap_or_default());
            }
            match last {
                Some(last) => after = last,
                None => break,
            }
        }
        let strays = Statement::new(STRAYS).bind(NAMED_STRAYS);
        for (part, seq) in self.connection.load(&strays, |row| Ok((row.bigint(0)?, row.bigint(1)?)))? {
            self.fault(format!("journal of part {part}"), format!("record {seq} stands in no chain"));
        }
        if before == self.verified.faults && count.unsigned_abs() > self.verified.records {
            self.fault("journal", "there are more records than its chains have");
        }
        Ok(())
    }
}

/// Of each of the next dossiers, how many records its chain has and what is wrong with it; the last of them.
type Chains = (Vec<(i64, u64, Vec<String>)>, Option<i64>);

fn chains(connection: &mut Connection, after: i64) -> QueryResult<Chains> {
    let heads = connection.load(&Statement::new(HEADS).bind(after).bind(PAGE_HEADS), |row| {
        Ok(Head { part: row.bigint(0)?, seq: row.bigint(1)?, recorded: row.bigint(2)? })
    })?;
    let last = heads.last().map(|head| head.part);
    let mut chains = Vec::with_capacity(heads.len());
    for head in heads {
        let (records, wrong) = chain(connection, head)?;
        chains.push((head.part, records, wrong));
    }
    Ok((chains, last))
}

/// How many records were found on the way back from `head`, and what is wrong with them.
fn chain(connection: &mut Connection, head: Head) -> QueryResult<(u64, Vec<String>)> {
    let (mut records, mut wrong) = (0, Vec::new());
    let (mut seq, mut recorded) = (head.seq, Some(head.recorded));
    while let Some(moment) = recorded.filter(|_| seq > 0) {
        let statement = Statement::new(RECORD).bind(moment).bind(head.part).bind(seq);
        let found = connection.first(&statement, |row| Ok((row.optional_bigint(0)?, row.optional_binary(1)?)))?;
        let Some((preceding, entry)) = found else {
            wrong.push(format!("record {seq} is not there"));
            return Ok((records, wrong));
        };
        if Tree::parse(&entry.unwrap_or_default()).is_err() {
            wrong.push(format!("record {seq} cannot be read"));
        }
        records += 1;
        (seq, recorded) = (seq - 1, preceding);
    }
    if seq != 0 || recorded.is_some() {
        wrong.push(format!("its chain breaks off at record {seq}"));
    }
    Ok((records, wrong))
}
