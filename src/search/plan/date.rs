//! Dates compared: the range that the query's value covers against the range that the stored one covers (R4 search.html §date).

use chrono_tz::Tz;

use super::{Bound, Condition};
use crate::fhir::Instant;
use crate::fhir::date::PartialDate;
use crate::search::query::{Compared, Prefix};

/// How far `ap` reaches to each side: one part in this many of the distance between now and the value.
const APPROXIMATION_DIVISOR: u64 = 10;

/// The condition that a stored range stands so to the value; `place` says which stored range.
pub(super) fn compared(
    value: &Compared<PartialDate>,
    (zone, now): (Tz, Instant),
    place: &impl Fn(Vec<Bound>) -> Condition,
) -> Condition {
    let (low, high) = value.value.range(zone);
    let either = |one, other| Condition::Any(vec![place(vec![one]), place(vec![other])]);
    match value.prefix {
        Prefix::Eq => place(vec![Bound::LowAtLeast(low), Bound::HighAtMost(high)]),
        Prefix::Ne => either(Bound::LowBelow(low), Bound::HighAbove(high)),
        Prefix::Gt => place(vec![Bound::HighAbove(high)]),
        Prefix::Lt => place(vec![Bound::LowBelow(low)]),
        // What lies inside the value, or reaches beyond it: either way it begins no earlier, or ends later.
        Prefix::Ge => either(Bound::LowAtLeast(low), Bound::HighAbove(high)),
        Prefix::Le => either(Bound::HighAtMost(high), Bound::LowBelow(low)),
        Prefix::Sa => place(vec![Bound::LowAtLeast(high)]),
        Prefix::Eb => place(vec![Bound::HighAtMost(low)]),
        Prefix::Ap => {
            let (low, high) = widened((low, high), now);
            place(vec![Bound::LowBelow(high), Bound::HighAbove(low)])
        }
    }
}

fn widened((low, high): (i64, i64), now: Instant) -> (i64, i64) {
    let middle = low.midpoint(high);
    let margin = (middle.abs_diff(now.micros()) / APPROXIMATION_DIVISOR) as i64;
    (low.saturating_sub(margin), high.saturating_add(margin))
}
