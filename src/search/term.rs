//! Terms: what equality is asked of, as keyed hashes.
//!
//! A term is SipHash-2-4, under the store's key, of the parameter, the form of the value and the value itself. The key keeps
//! a stolen index from being read by hashing all likely values. The numbers of the forms rest in stores: never change one.
//!
//! What a search begins with is hashed to 62 bits; what only judges instances that were found by something else needs 34: of a
//! token, the code leads, and that it is in a certain system judges. A term that judges what one certain other leads to qualifies
//! that, and shares bits with it, so that the store can keep the two together.

use siphasher::sip::SipHasher24;
use smallvec::SmallVec;

use super::index::Term;
use crate::definition::ParameterId;
use crate::fhir::ResourceType;

/// What is between the parts of a value; no UTF-8 text holds this byte.
const SEPARATOR: u8 = 0xFF;

/// In which form a value was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    Present = 1,
    Code = 2,
    SystemCode = 3,
    System = 4,
    CodeWithoutSystem = 5,
    Instance = 6,
    OwnPatient = 7,
    InstanceVersion = 8,
    Url = 9,
    UrlVersion = 10,
    Exact = 11,
    Uri = 12,
    Unit = 13,
    IdentifierCode = 14,
    IdentifierSystemCode = 15,
    IdentifierSystem = 16,
    IdentifierCodeWithoutSystem = 17,
    Page = 18,
}

/// Whether a token is the value of the parameter or the identifier of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenOf {
    /// A token parameter.
    Value,
    /// `Reference.identifier` of a reference parameter.
    Identifier,
}

/// The maker of terms of one store.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    hasher: SipHasher24,
}

type Buffer = SmallVec<[u8; 192]>;

impl Terms {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { hasher: SipHasher24::new_with_key(&key) }
    }

    /// That the parameter has a value at all.
    pub(super) fn present(&self, parameter: ParameterId) -> Term {
        self.text(parameter, Form::Present, "")
    }

    /// `code`, whatever its system, if it has one.
    pub(super) fn code(&self, parameter: ParameterId, of: TokenOf, code: &str) -> Term {
        let form = of.pick(Form::Code, Form::IdentifierCode);
        let mut buffer = begin(parameter, form);
        push_without_case(&mut buffer, code);
        self.hash(form, &buffer)
    }

    /// That a `code` is in this system; asked beside the code. Case counts in the units of UCUM; of no other system is it sure
    /// enough (R4 search.html §token).
    pub(super) fn system_code(&self, parameter: ParameterId, of: TokenOf, (system, code): (&str, &str)) -> Term {
        let form = of.pick(Form::SystemCode, Form::IdentifierSystemCode);
        let mut buffer = begin(parameter, form);
        push_system(&mut buffer, system);
        if system == UCUM {
            buffer.extend_from_slice(code.as_bytes());
        } else {
            push_without_case(&mut buffer, code);
        }
        self.qualifying((parameter, of, code), &buffer)
    }

    /// `system|`
    pub(super) fn system(&self, parameter: ParameterId, of: TokenOf, system: &str) -> Term {
        self.text(parameter, of.pick(Form::System, Form::IdentifierSystem), system)
    }

    /// That a `code` has no system; asked beside the code.
    pub(super) fn code_without_system(&self, parameter: ParameterId, of: TokenOf, code: &str) -> Term {
        let form = of.pick(Form::CodeWithoutSystem, Form::IdentifierCodeWithoutSystem);
        let mut buffer = begin(parameter, form);
        push_without_case(&mut buffer, code);
        self.qualifying((parameter, of, code), &buffer)
    }

    /// `Type/id` on this server, in whatever version.
    pub(super) fn instance(&self, parameter: ParameterId, kind: ResourceType, id: &str) -> Term {
        let mut buffer = begin(parameter, Form::Instance);
        push_instance(&mut buffer, kind, id);
        self.hash(Form::Instance, &buffer)
    }

    /// `Patient/id` on this server, in a parameter by which a search stays in that patient's dossier.
    pub(super) fn own_patient(&self, parameter: ParameterId, id: &str) -> Term {
        self.text(parameter, Form::OwnPatient, id)
    }

    /// `Type/id/_history/version` on this server; asked beside the instance.
    pub(super) fn instance_version(&self, parameter: ParameterId, (kind, id, version): (ResourceType, &str, &str)) -> Term {
        let mut buffer = begin(parameter, Form::InstanceVersion);
        push_instance(&mut buffer, kind, id);
        buffer.push(SEPARATOR);
        buffer.extend_from_slice(version.as_bytes());
        self.hash(Form::InstanceVersion, &buffer)
    }

    /// An absolute URL elsewhere, or a canonical URL in whatever version.
    pub(super) fn url(&self, parameter: ParameterId, url: &str) -> Term {
        self.text(parameter, Form::Url, url)
    }

    /// `url|version`; asked beside the URL.
    pub(super) fn url_version(&self, parameter: ParameterId, url: &str, version: &str) -> Term {
        let mut buffer = begin(parameter, Form::UrlVersion);
        push_system(&mut buffer, url);
        buffer.extend_from_slice(version.as_bytes());
        self.hash(Form::UrlVersion, &buffer)
    }

    /// A string, every character of it; asked beside its folded beginning.
    pub(super) fn exact(&self, parameter: ParameterId, text: &str) -> Term {
        self.text(parameter, Form::Exact, text)
    }

    /// A `uri`, every character of it.
    pub(super) fn uri(&self, parameter: ParameterId, uri: &str) -> Term {
        self.text(parameter, Form::Uri, uri)
    }

    /// The unit of a quantity; no system: a code without one, or the words of `Quantity.unit`.
    pub(super) fn unit(&self, parameter: ParameterId, system: Option<&str>, code: &str) -> Term {
        let mut buffer = begin(parameter, Form::Unit);
        push_system(&mut buffer, system.unwrap_or_default());
        buffer.extend_from_slice(code.as_bytes());
        self.hash(Form::Unit, &buffer)
    }

    /// The seal of a page of a query.
    pub(super) fn page(&self, query: &[u8], place: &[u8]) -> u128 {
        let mut buffer = begin(ParameterId(0), Form::Page);
        buffer.extend_from_slice(&(query.len() as u64).to_le_bytes());
        buffer.extend_from_slice(query);
        buffer.extend_from_slice(place);
        let low = self.hasher.hash(&buffer);
        buffer.push(SEPARATOR);
        (u128::from(self.hasher.hash(&buffer)) << u64::BITS) | u128::from(low)
    }

    fn text(&self, parameter: ParameterId, form: Form, text: &str) -> Term {
        let mut buffer = begin(parameter, form);
        buffer.extend_from_slice(text.as_bytes());
        self.hash(form, &buffer)
    }

    /// A term that is asked beside that of `code`.
    fn qualifying(&self, (parameter, of, code): (ParameterId, TokenOf, &str), bytes: &[u8]) -> Term {
        Term::qualifying(self.code(parameter, of, code), self.hasher.hash(bytes))
    }

    fn hash(&self, form: Form, bytes: &[u8]) -> Term {
        let hash = self.hasher.hash(bytes);
        if form.leads() { Term::leading(hash) } else { Term::judging(hash) }
    }
}

