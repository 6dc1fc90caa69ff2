//! One row of the journal of accesses.

use crate::fhir::json::push_string;
use crate::fhir::{InstanceId, Instant, Part, ResourceType, VersionId};
use crate::security::Principal;

use super::Action;

/// One access, as the journal keeps it: rendered as an AuditEvent only when somebody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The dossier concerned; the directory where there is none.
    pub part: Part,
    /// When.
    pub recorded: Instant,
    /// The rest, in the compact form of this module.
    pub entry: Box<[u8]>,
}

/// What happened.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Who asked.
    pub principal: &'a Principal,
    /// The code of the interaction (`AuditEvent.subtype`).
    pub interaction: &'static str,
    /// What it does to a record (`AuditEvent.action`).
    pub action: Action,
    /// The HTTP status it was answered with.
    pub status: u16,
    /// The id of the request.
    pub request_id: &'a str,
    /// The type or instance concerned, where there is one (`AuditEvent.entity.what`).
    pub subject: Option<Subject<'a>>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The type.
    pub kind: ResourceType,
    /// The logical id, where one is known.
    pub id: Option<&'a InstanceId>,
    /// The version, where one is known.
    pub version: Option<VersionId>,
}

/// Room for the members of an entry, in bytes.
const ENTRY_LEN: usize = 160;

impl AuditRecord {
    /// The record of `event`: a JSON object with the members `who`, `subtype`, `action`, `outcome` (the codes of
    /// `AuditEvent.outcome`), `request` and, where something is concerned, `what`.
    pub fn of(event: &Event<'_>, part: Part, recorded: Instant) -> Self {
        let mut entry = Vec::with_capacity(ENTRY_LEN);
        let members = [
            ("{\"who\":", event.principal.name()),
            (",\"subtype\":", event.interaction),
            (",\"action\":", event.action.code()),
            (",\"outcome\":", outcome(event.status)),
            (",\"request\":", event.request_id),
        ];
        for (name, value) in members {
            entry.extend(name.as_bytes());
            push_string(value, &mut entry);
        }
        if let Some(subject) = event.subject {
            entry.extend(b",\"what\":");
            push_string(&subject.reference(), &mut entry);
        }
        entry.push(b'}');
        Self { part, recorded, entry: entry.into() }
    }
}

impl Subject<'_> {
    fn reference(&self) -> String {
        match (self.id, self.version) {
            (None, _) => self.kind.name().to_owned(),
            (Some(id), None) => format!("{}/{id}", self.kind),
            (Some(id), Some(version)) => format!("{}/{id}/_history/{version}", self.kind),
        }
    }
}

/// `http://hl7.org/fhir/audit-event-outcome`
fn outcome(status: u16) -> &'static str {
    match status {
        0..400 => "0",
        400..500 => "4",
        500.. => "8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_who_did_what_to_which_version_and_how_it_ended() {
        let id = "p1".parse().unwrap();
        let event = Event {
            principal: &Principal::Open,
            interaction: "vread",
            action: Action::Read,
            status: 410,
            request_id: "r\"1",
            subject: Some(Subject { kind: ResourceType::Patient, id: Some(&id), version: Some(VersionId(2)) }),
        };
        let record = AuditRecord::of(&event, Part(7), Instant::from_micros(9));
        assert_eq!((record.part, record.recorded.micros()), (Part(7), 9));
        let entry: serde_json::Value = serde_json::from_slice(&record.entry).unwrap();
        let expected = serde_json::json!({"who": "open", "subtype": "vread", "action": "R", "outcome": "4",
            "request": "r\"1", "what": "Patient/p1/_history/2"});
        assert_eq!(entry, expected);
    }

    #[test]
    fn a_search_concerns_a_type_and_a_bundle_concerns_none() {
        let event = |subject| Event {
            principal: &Principal::Unknown,
            interaction: "search-type",
            action: Action::Execute,
            status: 500,
            request_id: "r",
            subject,
        };
        let of_type = event(Some(Subject { kind: ResourceType::Patient, id: None, version: None }));
        let text =
            |event: &Event<'_>| String::from_utf8(AuditRecord::of(event, Part(0), Instant::from_micros(0)).entry.into()).unwrap();
        assert!(text(&of_type).ends_with(r#""outcome":"8","request":"r","what":"Patient"}"#));
        assert!(text(&event(None)).ends_with(r#""request":"r"}"#));
    }
}
