//! What a failing database means to the client: it is away (503) unless the statement itself was wrong, which is our bug (500).

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error};

use super::queue::Refused;
use crate::outcome::{Failure, Issue, IssueCode, Kind};

/// The failure that `error` is.
pub(super) fn failure(error: Error) -> Failure {
    if let Some(TooLong(limit)) = too_long(&error) {
        return limited(*limit);
    }
    if is_away(&error) { unavailable(error) } else { Failure::fault(error) }
}

/// A statement took longer than it may, and was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the statement took longer than {0:?}")]
pub(super) struct TooLong(pub(super) Duration);

impl From<TooLong> for Error {
    fn from(why: TooLong) -> Self {
        Self::QueryBuilderError(Box::new(why))
    }
}

fn too_long(error: &Error) -> Option<&TooLong> {
    match error {
        Error::QueryBuilderError(why) => why.downcast_ref(),
        _ => None,
    }
}

fn limited(limit: Duration) -> Failure {
    let seconds = limit.as_secs_f64();
    let told = format!(
        "the database took longer than it may for one statement of this (limits.search_seconds is {seconds}); ask for less, or ask more of what is searched"
    );
    Failure::with_issues(Kind::TooCostly, vec![Issue::error(IssueCode::TooCostly, told)])
}

/// Whether `error` says that the database is away, busy, full or broken, not that the statement was wrong.
pub(super) fn is_away(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, _) => !matches!(
            kind,
            DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::ExclusionViolation
                | DatabaseErrorKind::RestrictViolation
        ),
        Error::RollbackErrorOnCommit { .. } | Error::BrokenTransactionManager | Error::NotInTransaction => true,
        _ => false,
    }
}

/// What may help where a statement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The same again through a new connection, as soon as there is one.
    AnotherConnection,
    /// The same again, a little later.
    AnotherAttempt,
    /// Nothing.
    None,
}

/// What may help against `error`. The driver tells the class of an error for a few of them only; of the others, one that points
/// into the text of the statement will not pass (it was not understood), and any other may: a deadlock, a lock or a statement
/// that took too long, a full disk, an operator's intervention.
pub(super) fn remedy(error: &Error) -> Remedy {
    match error {
        _ if is_lost(error) => Remedy::AnotherConnection,
        // Another instance numbered a record of the same journal at the same time; what a change itself meets is stale.
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Remedy::AnotherAttempt,
        _ if is_conflict(error) => Remedy::AnotherAttempt,
        Error::DatabaseError(DatabaseErrorKind::Unknown, told) if told.statement_position().is_none() => Remedy::AnotherAttempt,
        _ => Remedy::None,
    }
}

/// Whether `error` says that a transaction was undone because it met another one.
pub(super) const fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _))
}

/// Whether `error` says that the connection leads nowhere any more, or to a server that cannot be written to.
pub(super) fn is_lost(error: &Error) -> bool {
    match error {
        Error::DatabaseError(kind, _) => matches!(
            kind,
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ReadOnlyTransaction
        ),
        Error::RollbackErrorOnCommit { .. } | Error::BrokenTransactionManager | Error::NotInTransaction => true,
        _ => false,
    }
}

/// The database cannot be reached or does not do its work: busy, full, broken.
pub(super) fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
    Failure::new(Kind::Unavailable, "the store is not available; try again").because(cause)
}

/// The queue before the database took no more.
pub(super) fn refused(refused: Refused) -> Failure {
    match refused {
        Refused::Full => Failure::new(Kind::Unavailable, "too many requests wait for the store; try again"),
        Refused::Closed => Failure::new(Kind::Unavailable, "the server is stopping"),
    }
}
