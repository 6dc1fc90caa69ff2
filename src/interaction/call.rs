//! One request on its way: the engine, the access that was granted, and what the journal will say.

use super::{Engine, Handling, Interaction, Request, Response, Tag, provenance};
use crate::audit::{AuditRecord, Event, Subject};
use crate::dossier::Access;
use crate::fhir::{InstanceId, InstanceKey, Instant, Part, ResourceType, VersionId};
use crate::outcome::{Failure, Issue, IssueCode, Kind, Outcome};
use crate::security::Principal;
use crate::store::change::{Amendment, Change, Method, Premise, Write};
use crate::store::{CommitFailure, Stored};

/// How often a write whose ground moved is tried again before the client is told so.
pub(super) const MAX_ATTEMPTS: usize = 32;

/// One request whose access was granted.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) engine: &'a Engine,
    pub(super) principal: &'a Principal,
    pub(super) access: &'a Access,
    pub(super) request: &'a Request,
}

impl Call<'_> {
    /// Does `work`, together with its journal records and what it makes of the search parameters of the store. `false`: an instance
    /// changed since it was read, or what criteria mean, or the search parameters since it was indexed.
    pub(super) async fn commit(&self, work: Work<'_>) -> Outcome<bool> {
        let Work { mut writes, standing, premises } = work;
        writes.extend(provenance::write_of(self.engine, self.request, &writes, &standing)?);
        let audit = if self.engine.records_audit { self.records_of(&writes, &standing) } else { Vec::new() };
        let vocabulary = self.engine.redefined(&writes)?;
        let redefines = vocabulary.is_some();
        let change = Change::new(writes, audit).given(premises).redefining(vocabulary);
        match self.engine.store.commit(self.access, change).await {
            Ok(()) => {
                // It is written, and the next who asks the store learns of it; what is defined is in force when this returns.
                if redefines {
                    self.engine.renew().await?;
                }
                Ok(true)
            }
            Err(CommitFailure::Outdated) => self.engine.renew().await.map(|()| false),
            Err(CommitFailure::Stale(_) | CommitFailure::Unmet | CommitFailure::Swept) => Ok(false),
            Err(CommitFailure::Failed(failure)) => Err(failure),
        }
    }

    /// Amends an older version where it rests, journaled. `false`: it is no longer what the amendment replaces.
    pub(super) async fn amend(&self, amendment: Amendment, stored: &Stored) -> Outcome<bool> {
        let subject = Subject { kind: stored.kind, id: Some(&stored.id), version: Some(stored.version) };
        let record = || self.record_of(self.request.interaction, subject, (stored.key.part, self.engine.context.moment()));
        let audit = if self.engine.records_audit { vec![record()] } else { Vec::new() };
        match self.engine.store.commit(self.access, Change::amending(amendment, audit)).await {
            Ok(()) => Ok(true),
            Err(CommitFailure::Stale(_) | CommitFailure::Unmet | CommitFailure::Swept | CommitFailure::Outdated) => Ok(false),
            Err(CommitFailure::Failed(failure)) => Err(failure),
        }
    }

    /// Holds the parameters of the query against `known`, those this interaction means something by.
    ///
    /// # Errors
    /// 400 at the first other one, unless the client asked for leniency.
    pub(super) fn refuse_parameters(&self, known: &[&str]) -> Outcome<()> {
        if self.request.prefer.handling() == Handling::Lenient {
            return Ok(());
        }
        match self.request.parameters.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, value)) if name == "_summary" && value == "false" => Ok(()),
            Some((name, _)) => Err(unknown_parameter(name, self.request.interaction)),
        }
    }

    fn records_of(&self, writes: &[Write], standing: &[Standing<'_>]) -> Vec<AuditRecord> {
        let written = writes.iter().map(|write| {
            let subject = Subject { kind: write.kind, id: Some(&write.id), version: Some(write.version) };
            self.record_of(interaction_of(write.method), subject, (write.key.part, write.updated))
        });
        let left = standing.iter().map(|Standing { stored, asked }| {
            let subject = Subject { kind: stored.kind, id: Some(&stored.id), version: Some(stored.version) };
            self.record_of(*asked, subject, (stored.key.part, self.engine.context.now()))
        });
        written.chain(left).collect()
    }

    fn record_of(&self, interaction: Interaction, subject: Subject<'_>, (part, moment): (Part, Instant)) -> AuditRecord {
        let event = event((self.principal, self.request), interaction, SUCCESS, Some(subject));
        AuditRecord::of(&event, part, moment)
    }
}

