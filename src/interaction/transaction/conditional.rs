//! Conditional references (B-09): each becomes a reference to the one instance that fulfils its criteria once the transaction is
//! done. None or several fail the whole.

use std::collections::{HashMap, HashSet};

use super::all;
use super::drafted::Drafted;
use super::prepare::{Ground, Page};
use super::rewrite::Site;
use crate::fhir::{InstanceId, Reference, ResourceType};
use crate::interaction::condition::{self, Criteria};
use crate::interaction::read_parameters;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::Name;
use crate::store::Stored;

/// What a conditional reference means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The instance that the entry at this position writes.
    Entry(usize),
    /// An instance that is there.
    Instance(ResourceType, InstanceId),
}

/// What conditional references mean, by their text.
pub(super) type References = HashMap<Box<str>, Meant>;

/// One reference, however often it stands in a Bundle.
struct Asked<'p> {
    text: &'p str,
    criteria: Criteria,
    /// Where it stands first.
    first: (&'p Page<'p>, String),
}

/// Finds out what the conditional references of `pages` mean.
///
/// # Errors
/// 400 where one is no search or means nothing, 412 where it means several instances; each where it stands.
pub(super) async fn references(ground: &Ground<'_>, pages: &[Page<'_>]) -> Outcome<References> {
    let asked = asked(ground, pages)?;
    if asked.is_empty() {
        return Ok(References::new());
    }
    let kinds: HashSet<ResourceType> = asked.iter().map(|asked| asked.criteria.kind()).collect();
    let engine = ground.call.engine;
    let drafted = Drafted::of(&engine.indexer(), pages, &kinds)?;
    let written: HashSet<Name> = ground.sought.written(ground.entries).map(|(_, name)| name).collect();
    let plans = asked.iter().map(|asked| asked.criteria.plan().clone()).collect();
    // What is written is meant by what it will be, and not by what it was.
    let found = engine.store.matching(ground.call.access, plans, 2 + written.len()).await?;
    let meant = asked.iter().zip(found).map(|(asked, found)| {
        let there = found.into_iter().filter(|stored| !written.contains(&(stored.kind, stored.id.clone())));
        let meant = only(drafted.meant(&asked.criteria), there).map_err(|failure| {
            let (page, place) = &asked.first;
            page.located(failure.at(place.clone()))
        })?;
        Ok((asked.text.into(), meant))
    });
    Ok(all(meant)?.into_iter().collect())
}

fn asked<'p>(ground: &Ground<'_>, pages: &'p [Page<'p>]) -> Outcome<Vec<Asked<'p>>> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut asked = Vec::new();
    for page in pages {
        for (node, site) in page.places() {
            let Site::Sought(text) = site else { continue };
            if seen.insert(text) {
                let place = node.expression();
                let criteria = criteria(ground, text).map_err(|failure| page.located(failure.relocated(|_| place.clone())));
                asked.push(criteria.map(|criteria| Asked { text, criteria, first: (page, place) }));
            }
        }
    }
    all(asked.into_iter())
}

fn criteria(ground: &Ground<'_>, text: &str) -> Outcome<Criteria> {
    match Reference::read(text, ground.call.engine.base_url()) {
        Reference::Conditional { kind, query } => Criteria::read(ground.call, kind, &read_parameters(query.as_bytes())?),
        _ => Err(Failure::fault("a conditional reference that is none")),
    }
}

fn only(drafted: Vec<usize>, there: impl Iterator<Item = Stored>) -> Outcome<Meant> {
    let there = there.map(|stored| Meant::Instance(stored.kind, stored.id));
    let mut meant = drafted.into_iter().map(Meant::Entry).chain(there);
    match (meant.next(), meant.next()) {
        (Some(meant), None) => Ok(meant),
        (Some(_), Some(_)) => Err(condition::several(1)),
        (None, _) => {
            let text = "nothing fulfils the criteria of this reference; it is to mean one instance";
            Err(Failure::with_issues(Kind::InvalidParameter, vec![Issue::error(IssueCode::NotFound, text)]))
        }
    }
}
