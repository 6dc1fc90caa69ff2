//! Histories: the versions of one instance, of a list of them, of a type, of everything, newest first (R4 http.html §history).
//!
//! They rest in two tables: current versions, of which deletions have an index of their own, and superseded ones. Each is asked
//! for the newest of each type by the index on the moment at which a version was made, and the newest of all these are read.
//! Inside a few instances the versions of these are asked for.

use std::collections::HashMap;

use diesel::result::QueryResult;

use super::condition::places;
use super::several::{filled, keys_of, rows};
use super::text::Sql;
use crate::dossier::Access;
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType, VersionId};
use crate::search::Name;
use crate::search::index::DateRange;
use crate::store::connection::Connection;
use crate::store::snapshot::{Stored, stored, stored_columns};
use crate::store::statement::Statement;

/// Whose versions are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of some instances.
    Instances(Vec<Name>),
    /// Those of all instances of a type.
    Type(ResourceType),
    /// All there are.
    System,
}

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// How many at most; 0: only how many there are.
    pub count: u32,
    /// Only those made at this moment or later.
    pub since: Option<Instant>,
    /// Only those that were current at some moment of this range.
    pub at: Option<DateRange>,
    /// Only those older than this one; newer than it, where `backward`.
    pub after: Option<Moment>,
    /// Whether the stretch ends before `after` instead of beginning after it.
    pub backward: bool,
}

/// The place of a version in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// When it was made.
    pub updated: Instant,
    /// Where its instance rests.
    pub key: InstanceKey,
    /// Its number.
    pub version: VersionId,
}

/// A stretch of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Versions {
    /// Newest first.
    pub found: Vec<Stored>,
    /// Whether there are more, older ones, or newer ones where the stretch ends before a place.
    pub more: bool,
    /// How many there are in all, where that costs nothing or nothing else was asked for.
    pub total: Option<u64>,
}

impl Moment {
    /// The place of `stored`.
    pub fn of(stored: &Stored) -> Self {
        Self { updated: stored.updated, key: stored.key, version: stored.version }
    }
}

/// The versions of `stretch`, as far as `access` lets them be seen.
pub(in crate::store) fn history(
    connection: &mut Connection,
    access: &Access,
    whose: &Whose,
    stretch: &Stretch,
) -> QueryResult<Versions> {
    let sources = sources(connection, access, whose)?;
    let asked = Asked { access, stretch };
    let total = asked.total(connection, whose, &sources)?;
    if sources.is_empty() || stretch.count == 0 {
        return Ok(Versions { total, ..Versions::default() });
    }
    let mut moments = asked.moments(connection, &sources)?;
    let more = moments.len() > stretch.count as usize;
    moments.truncate(stretch.count as usize);
    if stretch.backward {
        moments.reverse();
    }
    Ok(Versions { found: read(connection, &moments)?, more, total })
}

/// Where versions rest.
enum Source {
    /// Current ones of a type.
    Live(ResourceType),
    /// Deletions of a type.
    Deleted(ResourceType),
    /// Superseded ones of a type.
    Older(ResourceType),
    /// Current ones and deletions, in these places.
    Current(Vec<InstanceKey>),
    /// Superseded ones, in these places.
    Past(Vec<InstanceKey>),
}

fn sources(connection: &mut Connection, access: &Access, whose: &Whose) -> QueryResult<Vec<Source>> {
    let of_kind = |kind| [Source::Live(kind), Source::Deleted(kind), Source::Older(kind)];
    Ok(match whose {
        Whose::Instances(names) => match keys_of(connection, access, names)? {
            keys if keys.is_empty() => Vec::new(),
            keys => vec![Source::Current(keys.clone()), Source::Past(keys)],
        },
        Whose::Type(kind) => of_kind(*kind).into(),
        Whose::System => kinds(connection)?.into_iter().flat_map(of_kind).collect(),
    })
}

