//! `$everything` (R4 patient-operation-everything.html): what belongs to the compartment of a patient, or of every patient, and what
//! that refers to. Without `_count` all of a patient comes in one answer.

use super::Input;
use crate::definition::Compartment;
use crate::fhir::{InstanceId, Part, ResourceType};
use crate::interaction::bundle::SearchMode;
use crate::interaction::include::{Included, MAX_ROUNDS, included};
use crate::interaction::search::searchset;
use crate::interaction::{Call, Response, read};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::plan::{Bound, Condition, Plan, Turn};
use crate::search::query::PAGE_PARAMETER;
use crate::search::{Handling, PageSize, Query, Scope, Within};
use crate::store::Page;

pub(super) async fn everything(call: &Call<'_>, input: &Input) -> Outcome<Response> {
    let patient = call.request.id.as_ref();
    if let Some(id) = patient {
        let stored = call.engine.store.read(call.access, ResourceType::Patient, id).await?.ok_or_else(read::absent)?;
        read::present(&stored)?;
    }
    let (query, plan) = planned(call, input, patient)?;
    let mut page = call.engine.store.search(call.access, plan).await?;
    // Of all patients: what rests in no dossier is about none of them.
    page.matches.retain(|found| patient.is_some() || found.stored.key.part != Part::DIRECTORY);
    let mut along = included(call, &query.result().inclusions, &page.matches).await?;
    along.resources.retain(|stored| is_wanted(input, stored.kind));
    let answer = Answer { call, input, query: &query, page: &page, along: &along };
    Ok(Response { part: patient.map(Part::of_patient), ..Response::of(answer.bundle()?) })
}

fn is_wanted(input: &Input, kind: ResourceType) -> bool {
    let mut types = input.all("_type").peekable();
    types.peek().is_none() || types.any(|name| name == kind.name())
}

/// The search that finds it.
fn planned(call: &Call<'_>, input: &Input, patient: Option<&InstanceId>) -> Outcome<(Query, Plan)> {
    let (engine, indexer) = (call.engine, call.engine.indexer());
    let scope = match patient {
        Some(id) => {
            let within = Within { compartment: Compartment::Patient, id: id.clone() };
            Scope::of_compartment(engine.registry, within, None)
        }
        None => Scope::of_system(),
    };
    let (query, most) = (query(call, input, scope)?, engine.limits.operation_resources);
    let size = match patient {
        Some(_) => PageSize { default: most, max: most },
        None => PageSize { default: engine.limits.page_resources, max: engine.limits.page_max_resources },
    };
    let mut plan = query.plan(&indexer, size, engine.context.now())?;
    if let Some(cared) = care_dates(call, input)? {
        plan.condition = Condition::All(vec![cared, plan.condition]);
    }
    Ok((query, plan))
}

fn query(call: &Call<'_>, input: &Input, scope: Scope) -> Outcome<Query> {
    let registry = call.engine.registry;
    let of_patients = |kind: &&ResourceType| registry.is_in(Compartment::Patient, **kind);
    let types = ResourceType::ALL.iter().filter(of_patients).filter(|kind| is_wanted(input, **kind));
    let types: Vec<&str> = types.map(|kind| kind.name()).collect();
    if let Some(wrong) = input.all("_type").find(|name| name.parse::<ResourceType>().is_err()) {
        let text = format!("`{}` is not a resource type", wrong.chars().take(64).collect::<String>());
        return Err(Failure::new(Kind::InvalidParameter, text).at("http._type"));
    }
    let mut parameters = vec![("_include".to_owned(), "*".to_owned())];
    if types.is_empty() {
        // Of other types nothing belongs to a patient: a condition that nothing fulfils.
        parameters.push(("_lastUpdated".to_owned(), "lt0001".to_owned()));
    } else {
        parameters.push(("_type".to_owned(), types.join(",")));
    }
    parameters.extend(input.one("_since").map(|since| ("_lastUpdated".to_owned(), format!("ge{since}"))));
    parameters.extend(input.one("_count").map(|count| ("_count".to_owned(), count.to_owned())));
    parameters.extend(call.request.parameter(PAGE_PARAMETER).map(|token| (PAGE_PARAMETER.to_owned(), token.to_owned())));
    let query = Query::parse(call.engine.indexer().registry(), scope, &parameters, Handling::Strict)?;
    let dates = [input.one("start"), input.one("end")].map(Option::unwrap_or_default);
    Ok(query.asked_by(&format!("{} {}", call.principal.name(), dates.join(" "))))
}

/// That an instance was of some time between `start` and `end`, by its main date; one without a date is of any time.
fn care_dates(call: &Call<'_>, input: &Input) -> Outcome<Option<Condition>> {
    let indexer = call.engine.indexer();
    let range = |name: &str| {
        let wrong = || Failure::new(Kind::InvalidParameter, "this is no date").at(format!("http.{name}"));
        input.one(name).map(|date| indexer.range(date).ok_or_else(wrong)).transpose()
    };
    let (start, end) = (range("start")?, range("end")?);
    let bounds: Vec<Bound> =
        start.map(|start| Bound::HighAbove(start.low)).into_iter().chain(end.map(|end| Bound::LowBelow(end.high))).collect();
    let is_dated = Condition::Date(None, Vec::new());
    let within = |bounds| Condition::Any(vec![Condition::Date(None, bounds), Condition::Not(Box::new(is_dated))]);
    Ok((!bounds.is_empty()).then(|| within(bounds)))
}

struct Answer<'a> {
    call: &'a Call<'a>,
    input: &'a Input,
    query: &'a Query,
    page: &'a Page,
    along: &'a Included,
}

impl Answer<'_> {
    fn bundle(&self) -> Outcome<crate::store::Text> {
        let matches = self.page.matches.iter().map(|found| (&found.stored, SearchMode::Match));
        let along = self.along.resources.iter().map(|stored| (stored, SearchMode::Include));
        let shown = matches.chain(along).map(|(stored, mode)| Ok((stored, stored.text()?, mode)));
        let resources = shown.collect::<Outcome<Vec<_>>>()?;
        Ok(searchset(self.call, (None, &self.links()), &resources, &self.told()))
    }

    fn links(&self) -> Vec<(&'static str, String)> {
        let mut links = vec![("self", self.url(self.call.request.parameter(PAGE_PARAMETER).map(str::to_owned)))];
        if let Some(last) = self.page.matches.last().filter(|_| self.page.more) {
            let engine = self.call.engine;
            let expires = engine.context.now().after_seconds(engine.limits.page_seconds);
            let turn = Turn::After(last.position.clone());
            let own = self.query.page_parameters(&engine.indexer(), &turn, expires);
            let token = own.into_iter().find(|(name, _)| name == PAGE_PARAMETER).map(|(_, token)| token);
            links.push(("next", self.url(token)));
        }
        links
    }

    fn url(&self, page: Option<String>) -> String {
        let mut parameters = self.input.parameters();
        let shape = self.call.request.parameters.iter().filter(|(name, _)| matches!(name.as_str(), "_format" | "_pretty"));
        parameters.extend(shape.cloned());
        parameters.extend(page.map(|token| (PAGE_PARAMETER.to_owned(), token)));
        self.call.request.url(&self.call.engine.base_url, &parameters)
    }

    fn told(&self) -> Vec<Issue> {
        let most = self.call.engine.limits.include_resources;
        let cut = self.along.is_cut.then(|| {
            let text =
                format!("more is referred to; limits.include_resources is {most}, references are followed {MAX_ROUNDS} times");
            Issue::warning(IssueCode::Incomplete, text)
        });
        cut.into_iter().collect()
    }
}
