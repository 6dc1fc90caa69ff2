//! `carnet reindex`: makes the index of what rests already anew – by a server, which goes on serving, or in a store that none has.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::Value;

use super::{bar, output, told};
use crate::app;
use crate::config::Settings;
use crate::fhir::ResourceType;
use crate::interaction::Context;

/// How often a server is asked how far it is.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    done: u64,
    total: u64,
    changed: u64,
    has_ended: bool,
}

/// Has the server at `base_url` do it, for the types of the SearchParameter called `only` or for all; waits until it is done.
///
/// # Errors
/// In a sentence, why it is not done.
pub(super) async fn by_server(base_url: &str, only: Option<&str>) -> Result<bool, String> {
    let began = Instant::now();
    let client = reqwest::Client::builder().build().map_err(|error| error.to_string())?;
    let base_url = base_url.trim_end_matches('/');
    let url = only.map_or_else(|| format!("{base_url}/$reindex"), |id| format!("{base_url}/SearchParameter/{id}/$reindex"));
    let mut progress = asked(client.post(&url)).await?;
    let bar = bar::of_rows(progress.total);
    while !progress.has_ended {
        bar.set_position(progress.done);
        tokio::time::sleep(ASKED_EVERY).await;
        progress = asked(client.get(format!("{base_url}/$reindex"))).await?;
    }
    end(&bar, progress, began);
    Ok(true)
}

async fn asked(request: reqwest::RequestBuilder) -> Result<Progress, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or_default());
    if status.is_success() {
        return progress(&body).ok_or_else(|| String::from("the server says nothing that can be understood"));
    }
    let reason = body.pointer("/issue/0/diagnostics").and_then(Value::as_str).unwrap_or_default();
    Err(format!("the server refuses: {status} {reason}"))
}

/// What the Parameters of `$reindex` say.
fn progress(parameters: &Value) -> Option<Progress> {
    let list = parameters.get("parameter")?.as_array()?;
    let part = |name: &str| list.iter().find(|part| part.get("name").and_then(Value::as_str) == Some(name));
    let count = |name: &str| part(name)?.get("valueDecimal")?.as_u64();
    let status = part("status")?.get("valueCode")?.as_str()?;
    Some(Progress { done: count("done")?, total: count("total")?, changed: count("changed")?, has_ended: status == "completed" })
}

/// Does it in the store of `settings`.
///
/// # Errors
/// In a sentence, why it is not done.
pub(super) async fn in_store(settings: &Settings, only: Option<&str>) -> Result<bool, String> {
    let began = Instant::now();
    let base_url = settings.base_url_at(settings.listen);
    let engine = app::engine(settings, &base_url, Context::of_this_machine()).map_err(|failure| told(&failure))?;
    let kinds = match only {
        None => ResourceType::ALL.to_vec(),
        Some(id) => engine.kinds_of_parameter(id).await.map_err(|failure| told(&failure))?,
    };
    let begun = engine.begin_reindexing(kinds).await.map_err(|failure| told(&failure))?;
    let bar = bar::of_rows(begun.total);
    let mut progress = Progress { total: begun.total, ..Progress::default() };
    while !progress.has_ended {
        match engine.reindex_some().await.map_err(|failure| told(&failure))? {
            Some(job) => {
                let has_ended = job.ended.is_some();
                progress = Progress { done: job.done, total: job.total, changed: job.changed, has_ended };
                bar.set_position(job.done);
            }
            // A server that shares the store does it.
            None => {
                tokio::time::sleep(ASKED_EVERY).await;
                progress.has_ended = engine.has_reindexed().await.map_err(|failure| told(&failure))?;
            }
        }
    }
    engine.close();
    end(&bar, progress, began);
    Ok(true)
}

fn end(bar: &ProgressBar, progress: Progress, began: Instant) {
    bar.finish_and_clear();
    output::say(summary(progress, began.elapsed()));
}

fn summary(progress: Progress, took: Duration) -> String {
    let Progress { done, changed, .. } = progress;
    format!("{done} instances looked at, {changed} indexed anew, in {:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_server_says_is_understood() {
        let part = |name: &str, count: u64| json!({"name": name, "valueDecimal": count});
        let said = |status: &str| {
            let status = json!({"name": "status", "valueCode": status});
            json!({"parameter": [status, part("done", 3), part("total", 5), part("changed", 2)]})
        };
        let expected = Progress { done: 3, total: 5, changed: 2, has_ended: false };
        assert_eq!(progress(&said("in-progress")), Some(expected));
        assert_eq!(progress(&said("completed")), Some(Progress { has_ended: true, ..expected }));
        assert_eq!(progress(&json!({"parameter": []})), None);
        assert_eq!(summary(expected, Duration::from_millis(1_500)), "3 instances looked at, 2 indexed anew, in 1.5 s");
    }
}
