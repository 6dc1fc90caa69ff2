//! What is sent for each measured interaction: whole requests, made beforehand, so that sending one costs nothing but sending.

use std::borrow::Cow;

use super::resource::{self, SOUGHT_TYPE};
use super::seed::{Dossiers, SOUGHT_DOCUMENTS, Service, updated_document};
use crate::cli::arguments::Measured;

/// What stands in a request that must say something else each time it is sent: an update that changes nothing writes nothing.
pub(super) const TURN: &str = "turn 0000000000";

/// The requests of one interaction.
pub(super) struct Scenario {
    /// The status of an answer as expected.
    pub(super) expected: u16,
    /// Whether a request must say something else each time it is sent, where it says [`TURN`].
    pub(super) varies: bool,
    /// Whole requests. Connections take theirs from disjoint parts of them, so that no two write one instance at once.
    pub(super) requests: Vec<Vec<u8>>,
}

impl Measured {
    /// Every interaction that is measured, in the order of the report.
    pub(super) const ALL: [Self; 6] = [Self::Read, Self::Vread, Self::Create, Self::Update, Self::Search, Self::Transaction];

    /// Its name in a report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Create => "create",
            Self::Update => "update",
            Self::Search => "search",
            Self::Transaction => "transaction",
        }
    }

    const fn expected(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Read | Self::Vread | Self::Update | Self::Search | Self::Transaction => 200,
        }
    }
}

impl Scenario {
    /// The requests of `measured` to `service`, about what `dossiers` holds.
    pub(super) fn new(measured: Measured, service: &Service, dossiers: &Dossiers) -> Self {
        let written = || dossiers.written_patients.iter().zip(&dossiers.written_documents).zip(1_000_000..);
        let requests = match measured {
            Measured::Read => each(&dossiers.read_documents, |document| service.request("GET", &format!("/{document}"), None)),
            Measured::Vread => {
                each(&dossiers.written_documents, |document| service.request("GET", &format!("/{document}/_history/1"), None))
            }
            Measured::Search => each(&dossiers.read_patients, |patient| service.request("GET", &search(patient), None)),
            Measured::Create => written()
                .map(|((patient, _), number)| resource::document(patient, number, SOUGHT_TYPE))
                .map(|body| service.request("POST", "/DocumentReference", Some(&body)))
                .collect(),
            Measured::Update => written()
                .map(|((patient, document), _)| (document, updated_document(patient, document)))
                .map(|(document, body)| service.request("PUT", &format!("/{document}"), Some(&body)))
                .collect(),
            Measured::Transaction => written()
                .map(|((patient, _), number)| service.request("POST", "", Some(&resource::push(patient, number))))
                .collect(),
        };
        Self { expected: measured.expected(), varies: measured == Measured::Update, requests }
    }

    /// The request at `index`, where it must differ each time with `turn` in it.
    pub(super) fn request(&self, index: usize, turn: u64) -> Cow<'_, [u8]> {
        let request = self.requests.get(index).map(Vec::as_slice).unwrap_or_default();
        let Some(at) = memchr::memmem::find(request, TURN.as_bytes()).filter(|_| self.varies) else {
            return Cow::Borrowed(request);
        };
        let told = format!("turn {:010}", turn % 10_000_000_000);
        let (before, after) = (request.get(..at).unwrap_or_default(), request.get(at + TURN.len()..).unwrap_or_default());
        Cow::Owned([before, told.as_bytes(), after].concat())
    }
}

fn each(references: &[String], request: impl Fn(&String) -> Vec<u8>) -> Vec<Vec<u8>> {
    references.iter().map(request).collect()
}

fn search(patient: &str) -> String {
    format!("/DocumentReference?patient={patient}&type=http://loinc.org%7C{SOUGHT_TYPE}&_sort=-date&_count={SOUGHT_DOCUMENTS}")
}
