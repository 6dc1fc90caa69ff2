//! Parameters of a query by which old instances may not be found yet, since the index is still to be made of them.

use super::extract::Indexer;
use super::query::{Criterion, Query, SortedValue};
use crate::definition::ParameterId;
use crate::fhir::ResourceType;
use crate::outcome::{Issue, IssueCode};

impl Query {
    /// One warning for each parameter that may not find older instances yet; for an entry of mode `outcome`.
    pub fn pending(&self, indexer: &Indexer) -> Vec<Issue> {
        let mut used = Vec::new();
        for criteria in self.criteria() {
            self.kinds().iter().zip(criteria).for_each(|(kind, criterion)| add(&mut used, *kind, criterion));
        }
        for key in &self.result().sort {
            match &key.value {
                SortedValue::Parameter(parameters) => {
                    used.extend(parameters.iter().map(|sorted| (sorted.kind, sorted.parameter)));
                }
                SortedValue::Updated | SortedValue::Id => {}
            }
        }
        used.sort_unstable();
        used.dedup();
        used.into_iter().filter(|(_, parameter)| indexer.is_pending(*parameter)).map(|used| told(indexer, used)).collect()
    }
}

fn add(used: &mut Vec<(ResourceType, ParameterId)>, kind: ResourceType, criterion: &Criterion) {
    match criterion {
        Criterion::Own(filter) => used.push((kind, filter.parameter)),
        Criterion::Chain(chain) => {
            used.push((kind, chain.parameter));
            chain.targets.iter().for_each(|(target, criterion)| add(used, *target, criterion));
        }
        Criterion::Has(has) => {
            used.push((has.kind, has.parameter));
            add(used, has.kind, &has.criterion);
        }
        Criterion::All(parts) | Criterion::Any(parts) => parts.iter().for_each(|part| add(used, kind, part)),
        Criterion::Not(part) => add(used, kind, part),
    }
}

fn told(indexer: &Indexer, (kind, parameter): (ResourceType, ParameterId)) -> Issue {
    let known = indexer.registry().parameters(kind).iter().find(|known| known.id == parameter);
    let code = known.map_or("", |known| &known.code);
    let diagnostics = format!(
        "not every {kind} is indexed by `{code}` yet: those last written before it was defined may be missing here until \
         $reindex is done"
    );
    Issue::warning(IssueCode::Incomplete, diagnostics).at(format!("http.{code}"))
}
