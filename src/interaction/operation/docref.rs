//! `$docref` (IHE, International Patient Access): the documents of a patient by care dates and types. With neither, the latest
//! summary. Nothing is made on demand. The answer is that of a search, whose links say which.

use super::Input;
use crate::interaction::{Call, Interaction, Request, Response, search};
use crate::outcome::Outcome;

/// Summaries: of an episode, and the International Patient Summary.
const SUMMARIES: &str = "http://loinc.org|34133-9,http://loinc.org|60591-5";

pub(super) async fn docref(call: &Call<'_>, input: &Input) -> Outcome<Response> {
    let mut request = Request::new(Interaction::SearchType, call.request.request_id.clone());
    (request.kind, request.prefer) = (call.request.kind, call.request.prefer);
    let mut ask = |name: &str, value: String| request.parameters.push((name.to_owned(), value));
    ask("patient", input.one("patient").unwrap_or_default().to_owned());
    ask("status", "current".to_owned());
    let types: Vec<&str> = input.all("type").collect();
    let profiles: Vec<&str> = input.all("profile").collect();
    let (start, end) = (input.one("start"), input.one("end"));
    if let Some(start) = start {
        ask("period", format!("ge{start}"));
    }
    if let Some(end) = end {
        ask("period", format!("le{end}"));
    }
    if !profiles.is_empty() {
        ask("_profile", profiles.join(","));
    }
    if !types.is_empty() {
        ask("type", types.join(","));
    } else if start.is_none() && end.is_none() {
        ask("type", SUMMARIES.to_owned());
        ask("_sort", "-date".to_owned());
        ask("_count", "1".to_owned());
    }
    search::search(&Call { request: &request, ..*call }).await
}
