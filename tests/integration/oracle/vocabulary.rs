//! What the values of resources and of queries are drawn from: so little that they often meet, and what lies at the edges.

pub(super) const SYSTEMS: &[&str] = &["http://loinc.org", "urn:s"];
pub(super) const CODES: &[&str] = &["a", "B", "c|d", "e,f"];
pub(super) const DISPLAYS: &[&str] = &["Pouls", "pression arterielle", "Élan vital", "Poids"];
pub(super) const NAMES: &[&str] =
    &["Martin", "martin-Dupont", "Éluard", "D'Arc", "de la Tour", "Mart", "Dupont, père", "Dupont", "a$b\\c"];

/// Days, months and years, and moments with their offset: what a resource may hold.
pub(super) const DATES: &[&str] = &[
    "2025",
    "2025-12",
    "2025-12-31",
    "2026-01-01",
    // The days on which the clocks of Paris change.
    "2026-03-29",
    "2026-10-25",
    "2026-07",
    "2031",
];
/// To the second, to its tenth and to the microsecond.
pub(super) const INSTANTS: &[&str] = &[
    "2025-12-31T23:30:00Z",
    "2026-01-01T00:30:00+01:00",
    "2026-01-01T10:00:00.5Z",
    "2026-01-01T10:00:00.500001Z",
    "2026-03-29T01:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
    "2027-01-01T00:00:00-05:00",
];
/// What only a query may say: minutes, and moments without an offset, one that comes twice and one that never comes in Paris.
pub(super) const SOUGHT_DATES: &[&str] = &[
    "2026-01-01T00:30",
    "2026-01-01T00:30:00",
    "2026-01-01T10:00Z",
    "2026-01-01T11:00:00.5",
    "2026-10-25T02:30",
    "2026-03-29T02:30",
    "2026-03-29T03:30:00",
    "2026-01-01T10:00:00.500Z",
    "2026-01-01T10:00:00.500001Z",
];
pub(super) const NUMBERS: &[&str] =
    &["1", "1.0", "0.5", "99.5", "100", "100.5", "1000", "-3", "0", "0.95", "1.05", "105", "95", "0.001"];
/// What a query may say beside the numbers of resources.
pub(super) const SOUGHT_NUMBERS: &[&str] = &["1e2", "1e3", "1.0e0", "10e-1", "5e-1", "-3.0", "1.00", "100.0", "9.5e1"];
/// In UCUM, but for the last; the first ones are each other's multiples.
pub(super) const UNITS: &[&str] = &["mg", "g", "kg", "mmol/L", "[unheard]"];
/// What the unit of a quantity is called.
pub(super) const UNIT_WORDS: &[&str] = &["mg", "milligramme", "g"];
pub(super) const CURRENCIES: &[&str] = &["EUR", "CHF"];
pub(super) const CURRENCY_SYSTEM: &str = "urn:iso:std:iso:4217";
pub(super) const UCUM: &str = "http://unitsofmeasure.org";
pub(super) const URLS: &[&str] = &[
    "http://acme.org/fhir",
    "http://acme.org/fhir/ValueSet",
    "http://acme.org/fhir/ValueSet/1",
    "http://acme.org/fhir/ValueSet/12",
    "urn:oid:1.2",
];
pub(super) const VERSIONS: &[&str] = &["", "|1", "|2.0"];
pub(super) const RELATIONS: &[&str] = &["replaces", "appends", "signs"];
pub(super) const CONTENT_TYPES: &[&str] = &["text/plain", "text/plain; charset=utf-8", "application/pdf"];
pub(super) const WORDS: &[&str] = &["grippe", "arachide", "Fièvre", "toux"];
pub(super) const CLASSES: &[&str] = &["AMB", "IMP", "ACUTE", "NONAC", "EMER"];
pub(super) const CLASS_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(super) const CATEGORIES: &[&str] = &["vital-signs", "laboratory", "unheard-of"];
pub(super) const CATEGORY_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub(super) const CHROMOSOMES: &[&str] = &["1", "X"];
/// Degrees north and east: Paris, its suburb, Lyon, and two places on either side of the date line.
pub(super) const PLACES: &[(&str, &str)] =
    &[("48.85", "2.35"), ("48.80", "2.13"), ("45.76", "4.84"), ("-17.0", "179.9"), ("-17.0", "-179.9")];
