//! Links decided: a plan with chains and `_has` becomes one without. Each step is a search of its own under the same [`Access`], so
//! what that conceals is no link; all steps and the search itself see one state of the store.
//!
//! A link is decided from the side on which fewer instances come into question: from the other end, by what is asked there, or from
//! here, by what else is asked of the instance. Neither side may have more than [`MAX_LINKED_INSTANCES`].

use std::collections::HashSet;

use diesel::result::Error;

use super::drive::conjuncts;
use super::{found, names};
use crate::dossier::Access;
use crate::fhir::{InstanceId, ResourceType};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::Name;
use crate::search::plan::{Condition, Direction, Examination, Link, Plan};
use crate::store::connection::Connection;
use crate::store::snapshot::Stored;

/// As many instances are tried first on either side: no other way is worth looking for.
const FEW_INSTANCES: usize = 200;
/// The most instances on the side of a link from which it is decided.
const MAX_LINKED_INSTANCES: usize = 5_000;
/// The most instances whose bodies are examined.
const MAX_EXAMINED_INSTANCES: usize = 10_000;

/// Why a search ends without an answer.
pub(in crate::store) enum Stop {
    /// The database does not give one.
    Database(Error),
    /// There are too many instances on both sides of a link.
    TooCostly,
    /// There are too many instances whose bodies would have to be examined.
    TooManyExamined,
    /// A resource cannot be read.
    Failed(Failure),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl Stop {
    /// What is answered, where the database is not asked again.
    pub(in crate::store) fn answer<T>(self) -> Result<Outcome<T>, Error> {
        match self {
            Self::Database(error) => Err(error),
            Self::TooCostly => Ok(Err(too_costly(&format!(
                "a chain or `_has` leads through more than {MAX_LINKED_INSTANCES} instances on either side"
            )))),
            Self::TooManyExamined => Ok(Err(too_costly(&format!(
                "more than {MAX_EXAMINED_INSTANCES} resources would have to be read for what no index says"
            )))),
            Self::Failed(failure) => Ok(Err(failure)),
        }
    }
}

fn too_costly(why: &str) -> Failure {
    let issue = Issue::error(IssueCode::TooCostly, format!("{why}; ask more of what is searched, or of what it is linked with"));
    Failure::with_issues(Kind::TooCostly, vec![issue])
}

/// `plan` with every link decided.
pub(super) fn decided(connection: &mut Connection, access: &Access, plan: &Plan) -> Result<Plan, Stop> {
    let mut decider = Decider { connection, access };
    decider.plan(plan)
}

/// From where a link is decided.
#[derive(Clone, Copy)]
enum Side {
    /// From the instance, by what else is asked of it.
    Here,
    /// From the other end, by what is asked there.
    There,
}

struct Decider<'c> {
    connection: &'c mut Connection,
    access: &'c Access,
}

