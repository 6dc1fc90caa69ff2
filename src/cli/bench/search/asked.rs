//! What is searched for, and within which time it should be answered.

use super::super::random::Sequence;
use super::super::resource::SOUGHT_TYPE;
use super::population::{CODES, CONDITION_CODES, OBSERVATION_CODES, UNITS, condition_code, family, observation_code};

/// How many different searches of a kind are sent.
const VARIETIES: u64 = 400;
/// The values of a long list.
const LIST_VALUES: u64 = 200;
/// Ranks of codes that some hundreds of instances of a million have.
const RARE: u64 = 40;

/// A kind of search that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The documents of a type and a time in a dossier, newest first.
    DossierDocuments,
    /// The observations with one code in a dossier.
    DossierCode,
    /// The same with a list of 200 codes.
    DossierList,
    /// What a dossier has of a type, counted too.
    DossierTotal,
    /// One patient by an identifier.
    Identifier,
    /// Instances with one code.
    Token,
    /// The same with a list of 200 codes.
    List,
    /// Instances of a day.
    Date,
    /// Instances of a month, newest first.
    DateSorted,
    /// Instances with a code and a quantity above a value.
    Quantity,
    /// Patients by the beginning of a name.
    String,
    /// Instances with a code, of patients with a name.
    Chain,
    /// Patients of whom there is an instance with a code.
    Has,
    /// Instances with the most frequent code, all of them counted.
    Total,
}

impl Asked {
    /// Every kind, in the order of the report.
    pub(super) const ALL: [Self; 14] = [
        Self::DossierDocuments,
        Self::DossierCode,
        Self::DossierList,
        Self::DossierTotal,
        Self::Identifier,
        Self::Token,
        Self::List,
        Self::Date,
        Self::DateSorted,
        Self::Quantity,
        Self::String,
        Self::Chain,
        Self::Has,
        Self::Total,
    ];

    /// Its name in a report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DossierDocuments => "dossier-documents",
            Self::DossierCode => "dossier-code",
            Self::DossierList => "dossier-list-of-200",
            Self::DossierTotal => "dossier-total",
            Self::Identifier => "identifier",
            Self::Token => "token",
            Self::List => "list-of-200",
            Self::Date => "date",
            Self::DateSorted => "date-sorted",
            Self::Quantity => "quantity",
            Self::String => "string",
            Self::Chain => "chain",
            Self::Has => "has",
            Self::Total => "total-accurate",
        }
    }

    /// The latency that 99 of 100 should stay below, in ms.
    pub(super) const fn aim_millis(self) -> u32 {
        match self {
            Self::DossierDocuments | Self::DossierCode | Self::DossierList | Self::DossierTotal => 3,
            Self::Identifier | Self::Token | Self::List | Self::Date | Self::DateSorted => 25,
            Self::Quantity | Self::String | Self::Chain | Self::Has => 25,
            Self::Total => 100,
        }
    }

    /// Whether it keeps to a dossier.
    pub(super) const fn is_of_a_dossier(self) -> bool {
        self.aim_millis() == 3
    }

    /// Different searches of this kind, as after the base URL; `patients` are references.
    pub(super) fn searches(self, patients: &[String]) -> Vec<String> {
        let mut draw = Sequence::new(self as u64);
        (0..VARIETIES).map(|_| self.search(patients, &mut draw)).collect()
    }

    fn search(self, patients: &[String], draw: &mut Sequence) -> String {
        let patient = draw.one_of(patients).map(String::as_str).unwrap_or_default();
        let rare = RARE + draw.next() % (CODES - RARE);
        match self {
            Self::DossierDocuments => format!(
                "DocumentReference?patient={patient}&type=http://loinc.org%7C{SOUGHT_TYPE}&date=ge2019&_sort=-date&_count=20"
            ),
            Self::DossierCode => format!("Observation?patient={patient}&code={}", token(OBSERVATION_CODES, &observation_code(0))),
            Self::DossierList => format!("Observation?patient={patient}&code={}", list()),
            Self::DossierTotal => format!("Encounter?patient={patient}&_total=accurate&_count=20"),
            Self::Identifier => {
                format!("Patient?identifier=urn:oid:1.2.250.1.999.9%7Cbench-{}", draw.next() % (patients.len() as u64).max(1))
            }
            Self::Token => format!("Observation?code={}&_count=50", token(OBSERVATION_CODES, &observation_code(rare))),
            Self::List => format!("Observation?code={}&_count=50", list()),
            Self::Date => format!("Encounter?date={}&_count=50", day(draw)),
            Self::DateSorted => format!("Encounter?date={}&_sort=-date&_count=50", month(draw)),
            Self::Quantity => format!(
                "Observation?code={}&value-quantity=gt{}%7C{UNITS}%7Cmg/dL&_count=50",
                token(OBSERVATION_CODES, &observation_code(draw.next() % 10)),
                2_000 + draw.next() % 900
            ),
            Self::String => {
                let name: String = family(draw).to_lowercase().chars().take(5).collect();
                format!("Patient?family={name}&_count=50")
            }
            Self::Chain => format!(
                "Observation?patient.family={}&code={}&_count=50",
                percent_encoding::utf8_percent_encode(&family(draw), percent_encoding::NON_ALPHANUMERIC),
                token(OBSERVATION_CODES, &observation_code(draw.next() % 10))
            ),
            Self::Has => {
                format!("Patient?_has:Condition:patient:code={}&_count=50", token(CONDITION_CODES, &condition_code(rare)))
            }
            Self::Total => {
                format!("Observation?code={}&_total=accurate&_count=50", token(OBSERVATION_CODES, &observation_code(0)))
            }
        }
    }
}

fn token(system: &str, code: &str) -> String {
    format!("{system}%7C{code}")
}

/// The rarer codes, one of which an instance found by a single code has.
fn list() -> String {
    (CODES - LIST_VALUES..CODES).map(|rank| token(OBSERVATION_CODES, &observation_code(rank))).collect::<Vec<_>>().join(",")
}

fn day(draw: &mut Sequence) -> String {
    format!("{}-{:02}", month(draw), 1 + draw.next() % 28)
}

fn month(draw: &mut Sequence) -> String {
    format!("{}-{:02}", 2016 + draw.next() % 10, 1 + draw.next() % 12)
}
