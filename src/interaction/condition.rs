//! Conditional interactions (R4 http.html §ccreate, §cond-update, §3.1.0.7.1): criteria where an id would be, and what they mean
//! at this moment. What a write was built upon is a premise of its change, so that it holds when it is written too.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher24;

use super::call::Call;
use super::{Interaction, Request, read_parameters};
use crate::fhir::{InstanceId, ResourceType};
use crate::outcome::{Failure, Issue, Kind, Outcome, Severity};
use crate::search::plan::Plan;
use crate::search::{Handling, PageSize, Query, Scope};
use crate::store::Stored;
use crate::store::change::Premise;

/// The header of a conditional create, as failures name it.
pub(super) const IF_NONE_EXIST: &str = "http.If-None-Exist";

/// How many matches are enough to know that there are several.
const SEVERAL: u32 = 2;

/// The criteria of a conditional interaction, understood.
#[derive(Clone, Debug)]
pub(super) struct Criteria {
    kind: ResourceType,
    plan: Plan,
    /// Equal for equal criteria.
    mark: u64,
}

impl Criteria {
    /// The criteria of `request`; `None`: it names its instance, or makes a new one whatever there is.
    ///
    /// # Errors
    /// 400 where they are not criteria, or where they come with an interaction that has none.
    pub(super) fn of(call: &Call<'_>, request: &Request) -> Outcome<Option<Self>> {
        let kind = request.kind()?;
        match (request.interaction, &request.preconditions.if_none_exist) {
            (Interaction::Create, Some(text)) => {
                let read = || Self::read(call, kind, &read_parameters(text.as_bytes())?);
                read().map(Some).map_err(|failure: Failure| failure.relocated(|_| IF_NONE_EXIST.to_owned()))
            }
            (Interaction::Update | Interaction::Patch | Interaction::Delete, None) if request.id.is_none() => {
                Self::read(call, kind, &request.parameters).map(Some)
            }
            (_, Some(_)) => {
                let text = "If-None-Exist is a condition of a create and of nothing else";
                Err(Failure::new(Kind::InvalidParameter, text).at(IF_NONE_EXIST))
            }
            (_, None) => Ok(None),
        }
    }

    /// What `parameters` ask of instances of `kind`. Unlike a search they are never read leniently: what is not understood would make
    /// the wrong instance the one that is meant.
    ///
    /// # Errors
    /// 400 where something is not understood, says nothing about which instances are meant, or may not find them yet.
    pub(super) fn read(call: &Call<'_>, kind: ResourceType, parameters: &[(String, String)]) -> Outcome<Self> {
        let (engine, indexer) = (call.engine, call.engine.indexer());
        let query = Query::parse(indexer.registry(), Scope::of_type(kind), parameters, Handling::Strict)?;
        check_criteria(&query, parameters)?;
        let pending = query.pending(&indexer);
        if !pending.is_empty() {
            let errors = pending.into_iter().map(|issue| Issue { severity: Severity::Error, ..issue });
            return Err(Failure::with_issues(Kind::Conflict, errors.collect()));
        }
        let size = PageSize { default: SEVERAL, max: u32::MAX };
        let plan = query.plan(&indexer, size, engine.context.now())?;
        Ok(Self { kind, plan, mark: mark(kind, parameters) })
    }

    /// The type asked.
    pub(super) fn kind(&self) -> ResourceType {
        self.kind
    }

    /// What is asked.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Equal for equal criteria.
    pub(super) fn mark(&self) -> u64 {
        self.mark
    }

    /// That these criteria mean `found` and nothing else.
    pub(super) fn premise(&self, call: &Call<'_>, found: &[Stored]) -> Premise {
        Premise::new(call.access, (&self.plan, self.mark), found)
    }

    /// Up to `most` instances that are meant now, and one more where there are more.
    pub(super) async fn found(&self, call: &Call<'_>, most: usize) -> Outcome<Vec<Stored>> {
        let mut found = call.engine.store.matching(call.access, vec![self.plan.clone()], most + 1).await?;
        Ok(found.pop().unwrap_or_default())
    }
}

