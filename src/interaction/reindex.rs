//! `$reindex`: makes the index of what rests already anew, by the search parameters in use now. `POST [base]/$reindex` begins it for
//! every type, `POST [base]/SearchParameter/[id]/$reindex` for those of one parameter; it is done in the background. With GET, both
//! answer how far it is.

use bytes::Bytes;
use serde_json::{Value, json};

use super::engine::told_or_after_a_while;
use super::{Call, Engine, Response};
use crate::definition::CustomParameter;
use crate::dossier::{self, Access};
use crate::fhir::json::Tree;
use crate::fhir::{InstanceId, Instant, ResourceType};
use crate::outcome::{Failure, Kind, Outcome};
use crate::security::Principal;
use crate::store::{Reindexing, Worker};

pub(super) async fn reindex(call: &Call<'_>) -> Outcome<Response> {
    let kinds = match &call.request.id {
        Some(id) => kinds(call.engine, call.access, id).await?,
        None => ResourceType::ALL.to_vec(),
    };
    let progress = match &call.request.body {
        Some(_) => Some(call.engine.begin_reindexing(kinds).await?),
        None => call.engine.store.reindexing().await?,
    };
    // What is told as completed is in force.
    call.engine.renew().await?;
    Ok(Response::of(Bytes::from(told(progress.as_ref()).to_string())))
}

/// The types on which the SearchParameter `id` is defined.
async fn kinds(engine: &Engine, access: &Access, id: &InstanceId) -> Outcome<Vec<ResourceType>> {
    let stored = engine.store.read(access, ResourceType::SearchParameter, id).await?;
    let stored = stored.ok_or_else(|| Failure::new(Kind::Absent, "there is no such SearchParameter"))?;
    let Some(text) = stored.text()? else {
        return Err(Failure::new(Kind::Deleted, "the SearchParameter was deleted").due_to(stored.version));
    };
    let tree = Tree::parse(text.json()).map_err(Failure::fault)?;
    match CustomParameter::read(engine.registry, id.as_str(), &tree, &[]) {
        Ok(Some(parameter)) => Ok(parameter.kinds().collect()),
        Ok(None) | Err(_) => {
            Err(Failure::new(Kind::RuleRefused, "this SearchParameter is not in use").at("SearchParameter.status"))
        }
    }
}

/// The job as Parameters.
fn told(progress: Option<&Reindexing>) -> Value {
    let code = |name: &str, value: &str| json!({"name": name, "valueCode": value});
    let count = |name: &str, value: u64| json!({"name": name, "valueDecimal": value});
    let at = |name: &str, micros: i64| json!({"name": name, "valueInstant": Instant::from_micros(micros).to_string()});
    let parameter = match progress {
        None => vec![code("status", "never-begun")],
        Some(job) => {
            let status = if job.ended.is_some() { "completed" } else { "in-progress" };
            let mut told = vec![
                code("status", status),
                count("done", job.done),
                count("total", job.total),
                count("changed", job.changed),
                at("begun", job.begun),
            ];
            told.extend(job.ended.map(|ended| at("ended", ended)));
            told
        }
    };
    json!({"resourceType": "Parameters", "parameter": parameter})
}

impl Engine {
    /// Begins to index all instances of `kinds` anew, in the background.
    ///
    /// # Errors
    /// The store is away.
    pub async fn begin_reindexing(&self, kinds: Vec<ResourceType>) -> Outcome<Reindexing> {
        self.renew().await?;
        let begun = self.store.begin_reindexing(kinds, self.context.now()).await?;
        self.reindexing.notify_one();
        Ok(begun)
    }

    /// The types on which the SearchParameter called `id` is defined, for whoever may use the store itself.
    ///
    /// # Errors
    /// 404 where there is none, 422 where it is not in use; the store is away.
    pub async fn kinds_of_parameter(&self, id: &str) -> Outcome<Vec<ResourceType>> {
        let id = id.parse().map_err(|_| Failure::new(Kind::InvalidParameter, "this is no id of a SearchParameter"))?;
        kinds(self, &dossier::decide(&Principal::Open)?, &id).await
    }

    /// Whether nothing is being indexed anew any more.
    ///
    /// # Errors
    /// The store is away.
    pub async fn has_reindexed(&self) -> Outcome<bool> {
        Ok(self.store.reindexing().await?.is_none_or(|job| job.ended.is_some()))
    }

    /// Takes one step of making the index anew; `None` where there is none to be taken here.
    ///
    /// # Errors
    /// The store is away.
    pub async fn reindex_some(&self) -> Outcome<Option<Reindexing>> {
        self.renew().await?;
        // Where there is nothing to be done, nobody looks at the clock.
        if self.has_reindexed().await? {
            return Ok(None);
        }
        let worker = Worker { number: self.worker, now: self.context.now() };
        let step = self.store.reindex_some(&self.indexer(), worker).await?;
        if step.as_ref().is_some_and(|job| job.ended.is_some()) {
            self.renew().await?;
        }
        Ok(step)
    }

    /// Indexes anew whatever is begun, here or by others, as long as it is polled. Writers come first: where some wait, it
    /// waits as long as its last step took.
    pub async fn reindex_always(&self) {
        loop {
            let began = std::time::Instant::now();
            match self.reindex_some().await {
                Ok(Some(_)) if self.statistics().writing.waiting > 0 => tokio::time::sleep(began.elapsed()).await,
                Ok(Some(_)) => tokio::task::yield_now().await,
                Ok(None) => told_or_after_a_while(&self.reindexing).await,
                Err(failure) => {
                    tracing::error!(cause = failure.cause().map(tracing::field::display), "the index cannot be made anew");
                    told_or_after_a_while(&self.reindexing).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_never_began_says_so() {
        assert_eq!(told(None)["parameter"][0]["valueCode"], "never-begun");
    }
}
