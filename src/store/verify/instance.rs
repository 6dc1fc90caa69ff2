//! Current versions: their bytes, their place, their chain of older versions, their entries in the index.

use std::collections::BTreeMap;

use bytes::Bytes;
use diesel::result::QueryResult;

use super::resource::{self, Stated};
use super::values::{self, Key, Stretch, Values, over};
use super::{Look, place, place_of};
use crate::fhir::json::Tree;
use crate::fhir::key::name_hash;
use crate::fhir::{InstanceId, InstanceKey, ResourceType};
use crate::outcome::Outcome;
use crate::search::index::{IndexEntries, Term};
use crate::search::vocabulary::Bounds;
use crate::store::connection::Connection;
use crate::store::dialect::Dialect;
use crate::store::statement::Statement;
use crate::store::terms::{Resting, ways};

/// Instances looked at in one state of the database.
const PAGE_INSTANCES: i64 = 64;
/// Before every place, and after it.
const FIRST: Key = (i64::MIN, i64::MIN);
const LAST: Key = (i64::MAX, i64::MAX);

const PAGE: &str = "SELECT part, rid, kind, id, version, updated, method, date_low, date_high, body, terms \
     FROM instance WHERE (part, rid) > (?, ?) ORDER BY part, rid LIMIT ?";

const PAGE_WITH_LEADS: &str = "SELECT part, rid, kind, id, version, updated, method, date_low, date_high, body, terms, leads \
     FROM instance WHERE (part, rid) > (?, ?) ORDER BY part, rid LIMIT ?";

const CHAINS: &str = "SELECT part, rid, count(*), min(version), max(version) FROM version \
     WHERE (part, rid) > (?, ?) AND (part, rid) <= (?, ?) GROUP BY part, rid";

const OLDER: &str = "SELECT v.part, v.rid, i.kind, i.id, v.version, v.updated, v.method, v.body \
     FROM version v JOIN instance i ON i.part = v.part AND i.rid = v.rid \
     WHERE (v.part, v.rid, v.version) > (?, ?, ?) ORDER BY v.part, v.rid, v.version LIMIT ?";

const NAMED: &str = "SELECT part, rid FROM alias WHERE name = ? AND kind = ? AND id = ?";

const HAS_TERM: &str = "SELECT count(*) FROM term WHERE term = ? AND kind = ? AND rid = ? AND part = ? AND qualifier = ?";

/// A row of `instance`.
struct Current {
    key: Key,
    kind: i16,
    id: String,
    version: i64,
    updated: i64,
    method: i16,
    main_date: Option<(i64, i64)>,
    terms: Resting,
    body: Option<Bytes>,
}

/// A page of instances and what the other tables hold between the one before it and its end.
struct Page {
    instances: Vec<Current>,
    /// How many older versions there are, and the first and last of their numbers.
    chains: BTreeMap<Key, (i64, i64, i64)>,
    values: BTreeMap<Key, Values>,
    /// Where a name that does not say the place itself leads.
    names: BTreeMap<Key, Option<Key>>,
    stretch: Stretch,
}

/// A way that must lead to an instance.
type Leading = ((Term, u32), i16, Key);

/// What the index must hold of an instance, and what it may, where that is more.
#[derive(Default)]
struct Ought {
    must: IndexEntries,
    may: Option<IndexEntries>,
}

impl Ought {
    fn of(bounds: &Bounds, kind: ResourceType, tree: &Tree<'_>) -> Outcome<Self> {
        let may = bounds.may.as_ref().map(|indexer| indexer.entries(kind, tree)).transpose()?;
        Ok(Self { must: bounds.must.entries(kind, tree)?, may })
    }
}

/// What is found out about a page, all of it in one state of the database.
struct Judgement<'a> {
    bounds: &'a Bounds,
    leading: Vec<Leading>,
    faults: Vec<(String, String)>,
}

