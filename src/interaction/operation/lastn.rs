//! `$lastn` (R4 observation-operation-lastn.html): of each kind of observation that a search finds, the latest ones. Kinds are told
//! apart by their codes: two observations that share a coding, or that have the same text and no coding, are of one kind.

use std::collections::HashMap;

use super::Input;
use crate::fhir::json::Node;
use crate::interaction::bundle::SearchMode;
use crate::interaction::search::searchset;
use crate::interaction::{Call, Response, body};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::search::{PageSize, Query, Scope};
use crate::store::{Stored, Text};

/// How many observations are read at a time.
const PAGE_RESOURCES: u32 = 1_000;

pub(super) async fn lastn(call: &Call<'_>, input: &Input) -> Outcome<Response> {
    let most: usize = input.one("max").and_then(|max| max.parse().ok()).unwrap_or(1);
    let found = latest(call, input).await?;
    let mut kinds = Kinds::default();
    let mut shown = Vec::new();
    for stored in &found.0 {
        let Some(text) = stored.text()? else { continue };
        if kinds.count(&text)? <= most {
            shown.push((stored, Some(text), SearchMode::Match));
        }
    }
    let asked: Vec<_> = input.search.iter().cloned().chain(input.parameters()).collect();
    let url = call.request.url(&call.engine.base_url, &asked);
    let total = u64::try_from(shown.len()).ok();
    Ok(Response::of(searchset(call, (total, &[("self", url)]), &shown, &found.1)))
}

/// What the search finds, newest first, and what is told of it.
async fn latest(call: &Call<'_>, input: &Input) -> Outcome<(Vec<Stored>, Vec<Issue>)> {
    let (engine, indexer) = (call.engine, call.engine.indexer());
    if !input.search.iter().any(|(name, _)| is_of_someone(name)) {
        let issue = Issue::error(IssueCode::Required, "$lastn needs `patient` or `subject`").at("http.patient");
        return Err(Failure::with_issues(Kind::InvalidParameter, vec![issue]));
    }
    let kind = call.request.kind()?;
    let mut parameters = input.search.clone();
    parameters.push(("_sort".to_owned(), "-date".to_owned()));
    let query = Query::parse(indexer.registry(), Scope::of_type(kind), &parameters, call.request.prefer.handling())?;
    let size = PageSize { default: PAGE_RESOURCES, max: PAGE_RESOURCES };
    let mut plan = query.plan(&indexer, size, engine.context.now())?;
    let (most, mut found) = (engine.limits.operation_resources as usize, Vec::new());
    loop {
        let page = engine.store.search(call.access, plan.clone()).await?;
        plan.after = page.matches.last().map(|found| found.position.clone());
        found.extend(page.matches.into_iter().map(|found| found.stored));
        if !page.more {
            return Ok((found, query.ignored().to_vec()));
        }
        if found.len() >= most {
            let text = format!("more than {most} observations would have to be looked at; ask for a category or for codes");
            return Err(Failure::with_issues(Kind::TooCostly, vec![Issue::error(IssueCode::TooCostly, text)]));
        }
    }
}

fn is_of_someone(name: &str) -> bool {
    matches!(name.split([':', '.']).next(), Some("patient" | "subject"))
}

/// The kinds of observations seen, by their codes.
#[derive(Default)]
struct Kinds {
    by_code: HashMap<String, usize>,
    counts: Vec<usize>,
}

impl Kinds {
    /// Counts an observation; how many of its kind there are with it.
    fn count(&mut self, text: &Text) -> Outcome<usize> {
        let tree = body::parse(text.json())?;
        let code = tree.root().member("code");
        let part = |coding: Node<'_>, name: &str| coding.member(name).and_then(Node::string).unwrap_or_default().into_owned();
        let codings = code.and_then(|code| code.member("coding")).into_iter().flat_map(Node::items);
        let mut codes: Vec<String> =
            codings.map(|coding| format!("{}|{}", part(coding, "system"), part(coding, "code"))).collect();
        if codes.is_empty() {
            codes.push(code.map(|code| part(code, "text")).unwrap_or_default());
        }
        let known = codes.iter().find_map(|code| self.by_code.get(code).copied());
        let kind = known.unwrap_or_else(|| {
            self.counts.push(0);
            self.counts.len() - 1
        });
        for code in codes {
            self.by_code.entry(code).or_insert(kind);
        }
        let Some(count) = self.counts.get_mut(kind) else { return Ok(1) };
        *count += 1;
        Ok(*count)
    }
}
