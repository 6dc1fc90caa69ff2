//! Leading terms as the table `term` keeps them, each with what qualifies it: which of them a condition means, and the entries of these.

use super::several::{filled, rows};
use super::text::Sql;
use crate::fhir::ResourceType;
use crate::search::index::Term;
use crate::search::plan::Condition;
use crate::store::terms::qualifier;

/// A leading term, and what is to qualify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) term: Term,
    pub(super) qualifier: Option<u32>,
}

/// What stands for any qualifier in a list.
const ANY: i64 = -1;
/// No term of an instance, which fills a list up.
const NOTHING: Lead = Lead { term: Term(i64::MIN), qualifier: None };

/// Leads of which whatever fulfils a condition has one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leads {
    pub(super) leads: Vec<Lead>,
    /// Whether whatever has one of them fulfils the condition.
    pub(super) is_exact: bool,
}

impl Leads {
    /// The leads to what fulfils `condition`, where it has such.
    pub(super) fn of(condition: &Condition) -> Option<Self> {
        match condition {
            Condition::Term(term) => {
                term.leads().then(|| Self { leads: vec![Lead { term: *term, qualifier: None }], is_exact: true })
            }
            Condition::Any(parts) => {
                let parts = parts.iter().map(Self::of).collect::<Option<Vec<_>>>()?;
                let is_exact = parts.iter().all(|part| part.is_exact);
                Some(Self { leads: parts.into_iter().flat_map(|part| part.leads).collect(), is_exact })
            }
            Condition::All(parts) => {
                let parts: Vec<&Condition> = parts.iter().collect();
                let each = parts.iter().filter_map(|part| Some(Self::among(part, &parts)?.0));
                each.min_by_key(|leads| (leads.leads.len(), !leads.is_exact))
            }
            _ => None,
        }
    }

    /// The leads to what fulfils `part` and everything else of `whole`, which it is one of; all of `whole` that they cover.
    pub(super) fn among<'a>(part: &'a Condition, whole: &[&'a Condition]) -> Option<(Self, Vec<&'a Condition>)> {
        let mut found = Self::of(part)?;
        let mut covered = if found.is_exact { vec![part] } else { Vec::new() };
        if let (Condition::Term(term), [lead]) = (part, found.leads.as_mut_slice())
            && let Some((condition, qualifying)) = whole.iter().find_map(|other| Some((*other, qualifying(other, *term)?)))
        {
            lead.qualifier = Some(qualifier(qualifying));
            covered.push(condition);
        }
        found.is_exact = covered.len() == whole.len();
        Some((found, covered))
    }

    /// The entries of these leads: `SELECT part, rid …`, each instance once.
    pub(super) fn entries<'a>(&self, kinds: &[ResourceType]) -> Sql<'a> {
        match self.leads.as_slice() {
            [Lead { term, qualifier: Some(qualifier) }] => {
                of_kinds(Sql::new("SELECT v.part, v.rid FROM term v WHERE v.term = ").bind(term.0), kinds)
                    .push(" AND v.qualifier = ")
                    .bind(i64::from(*qualifier))
            }
            [Lead { term, qualifier: None }] => {
                of_kinds(Sql::new("SELECT DISTINCT v.part, v.rid FROM term v WHERE v.term = ").bind(term.0), kinds)
            }
            leads => {
                let listed = filled(leads, NOTHING).into_iter();
                let listed = rows(listed.map(|lead| vec![lead.term.0, lead.qualifier.map_or(ANY, i64::from)]));
                let from = Sql::new("SELECT DISTINCT v.part, v.rid FROM (").append(listed);
                of_kinds(from.push(") q CROSS JOIN term v WHERE v.term = q.column1"), kinds)
                    .push(" AND (q.column2 < 0 OR v.qualifier = q.column2)")
            }
        }
    }
}

fn of_kinds<'a>(sql: Sql<'a>, kinds: &[ResourceType]) -> Sql<'a> {
    sql.push(" AND ").append(super::drive::of_kinds("v.kind", kinds))
}

/// The term by which `condition` qualifies `leading`.
fn qualifying(condition: &Condition, leading: Term) -> Option<Term> {
    match condition {
        Condition::Term(term) => term.qualifies(leading).then_some(*term),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_in_a_system_is_one_lead_and_a_list_of_them_covers_its_condition() {
        let (code, system) = (Term::leading(5), Term::qualifying(Term::leading(5), 7));
        let both = || Condition::All(vec![Condition::Term(code), Condition::Term(system)]);
        let lead = Lead { term: code, qualifier: Some(qualifier(system)) };
        assert_eq!(Leads::of(&both()), Some(Leads { leads: vec![lead], is_exact: true }));
        let list = Condition::Any(vec![both(), Condition::Term(Term::leading(6))]);
        let other = Lead { term: Term::leading(6), qualifier: None };
        assert_eq!(Leads::of(&list), Some(Leads { leads: vec![lead, other], is_exact: true }));
    }

    #[test]
    fn what_a_lead_does_not_cover_stays_open() {
        let (code, stranger) = (Term::leading(5), Term::judging(u64::MAX));
        let narrower = Condition::All(vec![Condition::Term(code), Condition::Term(stranger)]);
        assert_eq!(Leads::of(&narrower).map(|leads| leads.is_exact), Some(false));
        assert_eq!(Leads::of(&Condition::Any(vec![narrower, Condition::Term(stranger)])), None);
    }
}
