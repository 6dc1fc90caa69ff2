//! Conditions of a request against the version that is there (R4 http.html §concurrency, §cread; RFC 9110 §13.2.2).

use super::{EntityTags, Preconditions};
use crate::fhir::VersionId;
use crate::outcome::{Failure, Kind, Outcome};
use crate::store::Stored;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Whether a reader already has `stored`: `If-None-Match` decides alone where it is given.
pub(super) fn is_unmodified(conditions: &Preconditions, stored: &Stored) -> bool {
    match (&conditions.if_none_match, conditions.if_modified_since) {
        (Some(tags), _) => tags.name(stored.version),
        (None, Some(since)) => stored.updated.micros().div_euclid(MICROS_PER_SECOND) <= since,
        (None, None) => false,
    }
}

/// Whether a write may replace `latest`, the last version there is.
///
/// # Errors
/// 412, with the version that stands in the way.
pub(super) fn check_write(conditions: &Preconditions, latest: Option<&Stored>) -> Outcome<()> {
    if let Some(tags) = &conditions.if_match {
        check_if_match(tags, latest)?;
    }
    match (&conditions.if_none_match, latest) {
        (Some(EntityTags::Any), Some(stored)) if stored.body.is_some() => {
            Err(mismatch("the instance is there already; If-None-Match asks that it is not", Some(stored.version)))
        }
        (Some(tags @ EntityTags::These(_)), Some(stored)) if tags.name(stored.version) => {
            Err(mismatch("the current version is one that If-None-Match excludes", Some(stored.version)))
        }
        _ => Ok(()),
    }
}

/// The same of each instance that a write is about; of what is absent where there is none.
///
/// # Errors
/// As [`check_write`].
pub(super) fn check_each(conditions: &Preconditions, there: &[Stored]) -> Outcome<()> {
    match there {
        [] => check_write(conditions, None),
        there => there.iter().try_for_each(|stored| check_write(conditions, Some(stored))),
    }
}

/// `If-Match: *` asks for a current representation, which a deleted instance has not; a tag may name the deletion itself.
fn check_if_match(tags: &EntityTags, latest: Option<&Stored>) -> Outcome<()> {
    let holds = latest.is_some_and(|stored| match tags {
        EntityTags::Any => stored.body.is_some(),
        EntityTags::These(_) => tags.name(stored.version),
    });
    if holds {
        Ok(())
    } else {
        Err(mismatch("the current version is not the one that If-Match names", latest.map(|stored| stored.version)))
    }
}

fn mismatch(diagnostics: &str, current: Option<VersionId>) -> Failure {
    let failure = Failure::new(Kind::VersionMismatch, diagnostics);
    match current {
        Some(version) => failure.due_to(version),
        None => failure,
    }
}