impl Form {
    /// See [`Term::leads`].
    const fn leads(self) -> bool {
        match self {
            Self::Code | Self::IdentifierCode | Self::Instance | Self::Url | Self::Uri | Self::Unit | Self::Page => true,
            Self::Present | Self::Exact | Self::OwnPatient | Self::InstanceVersion | Self::UrlVersion => false,
            Self::System | Self::SystemCode | Self::CodeWithoutSystem => false,
            Self::IdentifierSystem | Self::IdentifierSystemCode | Self::IdentifierCodeWithoutSystem => false,
        }
    }
}

impl TokenOf {
    fn pick(self, value: Form, identifier: Form) -> Form {
        match self {
            Self::Value => value,
            Self::Identifier => identifier,
        }
    }
}

/// The one system of R4 whose codes differ by case alone (`mg`, `Mg`).
pub(super) const UCUM: &str = "http://unitsofmeasure.org";

fn begin(parameter: ParameterId, form: Form) -> Buffer {
    let mut buffer = Buffer::new();
    buffer.extend_from_slice(&parameter.0.to_le_bytes());
    buffer.push(form as u8);
    buffer
}

fn push_system(buffer: &mut Buffer, system: &str) {
    buffer.extend_from_slice(system.as_bytes());
    buffer.push(SEPARATOR);
}

fn push_instance(buffer: &mut Buffer, kind: ResourceType, id: &str) {
    buffer.extend_from_slice(&kind.code().to_le_bytes());
    buffer.extend_from_slice(id.as_bytes());
}

fn push_without_case(buffer: &mut Buffer, text: &str) {
    if text.is_ascii() {
        buffer.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        buffer.extend_from_slice(text.to_lowercase().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ONE: ParameterId = ParameterId(1);

    fn terms() -> Terms {
        Terms::new([7; 16])
    }

    #[test]
    fn each_form_of_a_value_is_a_term_of_its_own() {
        let terms = terms();
        let all = [
            terms.present(ONE),
            terms.code(ONE, TokenOf::Value, "a"),
            terms.code(ParameterId(2), TokenOf::Value, "a"),
            terms.code(ONE, TokenOf::Identifier, "a"),
            terms.system_code(ONE, TokenOf::Value, ("s", "a")),
            terms.system_code(ONE, TokenOf::Value, ("", "sa")),
            terms.system(ONE, TokenOf::Value, "s"),
            terms.code_without_system(ONE, TokenOf::Value, "a"),
            terms.instance(ONE, ResourceType::Patient, "a"),
            terms.instance(ONE, ResourceType::Group, "a"),
            terms.own_patient(ONE, "a"),
            terms.instance_version(ONE, (ResourceType::Patient, "a", "1")),
            terms.url(ONE, "a"),
            terms.url_version(ONE, "a", "1"),
            terms.exact(ONE, "a"),
            terms.uri(ONE, "a"),
            terms.unit(ONE, None, "a"),
            terms.unit(ONE, Some(UCUM), "a"),
        ];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn case_counts_in_ucum_alone() {
        let terms = terms();
        let term = |system, code| terms.system_code(ONE, TokenOf::Value, (system, code));
        assert_eq!(term("http://loinc.org", "LA6576-8"), term("http://loinc.org", "la6576-8"));
        assert_eq!(term("s", "É"), term("s", "é"));
        assert_ne!(term(UCUM, "mg"), term(UCUM, "Mg"));
        assert_ne!(term("S", "a"), term("s", "a"));
    }

    #[test]
    fn another_key_gives_other_terms_and_the_same_key_the_same() {
        assert_eq!(terms().present(ONE), terms().present(ONE));
        assert_ne!(terms().present(ONE), Terms::new([8; 16]).present(ONE));
        assert_eq!(terms().present(ONE), Term(PRESENT_OF_ONE), "terms rest in stores: they must not change");
    }

    #[test]
    fn a_code_leads_to_instances_and_the_presence_of_one_does_not() {
        let terms = terms();
        assert!((0..20).all(|id| terms.code(ParameterId(id), TokenOf::Value, "a").leads()));
        assert!((0..20).all(|id| !terms.present(ParameterId(id)).leads()));
    }

    const PRESENT_OF_ONE: i64 = -9_223_372_033_351_158_085;
}