fn check_criteria(query: &Query, parameters: &[(String, String)]) -> Outcome<()> {
    let empty = parameters.iter().find(|(_, value)| value.trim().is_empty());
    if let Some((name, _)) = empty {
        return Err(Failure::new(Kind::InvalidParameter, "a criterion without a value means nothing").at(format!("http.{name}")));
    }
    if query.criteria().is_empty() {
        return Err(Failure::new(
            Kind::InvalidParameter,
            "a conditional interaction needs criteria: search parameters of the type",
        ));
    }
    if query.criteria().len() == query.self_parameters().len() {
        return Ok(());
    }
    let text = "criteria say which instances are meant and nothing else: no order, no page, no form of the answer";
    Err(Failure::new(Kind::InvalidParameter, text))
}

fn mark(kind: ResourceType, parameters: &[(String, String)]) -> u64 {
    let mut parameters: Vec<_> = parameters.iter().collect();
    parameters.sort_unstable();
    let mut hasher = SipHasher24::new();
    hasher.write_i16(kind.code());
    for (name, value) in parameters {
        for text in [name, value] {
            hasher.write_usize(text.len());
            hasher.write(text.as_bytes());
        }
    }
    hasher.finish()
}

/// The only one of `found`, if there is one.
///
/// # Errors
/// 412 where there are several.
pub(super) fn single(mut found: Vec<Stored>) -> Outcome<Option<Stored>> {
    let last = found.pop();
    if found.is_empty() { Ok(last) } else { Err(several(1)) }
}

/// Criteria that mean more than the `most` instances they may.
pub(super) fn several(most: usize) -> Failure {
    let text = match most {
        1 => String::from("several instances fulfil the criteria; they are to mean one"),
        most => {
            format!("more instances fulfil the criteria than are written at once; limits.conditional_delete_resources is {most}")
        }
    };
    Failure::new(Kind::MultipleMatches, text)
}

/// How a request says which instance it is about.
pub(super) enum Aim {
    /// By its id.
    Named(ResourceType, InstanceId),
    /// By criteria.
    Sought(Criteria),
}

/// What a write that aims at one instance finds.
#[derive(Debug)]
pub(super) struct Aimed {
    /// The last version of the instance, if there is one.
    pub(super) latest: Option<Stored>,
    /// What the write takes for granted.
    pub(super) premises: Vec<Premise>,
}

impl Aim {
    /// The aim of the request of `call`.
    ///
    /// # Errors
    /// As [`Criteria::of`].
    pub(super) fn of(call: &Call<'_>) -> Outcome<Self> {
        match Criteria::of(call, call.request)? {
            Some(criteria) => Ok(Self::Sought(criteria)),
            None => call.request.instance().map(|(kind, id)| Self::Named(kind, id.clone())),
        }
    }

    /// The id by which the instance is named.
    pub(super) fn id(&self) -> Option<&InstanceId> {
        match self {
            Self::Named(_, id) => Some(id),
            Self::Sought(_) => None,
        }
    }

    /// Waits for the turn of attempt number `attempt`.
    pub(super) async fn turn<'e>(&self, call: &Call<'e>, attempt: usize) -> Option<tokio::sync::MutexGuard<'e, ()>> {
        match self {
            Self::Named(kind, id) => call.engine.turns.take(attempt, (kind, id)).await,
            Self::Sought(criteria) => call.engine.turns.take(attempt, criteria.mark()).await,
        }
    }

    /// What is there now.
    ///
    /// # Errors
    /// 412 where several instances are meant.
    pub(super) async fn ground(&self, call: &Call<'_>) -> Outcome<Aimed> {
        let (found, premises) = self.all(call, 1).await?;
        Ok(Aimed { latest: single(found)?, premises })
    }

    /// All that is there now, which may be `most` at most, and what follows from it is built upon.
    ///
    /// # Errors
    /// 412 where more instances are meant.
    pub(super) async fn all(&self, call: &Call<'_>, most: usize) -> Outcome<(Vec<Stored>, Vec<Premise>)> {
        match self {
            Self::Named(kind, id) => {
                Ok((call.engine.store.read(call.access, *kind, id).await?.into_iter().collect(), Vec::new()))
            }
            Self::Sought(criteria) => {
                let found = criteria.found(call, most).await?;
                if found.len() > most {
                    return Err(several(most));
                }
                let premises = vec![criteria.premise(call, &found)];
                Ok((found, premises))
            }
        }
    }
}
