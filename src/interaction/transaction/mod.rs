//! batch and transaction: `POST [base]` with a Bundle (R4 http.html §transaction).
//!
//! The entries of a batch go through `execute` one by one, each for itself. A transaction reads all entries, decides all
//! identities, rewrites every reference to them, prepares every version, and only then writes: one `Change`, all or nothing.
//! What an entry reads is read afterwards, so it sees what the others wrote, in whichever order they stand; but what it would be
//! refused for is found out before.

mod assignment;
mod batch;
mod conditional;
mod drafted;
mod entry;
mod links;
mod prepare;
mod reply;
mod rewrite;
mod sought;

use std::collections::HashSet;

use super::call::{Call, MAX_ATTEMPTS, Standing, Work, contended};
use super::condition::Criteria;
use super::{Response, body, decided, execute};
use crate::fhir::json::{Node, Tree};
use crate::fhir::{InstanceId, ResourceType};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use entry::Entry;
use reply::Reply;

/// What `Bundle.type` makes of a Bundle that is sent to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Batch,
    Transaction,
}

pub(super) async fn bundle(call: &Call<'_>) -> Outcome<Response> {
    let content = call.request.body.as_ref().ok_or_else(|| Failure::new(Kind::Malformed, "a Bundle is expected"))?;
    let tree = body::parse(body::json_only(content)?)?;
    body::check_type(&tree, ResourceType::Bundle)?;
    let sort = sort(&tree)?;
    let entries: Vec<Node<'_>> = tree.root().member("entry").map(|list| list.items().collect()).unwrap_or_default();
    let most = call.engine.limits.bundle_entries;
    if entries.len() > most {
        return Err(Failure::new(Kind::TooLarge, format!("a Bundle may have at most {most} entries here")).at("Bundle.entry"));
    }
    let mut response = match sort {
        Sort::Batch => batch::batch(call, &content.bytes, &entries).await,
        Sort::Transaction => transaction(call, &content.bytes, &entries).await,
    }?;
    response.applied.returns = call.request.prefer.returns;
    Ok(response)
}

fn sort(tree: &Tree<'_>) -> Outcome<Sort> {
    match tree.root().member("type").and_then(Node::string).as_deref() {
        Some("batch") => Ok(Sort::Batch),
        Some("transaction") => Ok(Sort::Transaction),
        Some(_) | None => {
            let issue = Issue::error(IssueCode::Value, "a Bundle sent here is a batch or a transaction").at("Bundle.type");
            Err(Failure::with_issues(Kind::Malformed, vec![issue]))
        }
    }
}

async fn transaction(call: &Call<'_>, bytes: &bytes::Bytes, nodes: &[Node<'_>]) -> Outcome<Response> {
    let entries: Vec<Entry<'_>> = all(nodes.iter().enumerate().map(|(at, node)| Entry::read(call, (at, *node), bytes)))?;
    let (links, asked) = (links::Identities::of(&entries)?, sought::asked(call, &entries)?);
    check_reads(call, &entries).await?;
    let mut replies = written(call, &entries, (&links, &asked)).await?;
    for (entry, reply) in entries.iter().zip(&mut replies) {
        if entry.reads() {
            let outcome = Box::pin(execute(call.engine, call.principal, &entry.request)).await;
            *reply = Reply::to(outcome, entry, call.engine.base_url());
        }
    }
    Ok(Response {
        is_journaled: entries.iter().any(|entry| !entry.reads()),
        ..reply::bundle(call, "transaction-response", &replies)
    })
}

/// Writes what the entries write; one reply an entry, empty for those that read.
async fn written(call: &Call<'_>, entries: &[Entry<'_>], named: (&links::Identities<'_>, &sought::Asked)) -> Outcome<Vec<Reply>> {
    let first_mark = entries.iter().find_map(|entry| named.1.get(&entry.at)).map(Criteria::mark);
    let contended_first = (entries.iter().find_map(Entry::target), first_mark);
    for attempt in 0..MAX_ATTEMPTS {
        let _turn = call.engine.turns.take(attempt, contended_first).await;
        let prepared = prepare::prepare(call, entries, named).await?;
        let standing = prepared.standing.iter().map(|(stored, asked)| Standing { stored, asked: *asked }).collect();
        if call.commit(Work { writes: prepared.writes, standing, premises: prepared.premises }).await? {
            return Ok(prepared.replies);
        }
    }
    Err(contended())
}

/// Refuses the whole for what an entry is refused to read, since nothing can be taken back once the others are written (B-03).
/// Only an instance that another entry writes may be absent yet.
async fn check_reads(call: &Call<'_>, entries: &[Entry<'_>]) -> Outcome<()> {
    let written: HashSet<(ResourceType, &InstanceId)> = entries.iter().filter_map(Entry::target).collect();
    for entry in entries.iter().filter(|entry| entry.reads()) {
        let outcome = Box::pin(decided(call.engine, call.principal, &entry.request)).await;
        let named = entry.request.kind.zip(entry.request.id.as_ref());
        let may_appear = named.is_some_and(|name| written.contains(&name));
        match outcome {
            Err(failure) if may_appear && matches!(failure.kind(), Kind::Absent | Kind::Deleted) => {}
            Err(failure) => return Err(entry.located(failure)),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Everything or every reason why not.
fn all<T>(results: impl Iterator<Item = Outcome<T>>) -> Outcome<Vec<T>> {
    let (mut good, mut bad): (Vec<T>, Option<Failure>) = (Vec::new(), None);
    for result in results {
        match (result, &mut bad) {
            (Ok(value), None) => good.push(value),
            (Err(failure), None) => bad = Some(failure),
            (Err(failure), Some(first)) if first.issues().len() < MAX_ISSUES => first.add(failure.issues()),
            (Ok(_) | Err(_), Some(_)) => {}
        }
    }
    match bad {
        None => Ok(good),
        Some(failure) => Err(failure),
    }
}

/// How many faults of a Bundle are told at once.
const MAX_ISSUES: usize = 50;
