//! The operations of the API (R4 operations.html): what is asked by a name that begins with `$`.

mod meta;

use super::{Call, Response, reindex};
use crate::outcome::Outcome;

/// An operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `$meta`
    Meta,
    /// `$meta-add`
    MetaAdd,
    /// `$meta-delete`
    MetaDelete,
    /// `$reindex`
    Reindex,
}

impl Operation {
    /// Those on `meta`.
    pub(super) const ON_META: [Self; 3] = [Self::Meta, Self::MetaAdd, Self::MetaDelete];

    /// The name without its `$`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::MetaAdd => "meta-add",
            Self::MetaDelete => "meta-delete",
            Self::Reindex => "reindex",
        }
    }

    /// The operation on `meta` that a segment of a URL names.
    pub(super) fn on_meta(segment: &str) -> Option<Self> {
        let name = segment.strip_prefix('$')?;
        Self::ON_META.into_iter().find(|operation| operation.name() == name)
    }

    /// Whether it may change something (`OperationDefinition.affectsState`).
    pub const fn affects_state(self) -> bool {
        !matches!(self, Self::Meta)
    }
}

pub(super) async fn operation(call: &Call<'_>) -> Outcome<Response> {
    match call.request.operation {
        Some(Operation::Meta) => meta::meta(call).await,
        Some(Operation::MetaAdd) => meta::changed(call, meta::Sense::Add).await,
        Some(Operation::MetaDelete) => meta::changed(call, meta::Sense::Delete).await,
        Some(Operation::Reindex) | None => reindex::reindex(call).await,
    }
}