/// The types of which there are instances: each is found from the one before it.
fn kinds(connection: &mut Connection) -> QueryResult<Vec<ResourceType>> {
    let mut kinds = Vec::new();
    for of in ["body IS NOT NULL", "body IS NULL"] {
        let statement = Sql::new("WITH RECURSIVE k (kind) AS (SELECT min(i.kind) FROM instance i WHERE i.")
            .push(of)
            .push(" UNION ALL SELECT (SELECT min(i.kind) FROM instance i WHERE i.kind > k.kind AND i.")
            .push(of)
            .push(") FROM k WHERE k.kind IS NOT NULL) SELECT k.kind FROM k WHERE k.kind IS NOT NULL")
            .statement();
        connection.admit(&statement);
        let found = connection.load(&statement, |row| row.smallint(0))?;
        kinds.extend(found.into_iter().filter_map(ResourceType::from_code));
    }
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

impl Source {
    /// ` FROM … x WHERE …`
    fn rows<'a>(&self) -> Sql<'a> {
        let of_kind = |table: &str, kind: &ResourceType, rest: &str| {
            Sql::new(" FROM ").push(table).push(" x WHERE x.kind = ").bind(kind.code()).push(rest)
        };
        let of_places = |table: &str, keys: &[InstanceKey]| {
            let from = Sql::new(" FROM (").append(places(keys)).push(") o CROSS JOIN ");
            from.push(table).push(" x WHERE x.part = o.column1 AND x.rid = o.column2")
        };
        match self {
            Self::Live(kind) => of_kind("instance", kind, " AND x.body IS NOT NULL"),
            Self::Deleted(kind) => of_kind("instance", kind, " AND x.body IS NULL"),
            Self::Older(kind) => of_kind("version", kind, ""),
            Self::Current(keys) => of_places("instance", keys),
            Self::Past(keys) => of_places("version", keys),
        }
    }

    fn is_superseded(&self) -> bool {
        matches!(self, Self::Older(_) | Self::Past(_))
    }
}

struct Asked<'a> {
    access: &'a Access,
    stretch: &'a Stretch,
}

impl Asked<'_> {
    /// The places of the newest versions, one more than are wanted; of the oldest ones that are newer, where the stretch goes back.
    fn moments(&self, connection: &mut Connection, sources: &[Source]) -> QueryResult<Vec<Moment>> {
        let most = i64::from(self.stretch.count) + 1;
        let direction = if self.stretch.backward { "" } else { " DESC" };
        let order = format!(" ORDER BY updated{direction}, rid{direction}, part{direction}, version{direction} LIMIT ");
        let of = |source: &Source| {
            let newest = Sql::new("SELECT x.part AS part, x.rid AS rid, x.version AS version, x.updated AS updated");
            let newest = newest.append(self.wanted(source)).append(self.beyond()).push(&order).bind(most);
            Sql::new("SELECT * FROM (").append(newest).push(") s")
        };
        let mut union = Sql::new("SELECT u.part, u.rid, u.version, u.updated FROM (");
        for (position, source) in sources.iter().enumerate() {
            union = union.push(if position == 0 { "" } else { " UNION ALL " }).append(of(source));
        }
        let statement = union.push(") u").push(&order).bind(most).statement();
        connection.admit(&statement);
        connection.load(&statement, |row| {
            let key = InstanceKey { part: Part(row.bigint(0)?), rid: row.bigint(1)? };
            Ok(Moment { key, version: VersionId(row.bigint(2)?), updated: Instant::from_micros(row.bigint(3)?) })
        })
    }

    /// Everything in `source` that is wanted, on whatever page.
    fn wanted<'a>(&self, source: &Source) -> Sql<'a> {
        let mut sql = source.rows();
        if let Some(parts) = self.access.dossiers() {
            sql = sql.push(" AND ").append(Sql::is_one_of("x.part", parts.iter().map(|part| part.0)));
        }
        if let Some(since) = self.stretch.since {
            sql = sql.push(" AND x.updated >= ").bind(since.micros());
        }
        match self.stretch.at {
            None => sql,
            Some(range) => sql.append(current_at(range, source.is_superseded())),
        }
    }

    fn beyond<'a>(&self) -> Sql<'a> {
        let Some(Moment { updated, key, version }) = self.stretch.after else { return Sql::default() };
        let (at_most, below) = if self.stretch.backward { (">=", ">") } else { ("<=", "<") };
        let moment = updated.micros();
        Sql::new(" AND x.updated ")
            .push(at_most)
            .push(" ")
            .bind(moment)
            .push(" AND (x.updated ")
            .push(below)
            .push(" ")
            .bind(moment)
            .push(" OR (x.rid, x.part, x.version) ")
            .push(below)
            .push(" (")
            .bind(key.rid)
            .push(", ")
            .bind(key.part.0)
            .push(", ")
            .bind(version.0)
            .push("))")
    }

    /// How many versions there are on all pages. Versions are numbered without gaps, so that those of a few instances are known by
    /// their newest ones.
    fn total(&self, connection: &mut Connection, whose: &Whose, sources: &[Source]) -> QueryResult<Option<u64>> {
        let is_whole = self.stretch.since.is_none() && self.stretch.at.is_none();
        let counted: Vec<Sql<'_>> = match (whose, sources) {
            (_, []) => return Ok(Some(0)),
            (Whose::Instances(_), [current, ..]) if is_whole => {
                vec![Sql::new("SELECT sum(x.version) AS n").append(self.wanted(current))]
            }
            (_, sources) if self.stretch.count == 0 => {
                sources.iter().map(|source| Sql::new("SELECT count(*) AS n").append(self.wanted(source))).collect()
            }
            _ => return Ok(None),
        };
        let mut union = Sql::new("SELECT CAST(sum(u.n) AS BIGINT) FROM (");
        for (position, one) in counted.into_iter().enumerate() {
            union = union.push(if position == 0 { "" } else { " UNION ALL " }).append(one);
        }
        let statement: Statement<'_> = union.push(") u").statement();
        connection.admit(&statement);
        let total = connection.first(&statement, |row| row.optional_bigint(0))?.flatten();
        Ok(Some(total.and_then(|total| u64::try_from(total).ok()).unwrap_or(0)))
    }
}

