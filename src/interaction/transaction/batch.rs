//! batch: every entry for itself (R4 http.html §trules); what one of them says of another is not resolved.

use bytes::Bytes;

use super::entry::Entry;
use super::reply::{self, Reply};
use crate::fhir::json::Node;
use crate::interaction::call::Call;
use crate::interaction::{Response, execute};
use crate::outcome::Outcome;

pub(super) async fn batch(call: &Call<'_>, bytes: &Bytes, nodes: &[Node<'_>]) -> Outcome<Response> {
    let mut replies = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let reply = match Entry::read(call, (at, *node), bytes) {
            Ok(entry) => {
                let outcome = Box::pin(execute(call.engine, call.principal, &entry.request)).await;
                Reply::to(outcome, &entry, call.engine.base_url())
            }
            Err(failure) => Reply::refusal(&failure),
        };
        replies.push(reply);
    }
    Ok(reply::bundle(call, "batch-response", &replies))
}
