//! The narrative after a patch (P-04). One that was generated from the data no longer says what they say once they are changed, so
//! it goes; one that says more than the data do is somebody's to write, so the patch must bring it along.

use crate::fhir::json::{Node, Tree};
use crate::interaction::text::with_members;
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};

/// What changes without the narrative becoming untrue.
const BESIDE: [&str; 2] = ["text", "meta"];

/// `after` with a narrative that is safe; `None` where the one it has is.
///
/// # Errors
/// 422 where the narrative says more than the data and the patch leaves it as it is.
pub(super) fn safe(before: &Tree<'_>, after: &Tree<'_>) -> Outcome<Option<String>> {
    let (old, new) = (before.root(), after.root());
    let Some(text) = new.member("text").filter(|text| text.member("div").is_some()) else { return Ok(None) };
    let is_new = old.member("text").map(Node::raw) != Some(text.raw());
    if is_new || has_same_data(old, new) {
        return Ok(None);
    }
    match text.member("status").and_then(Node::string).as_deref() {
        Some("generated") => Ok(Some(with_members(new, &[("text", None)]))),
        Some("extensions" | "additional") => {
            let reason = "the narrative says more than the data that are changed: the patch must change it too";
            let place = format!("{}.text", name(new));
            Err(Failure::with_issues(Kind::Invalid, vec![Issue::error(IssueCode::BusinessRule, reason).at(place)]))
        }
        Some(_) | None => Ok(None),
    }
}

fn name(resource: Node<'_>) -> String {
    resource.member("resourceType").and_then(Node::string).unwrap_or_default().into_owned()
}

fn has_same_data(old: Node<'_>, new: Node<'_>) -> bool {
    let data = |resource: Node<'_>| -> Vec<String> {
        let members = resource.children().filter(|member| !BESIDE.iter().any(|name| member.is_named(name)));
        let mut data: Vec<String> = members.map(|member| format!("{}:{}", member.raw_key(), member.raw())).collect();
        data.sort();
        data
    };
    data(old) == data(new)
}