/// That a version was current at some moment of `range`: it was made before its end, and what followed it after its beginning. A
/// deletion is current at the moment at which it was made, and then there is nothing that would be.
fn current_at<'a>(range: DateRange, is_superseded: bool) -> Sql<'a> {
    let made = Sql::new(" AND x.updated < ").bind(range.high);
    if !is_superseded {
        return made.push(" AND (x.body IS NOT NULL OR x.updated >= ").bind(range.low).push(")");
    }
    let followed = |table: &str| {
        Sql::new(" AND NOT EXISTS (SELECT 1 FROM ")
            .push(table)
            .push(" f WHERE f.part = x.part AND f.rid = x.rid AND f.version = x.version + 1 AND f.updated <= ")
            .bind(range.low)
            .push(")")
    };
    let deletion = Sql::new(" AND (x.body IS NOT NULL OR x.updated >= ").bind(range.low).push(")");
    made.append(followed("version")).append(followed("instance")).append(deletion)
}

/// The versions at `moments`, in their order.
fn read(connection: &mut Connection, moments: &[Moment]) -> QueryResult<Vec<Stored>> {
    const CURRENT: &str = concat!("SELECT ", stored_columns!(), " FROM (");
    const OLDER: &str = "SELECT i.part, i.rid, i.kind, i.id, v.version, v.updated, v.method, v.body FROM (";
    const OF_CURRENT: &str = ") k CROSS JOIN instance i WHERE i.part = k.column1 AND i.rid = k.column2 AND i.version = k.column3";
    const OF_OLDER: &str = ") k CROSS JOIN version v CROSS JOIN instance i WHERE v.part = k.column1 AND v.rid = k.column2 \
         AND v.version = k.column3 AND i.part = v.part AND i.rid = v.rid";
    let mut found: HashMap<Moment, Stored> = HashMap::with_capacity(moments.len());
    let nothing = Moment { updated: Instant::from_micros(0), key: super::several::NOWHERE, version: VersionId(0) };
    for (columns, rest) in [(CURRENT, OF_CURRENT), (OLDER, OF_OLDER)] {
        let missing: Vec<Moment> = moments.iter().filter(|moment| !found.contains_key(moment)).copied().collect();
        if missing.is_empty() {
            break;
        }
        let places = filled(&missing, nothing).into_iter().map(|at| vec![at.key.part.0, at.key.rid, at.version.0]);
        let statement = Sql::new(columns).append(rows(places)).push(rest).statement();
        connection.admit(&statement);
        let loaded = connection.load(&statement, stored)?;
        found.extend(loaded.into_iter().map(|stored| (Moment::of(&stored), stored)));
    }
    Ok(moments.iter().filter_map(|moment| found.remove(moment)).collect())
}

/// One instance.
impl From<(ResourceType, InstanceId)> for Whose {
    fn from(name: Name) -> Self {
        Self::Instances(vec![name])
    }
}
