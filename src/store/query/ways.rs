//! Several ways to the same candidates: what belongs to a compartment, or is pointed at from a dossier and from outside, is found
//! by names, by judging terms inside dossiers, and by leading terms anywhere. The ways are gone together.

use diesel::result::QueryResult;

use super::condition::{carries_one_of_kinds, listed};
use super::drive::{at, keys, of_kinds};
use super::text::Sql;
use crate::fhir::{InstanceId, Part, ResourceType};
use crate::search::index::Term;
use crate::search::plan::Condition;
use crate::store::connection::Connection;
use crate::store::dialect::Dialect;

/// Ways of which one at least leads to each instance that fulfils a condition, and perhaps to others.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Ways {
    /// By a leading term.
    terms: Vec<Term>,
    /// By a judging term in its dossier.
    own: Vec<(Part, Term)>,
    /// By names.
    names: Vec<(Vec<ResourceType>, Vec<InstanceId>)>,
}

impl Ways {
    /// The ways to what fulfils `condition` among instances of `kinds`, where it says them.
    pub(super) fn to(condition: &Condition, kinds: &[ResourceType]) -> Option<Self> {
        let mut ways = Self::default();
        ways.add(condition, kinds).then_some(ways)
    }

    fn add(&mut self, condition: &Condition, kinds: &[ResourceType]) -> bool {
        match condition {
            Condition::Term(term) if term.leads() => self.terms.push(*term),
            Condition::InDossier(own) => self.own.extend(own),
            Condition::Id(ids) => self.names.push((kinds.to_vec(), ids.clone())),
            Condition::Any(parts) => return parts.iter().all(|part| self.add(part, kinds)),
            Condition::All(parts) => {
                let narrowed = parts.iter().find_map(|part| match part {
                    Condition::Kind(kinds) => Some(kinds.as_slice()),
                    _ => None,
                });
                return match parts.iter().find_map(|part| Self::to(part, narrowed.unwrap_or(kinds))) {
                    Some(ways) => {
                        self.terms.extend(ways.terms);
                        self.own.extend(ways.own);
                        self.names.extend(ways.names);
                        true
                    }
                    None => false,
                };
            }
            _ => return false,
        }
        true
    }

    /// Where they lead: `SELECT part, rid …`. Several may lead to one place.
    pub(super) fn places<'a>(&self, connection: &mut Connection, kinds: &[ResourceType]) -> QueryResult<Sql<'a>> {
        let dialect = connection.dialect();
        let mut parts = Vec::new();
        let mut named = Vec::new();
        for (kinds, ids) in &self.names {
            named.extend(keys(connection, kinds, ids)?);
        }
        if !named.is_empty() {
            parts.push(Sql::new("SELECT i.part, i.rid FROM instance i WHERE ").append(at(&named)));
        }
        if !self.own.is_empty() {
            let own = Sql::new("SELECT i.part, i.rid FROM ").append(listed(&self.own));
            let own = own.push(" CROSS JOIN instance i WHERE i.part = o.column1 AND ");
            parts.push(own.push(dialect.has_packed_term_of_list()));
        }
        if !self.terms.is_empty() {
            parts.push(by_terms(dialect, kinds, &self.terms));
        }
        let nowhere = Sql::new("SELECT i.part, i.rid FROM instance i WHERE ").append(at(&[])).push(" AND i.body IS NOT NULL");
        let together = parts.into_iter().reduce(|all, part| all.push(" UNION ALL ").append(part));
        Ok(together.unwrap_or(nowhere))
    }
}

/// The instances that carry one of `terms`.
fn by_terms<'a>(dialect: Dialect, kinds: &[ResourceType], terms: &[Term]) -> Sql<'a> {
    match dialect {
        Dialect::Sqlite => super::drive::entries_of_terms(kinds, terms),
        Dialect::Postgres => Sql::new("SELECT i.part, i.rid FROM instance i WHERE ")
            .append(of_kinds("i.kind", kinds))
            .push(" AND i.body IS NOT NULL AND ")
            .append(carries_one_of_kinds(kinds, terms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ResourceType; 2] = [ResourceType::Observation, ResourceType::Patient];

    #[test]
    fn every_alternative_says_its_ways_or_none_is_said() {
        let (led, own) = (Term::leading(1), (Part(1), Term::judging(2)));
        let of_kind = |kind, condition| Condition::All(vec![Condition::Kind(vec![kind]), condition]);
        let name: InstanceId = "p".parse().unwrap();
        let mixed = Condition::Any(vec![
            of_kind(ResourceType::Observation, Condition::Any(vec![Condition::InDossier(vec![own]), Condition::Term(led)])),
            of_kind(ResourceType::Patient, Condition::Id(vec![name.clone()])),
        ]);
        let expected = Ways { terms: vec![led], own: vec![own], names: vec![(vec![ResourceType::Patient], vec![name])] };
        assert_eq!(Ways::to(&mixed, &KINDS), Some(expected));
        for closed in [Condition::Term(own.1), Condition::Date(None, Vec::new()), Condition::Not(Box::new(Condition::Term(led)))]
        {
            assert_eq!(Ways::to(&Condition::Any(vec![Condition::Term(led), closed]), &KINDS), None);
        }
    }
}