impl Look<'_> {
    /// Looks at every instance; how many ways from leading terms there must be.
    pub(super) fn instances(&mut self) -> QueryResult<u64> {
        let (mut after, mut leading_terms, bounds) = (FIRST, 0, self.bounds);
        while after != LAST {
            let (page, judgement) = self.connection.together(|connection| judged(connection, bounds, after))?;
            for (place, rule) in judgement.faults {
                self.fault(place, rule);
            }
            for instance in &page.instances {
                self.count(instance.body.as_ref(), instance.key.0);
            }
            leading_terms += judgement.leading.len() as u64;
            self.verified.instances += page.instances.len() as u64;
            self.checked(page.instances.len());
            after = page.stretch.1;
        }
        Ok(leading_terms)
    }

    /// Looks at every superseded version.
    pub(super) fn versions(&mut self) -> QueryResult<()> {
        let mut after = (FIRST, i64::MIN);
        loop {
            let statement = Statement::new(OLDER).bind(after.0.0).bind(after.0.1).bind(after.1).bind(PAGE_INSTANCES);
            let page = self.connection.load(&statement, |row| {
                let key = (row.bigint(0)?, row.bigint(1)?);
                let of = (row.smallint(2)?, row.text(3)?, row.bigint(4)?);
                Ok((key, of, (row.bigint(5)?, row.smallint(6)?, resource::body(row.optional_binary(7)?))))
            })?;
            let Some((key, (_, _, version), _)) = page.last() else { return Ok(()) };
            after = (*key, *version);
            for (key, (kind, id, version), (updated, method, body)) in &page {
                let stated = Stated { kind: *kind, id, version: *version, updated: *updated, method: *method };
                let json = resource::json(body.as_ref(), key.0);
                let (_, wrong) = resource::read(&stated, json.as_deref());
                self.count(body.as_ref(), key.0);
                self.faults(&format!("{} version {version}", place_of(*kind, id, *key)), wrong);
            }
            self.verified.versions += page.len() as u64;
            self.checked(page.len());
        }
    }
}

impl Judgement<'_> {
    fn fault(&mut self, place: &str, rule: impl Into<String>) {
        self.faults.push((place.to_owned(), rule.into()));
    }

    fn all(&mut self, place: &str, rules: Vec<String>) {
        self.faults.extend(rules.into_iter().map(|rule| (place.to_owned(), rule)));
    }

    fn instance(&mut self, instance: &Current, page: &Page) {
        let place = place_of(instance.kind, &instance.id, instance.key);
        let Some(kind) = ResourceType::from_code(instance.kind).filter(|_| instance.id.parse::<InstanceId>().is_ok()) else {
            return self.fault(&place, "the type or the id is none");
        };
        let json = resource::json(instance.body.as_ref(), instance.key.0);
        let (tree, wrong) = resource::read(&instance.stated(), json.as_deref());
        self.all(&place, wrong);
        self.all(&place, instance.chain(page.chains.get(&instance.key)));
        if let Some(leads_to) = page.names.get(&instance.key)
            && *leads_to != Some(instance.key)
        {
            self.fault(&place, "no alias leads from its id to it");
        }
        if let Some(wrong) = tree.as_ref().and_then(|tree| self.misplaced(instance, kind, tree)) {
            self.fault(&place, wrong);
        }
        // What cannot be read has been told, and says nothing of its index.
        if tree.is_some() || instance.body.is_none() {
            self.index(instance, tree.as_ref().map(|tree| Ought::of(self.bounds, kind, tree)), page);
        }
    }

    fn index(&mut self, instance: &Current, ought: Option<Outcome<Ought>>, page: &Page) {
        let place = place_of(instance.kind, &instance.id, instance.key);
        match ought.unwrap_or_else(|| Ok(Ought::default())) {
            Ok(ought) => {
                self.all(&place, instance.differences(&ought, page.values.get(&instance.key)));
                let ways = ways(&instance.terms.terms(instance.kind));
                self.leading.extend(ways.into_iter().map(|way| (way, instance.kind, instance.key)));
            }
            Err(failure) => self.fault(&place, format!("it cannot be indexed: {failure}")),
        }
    }

    /// Whether a resource rests elsewhere than in the dossier it is about. Patients open dossiers; a Binary may follow whatever bore
    /// it, and a Provenance what it came with.
    fn misplaced(&self, instance: &Current, kind: ResourceType, tree: &Tree<'_>) -> Option<&'static str> {
        let is_bound = !matches!(kind, ResourceType::Patient | ResourceType::Binary | ResourceType::Provenance);
        let ought = self.bounds.must.part(kind, tree).0;
        (is_bound && ought != instance.key.0).then_some("it does not rest in the dossier it is about")
    }

    /// What rests where no instance is.
    fn strangers(&mut self, page: &Page) {
        let is_there = |key: &Key| page.instances.iter().any(|instance| instance.key == *key);
        for key in page.chains.keys().filter(|key| !is_there(key)) {
            self.fault(&place(*key), "older versions of no instance");
        }
        for key in page.values.keys().filter(|key| !is_there(key)) {
            self.fault(&place(*key), "index entries of no instance");
        }
    }
}

