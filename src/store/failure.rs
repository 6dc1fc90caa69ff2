//! What a failing database means to the client: it is away (503) unless the statement itself was wrong, which is our bug (500).

use diesel::result::{DatabaseErrorKind, Error};

use super::queue::Refused;
use crate::outcome::{Failure, Kind};

/// The failure that `error` is.
pub(super) fn failure(error: Error) -> Failure {
    if is_away(&error) { unavailable(error) } else { Failure::fault(error) }
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