impl Decider<'_> {
    /// What asks for no link narrows the side here before any link is decided; so does each link once it is.
    fn plan(&mut self, plan: &Plan) -> Result<Plan, Stop> {
        let (linked, mut plain): (Vec<_>, Vec<_>) =
            conjuncts(&plan.condition).into_iter().cloned().partition(Condition::takes_steps);
        for part in linked {
            let here = Plan { condition: Condition::All(plain.clone()), order: Vec::new(), after: None, ..plan.clone() };
            plain.push(self.condition(part, &here)?);
        }
        Ok(within_one_dossier(Plan { condition: Condition::All(plain), ..plan.clone() }))
    }

    fn condition(&mut self, condition: Condition, here: &Plan) -> Result<Condition, Stop> {
        let mut all = |parts: Vec<Condition>| parts.into_iter().map(|part| self.condition(part, here)).collect::<Result<_, _>>();
        Ok(match condition {
            Condition::All(parts) => Condition::All(all(parts)?),
            Condition::Any(parts) => Condition::Any(all(parts)?),
            Condition::Not(part) => Condition::Not(Box::new(self.condition(*part, here)?)),
            Condition::Linked(link) => self.link(&link, here)?,
            Condition::Examined(examination) => self.examined(&examination, here)?,
            plain => plain,
        })
    }

    fn link(&mut self, link: &Link, here: &Plan) -> Result<Condition, Stop> {
        // In a dossier that was named there are few instances, whatever is asked at the other end.
        let sides = if here.dossiers.is_some() { [Side::Here, Side::There] } else { [Side::There, Side::Here] };
        // Where nothing else is asked here, a few instances are no less than all of them.
        let is_open = here.dossiers.is_none() && conjuncts(&here.condition).is_empty();
        let limits = if is_open { &[MAX_LINKED_INSTANCES][..] } else { &[FEW_INSTANCES, MAX_LINKED_INSTANCES] };
        for most in limits.iter().copied() {
            for side in sides {
                let decided = match (side, link.direction) {
                    (Side::There, Direction::To) => self.by_targets(link, most),
                    (Side::There, Direction::From(kind)) => self.by_sources(link, kind, most),
                    (Side::Here, Direction::To) => self.by_targets_of_candidates(link, here, most),
                    (Side::Here, Direction::From(_)) => self.by_sources_of_candidates(link, here, most),
                };
                match decided {
                    Err(Stop::TooCostly | Stop::TooManyExamined) => {}
                    decided => return decided,
                }
            }
        }
        Err(Stop::TooCostly)
    }

    /// A chain, from all instances at its end.
    fn by_targets(&mut self, link: &Link, most: usize) -> Result<Condition, Stop> {
        let mut targets = Vec::new();
        for other in &link.others {
            let decided = self.plan(other)?;
            targets.extend(names(self.connection, self.access, &decided, most + 1 - targets.len())?);
            at_most(&targets, most)?;
        }
        Ok(link.pointer.at_any(&targets))
    }

    /// `_has`, from all instances that point to such of `kind`.
    fn by_sources(&mut self, link: &Link, kind: ResourceType, most: usize) -> Result<Condition, Stop> {
        let mut targets = Vec::new();
        for other in &link.others {
            let decided = self.plan(other)?;
            targets.extend(self.pointed_at(link, &decided, most)?);
        }
        Ok(Condition::Id(ids_of(&[kind], &targets)))
    }

    /// A chain, from what the instances here that fulfil everything else point at.
    fn by_targets_of_candidates(&mut self, link: &Link, here: &Plan, most: usize) -> Result<Condition, Stop> {
        let named = self.pointed_at(link, here, most)?;
        let mut targets = Vec::new();
        for other in &link.others {
            let ids = ids_of(&other.kinds, &named);
            at_most(&ids, MAX_LINKED_INSTANCES)?;
            if !ids.is_empty() {
                let decided = self.plan(&narrowed(other, Condition::Id(ids)))?;
                targets.extend(names(self.connection, self.access, &decided, MAX_LINKED_INSTANCES)?);
            }
        }
        Ok(link.pointer.at_any(&targets))
    }

    /// `_has`, from what points at the instances here that fulfil everything else.
    fn by_sources_of_candidates(&mut self, link: &Link, here: &Plan, most: usize) -> Result<Condition, Stop> {
        let candidates = names(self.connection, self.access, here, most + 1)?;
        at_most(&candidates, most)?;
        let mut targets = Vec::new();
        for other in &link.others {
            let decided = self.plan(&narrowed(other, link.pointer.at_any(&candidates)))?;
            targets.extend(self.pointed_at(link, &decided, most)?);
        }
        let candidates: HashSet<Name> = candidates.into_iter().collect();
        targets.retain(|name| candidates.contains(name));
        Ok(Condition::Id(ids_of(&here.kinds, &targets)))
    }

    /// The places of the instances here that pass.
    fn examined(&mut self, examination: &Examination, here: &Plan) -> Result<Condition, Stop> {
        let here = Plan { kinds: vec![examination.kind()], ..here.clone() };
        let candidates = narrowed(&here, examination.necessary.clone());
        let found = found(self.connection, self.access, &candidates, MAX_EXAMINED_INSTANCES + 1)?;
        if found.len() > MAX_EXAMINED_INSTANCES {
            return Err(Stop::TooManyExamined);
        }
        let mut keys = Vec::new();
        for stored in &found {
            if passes(stored, examination)? {
                keys.push(stored.key);
            }
        }
        Ok(Condition::At(keys))
    }

    /// What the instances that `plan` means point at.
    fn pointed_at(&mut self, link: &Link, plan: &Plan, most: usize) -> Result<Vec<Name>, Stop> {
        let pointing = found(self.connection, self.access, plan, most + 1)?;
        at_most(&pointing, most)?;
        let mut targets = HashSet::new();
        for stored in &pointing {
            if let Some(text) = stored.text().map_err(Stop::Failed)? {
                targets.extend(link.pointer.targets(text.json()).map_err(Stop::Failed)?);
            }
        }
        Ok(targets.into_iter().collect())
    }
}

fn passes(stored: &Stored, examination: &Examination) -> Result<bool, Stop> {
    let Some(text) = stored.text().map_err(Stop::Failed)? else { return Ok(false) };
    examination.passes(text.json()).map_err(Stop::Failed)
}

fn at_most<T>(instances: &[T], most: usize) -> Result<(), Stop> {
    if instances.len() > most { Err(Stop::TooCostly) } else { Ok(()) }
}

/// The plan of the other end, narrowed to what comes into question.
fn narrowed(other: &Plan, condition: Condition) -> Plan {
    Plan { condition: Condition::All(vec![condition, other.condition.clone()]), ..other.clone() }
}

/// A search that turned out to stay in the dossier of one patient is a search of that dossier.
fn within_one_dossier(plan: Plan) -> Plan {
    let one = conjuncts(&plan.condition).into_iter().find_map(|part| match part {
        Condition::Any(alternatives) => match alternatives.as_slice() {
            [Condition::InDossier(own)] => match own.as_slice() {
                [(part, _)] => Some(*part),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    match (one, &plan.dossiers) {
        (Some(part), None) => Plan { dossiers: Some(vec![part]), ..plan },
        _ => plan,
    }
}

/// The ids of those of `kinds`, each once.
fn ids_of(kinds: &[ResourceType], names: &[Name]) -> Vec<InstanceId> {
    let mut ids: Vec<_> = names.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, id)| id.clone()).collect();
    ids.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
    ids.dedup();
    ids
}