/// The next page and what is wrong with it.
fn judged<'a>(connection: &mut Connection, bounds: &'a Bounds, after: Key) -> QueryResult<(Page, Judgement<'a>)> {
    let page = page(connection, after)?;
    let mut judgement = Judgement { bounds, leading: Vec::new(), faults: Vec::new() };
    for instance in &page.instances {
        judgement.instance(instance, &page);
    }
    judgement.strangers(&page);
    for key in lacking(connection, &judgement.leading)? {
        judgement.fault(&place(key), "term does not hold what the resource says");
    }
    Ok((page, judgement))
}

impl Current {
    fn stated(&self) -> Stated<'_> {
        Stated { kind: self.kind, id: &self.id, version: self.version, updated: self.updated, method: self.method }
    }

    /// The versions before this one are all there, once each: as many as its number says, none outside.
    fn chain(&self, older: Option<&(i64, i64, i64)>) -> Vec<String> {
        let expected = (self.version > 1).then_some((self.version - 1, 1, self.version - 1));
        let is_whole = older.copied() == expected;
        (!is_whole).then(|| format!("of the versions before {} not all are there", self.version)).into_iter().collect()
    }

    fn differences(&self, ought: &Ought, values: Option<&Values>) -> Vec<String> {
        let (must, may) = (&ought.must, ought.may.as_ref().unwrap_or(&ought.must));
        let mut wrong = values.unwrap_or(&Values::default()).differences(&Values::of(must), &Values::of(may));
        let terms = self.terms.terms(self.kind);
        let has = |terms: &[Term], term: &Term| terms.binary_search(term).is_ok();
        if !must.terms.iter().all(|term| has(&terms, term)) || !terms.iter().all(|term| has(&may.terms, term)) {
            wrong.push(String::from("its terms are not what the resource says"));
        }
        if self.main_date != must.main_date.map(|range| (range.low, range.high)) {
            wrong.push(String::from("its main date is not what the resource says"));
        }
        wrong
    }

    /// The name by which an alias must lead here; `None` where the id says the place itself.
    fn name(&self) -> Option<i64> {
        let (kind, id) = (ResourceType::from_code(self.kind)?, self.id.parse::<InstanceId>().ok()?);
        let own = InstanceKey::read(&id).map(|key| (key.part.0, key.rid));
        (own != Some(self.key)).then(|| name_hash(kind, &id).cast_signed())
    }
}

fn page(connection: &mut Connection, after: Key) -> QueryResult<Page> {
    let dialect = connection.dialect();
    let text = match dialect {
        Dialect::Sqlite => PAGE,
        Dialect::Postgres => PAGE_WITH_LEADS,
    };
    let statement = Statement::new(text).bind(after.0).bind(after.1).bind(PAGE_INSTANCES);
    let instances = connection.load(&statement, |row| {
        Ok(Current {
            key: (row.bigint(0)?, row.bigint(1)?),
            kind: row.smallint(2)?,
            id: row.text(3)?,
            version: row.bigint(4)?,
            updated: row.bigint(5)?,
            method: row.smallint(6)?,
            main_date: row.optional_bigint(7)?.zip(row.optional_bigint(8)?),
            body: resource::body(row.optional_binary(9)?),
            terms: Resting::read(dialect, row, 10)?,
        })
    })?;
    let stretch = (after, instances.last().map_or(LAST, |last| last.key));
    let chains = connection.load(&over(CHAINS, stretch), |row| {
        Ok(((row.bigint(0)?, row.bigint(1)?), (row.bigint(2)?, row.bigint(3)?, row.bigint(4)?)))
    })?;
    let mut names = BTreeMap::new();
    for (instance, name) in instances.iter().filter_map(|instance| Some((instance, instance.name()?))) {
        let statement = Statement::new(NAMED).bind(name).bind(instance.kind).bind(instance.id.as_str());
        let leads_to = connection.first(&statement, |row| Ok((row.bigint(0)?, row.bigint(1)?)))?;
        names.insert(instance.key, leads_to);
    }
    let values = values::held(connection, stretch)?;
    Ok(Page { instances, chains: chains.into_iter().collect(), values, names, stretch })
}

/// The places of those terms that are not in their table, where they have one.
fn lacking(connection: &mut Connection, leading: &[Leading]) -> QueryResult<Vec<Key>> {
    let mut lacking = Vec::new();
    match connection.dialect() {
        Dialect::Sqlite => {
            for ((term, qualifier), kind, (part, rid)) in leading {
                let statement = Statement::new(HAS_TERM).bind(term.0).bind(*kind).bind(*rid).bind(*part);
                let statement = statement.bind(i64::from(*qualifier));
                if connection.first(&statement, |row| row.bigint(0))? != Some(1) {
                    lacking.push((*part, *rid));
                }
            }
        }
        Dialect::Postgres => {}
    }
    lacking.dedup();
    Ok(lacking)
}