/// What a request comes to, before it is written.
#[derive(Debug, Default)]
pub(super) struct Work<'s> {
    /// New versions.
    pub(super) writes: Vec<Write>,
    /// Versions that were to be written and are there already.
    pub(super) standing: Vec<Standing<'s>>,
    /// What all of it takes for granted.
    pub(super) premises: Vec<Premise>,
}

/// A version that is left as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing<'s> {
    pub(super) stored: &'s Stored,
    /// What was asked: an update that would repeat it, or a create of what is there already.
    pub(super) asked: Interaction,
}

impl From<Vec<Write>> for Work<'_> {
    fn from(writes: Vec<Write>) -> Self {
        Self { writes, ..Self::default() }
    }
}

/// The interaction that makes versions by `method`.
const fn interaction_of(method: Method) -> Interaction {
    match method {
        Method::Post => Interaction::Create,
        Method::Put => Interaction::Update,
        Method::Patch => Interaction::Patch,
        Method::Delete => Interaction::Delete,
    }
}

fn unknown_parameter(name: &str, interaction: Interaction) -> Failure {
    let issue =
        Issue::error(IssueCode::NotSupported, format!("{interaction} knows no such parameter")).at(format!("http.{name}"));
    Failure::with_issues(Kind::InvalidParameter, vec![issue])
}

/// A write whose ground moved too often.
pub(super) fn contended() -> Failure {
    Failure::new(Kind::Conflict, "others change this instance at the same time; read it again")
}

/// What is said of a write that was done; whether it was 200 or 201 the version tells.
const SUCCESS: u16 = 200;

fn event<'a>(
    (principal, request): (&'a Principal, &'a Request),
    interaction: Interaction,
    status: u16,
    subject: Option<Subject<'a>>,
) -> Event<'a> {
    Event {
        principal,
        interaction: interaction.code(),
        action: interaction.action(),
        status,
        request_id: &request.request_id,
        subject,
    }
}

/// Journals an interaction that its own change did not: everything that reads, and everything that was refused.
///
/// # Errors
/// 503 where the journal cannot be written: then there is no answer either.
pub(super) async fn remember(
    engine: &Engine,
    principal: &Principal,
    request: &Request,
    outcome: &Outcome<Response>,
) -> Outcome<()> {
    let is_remembered = matches!(outcome, Ok(response) if response.is_journaled);
    if !engine.records_audit || is_remembered || request.interaction == Interaction::Capabilities {
        return Ok(());
    }
    let (status, version, part) = match outcome {
        Ok(response) => (response.status.code(), version_of(response).or(request.version), response.part),
        Err(failure) => (failure.kind().status(), request.version, None),
    };
    let subject = request.kind.map(|kind| Subject { kind, id: request.id.as_ref(), version });
    let part = part.unwrap_or_else(|| part_named(request.kind, request.id.as_ref()));
    let record = AuditRecord::of(&event((principal, request), request.interaction, status, subject), part, engine.context.now());
    engine.store.record(vec![record]).await.map_err(|failure| {
        Failure::new(Kind::Unavailable, "the access cannot be journaled, so it is not answered").because(failure)
    })
}

fn version_of(response: &Response) -> Option<VersionId> {
    match response.tag {
        Some(Tag::Version(version)) => Some(version),
        Some(Tag::Digest(_)) | None => None,
    }
}

/// The part that an id alone speaks of.
fn part_named(kind: Option<ResourceType>, id: Option<&InstanceId>) -> Part {
    match (kind, id) {
        (Some(ResourceType::Patient), Some(id)) => Part::of_patient(id),
        (_, Some(id)) => InstanceKey::read(id).map_or(Part::DIRECTORY, |key| key.part),
        (_, None) => Part::DIRECTORY,
    }
}
