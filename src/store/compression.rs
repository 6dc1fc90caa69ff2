//! Bodies in fewer bytes: what rests is compressed with a dictionary of its type, which holds what resources of that type have in
//! common. A frame of zstd begins with a byte with which no body begins, so each body says itself whether it is one; it also names
//! its dictionary. Dictionaries are never changed: a better one gets a number of its own beside the old one.
//!
//! They are made by `carnet-dictionaries` (feature `generator`); `fhir-profiles/README.md` names their origin.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::OnceLock;

use bytes::Bytes;
use diesel::result::{Error, QueryResult};
use zstd::zstd_safe::{self, CCtx, CDict, DCtx, DDict};

use crate::fhir::ResourceType;

/// A higher level gains little and costs several times as much.
const LEVEL: i32 = 3;
/// With what a frame of zstd begins (RFC 8878 §3.1.1).
const MARK: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A shorter body is kept as it is.
const MIN_BYTES: usize = 64;
/// A frame that says that it is longer is damaged.
const MAX_BYTES: u64 = 256 * 1_024 * 1_024;

/// What resources of a type have in common.
struct Dictionary {
    /// The type it is for; `None`: any.
    kind: Option<ResourceType>,
    number: u32,
    bytes: &'static [u8],
    compressing: OnceLock<CDict<'static>>,
    expanding: OnceLock<DDict<'static>>,
}

macro_rules! dictionary {
    ($number:literal, $kind:expr, $name:literal) => {
        Dictionary {
            kind: $kind,
            number: $number,
            bytes: include_bytes!(concat!("../../fhir-profiles/dictionaries/", $name, ".zdict")),
            compressing: OnceLock::new(),
            expanding: OnceLock::new(),
        }
    };
}

static GENERAL: Dictionary = dictionary!(1, None, "general");
static OF_TYPES: [Dictionary; 9] = [
    dictionary!(2, Some(ResourceType::DocumentReference), "DocumentReference"),
    dictionary!(3, Some(ResourceType::Patient), "Patient"),
    dictionary!(4, Some(ResourceType::AllergyIntolerance), "AllergyIntolerance"),
    dictionary!(5, Some(ResourceType::Immunization), "Immunization"),
    dictionary!(6, Some(ResourceType::Consent), "Consent"),
    dictionary!(7, Some(ResourceType::AuditEvent), "AuditEvent"),
    dictionary!(8, Some(ResourceType::List), "List"),
    dictionary!(9, Some(ResourceType::Observation), "Observation"),
    dictionary!(10, Some(ResourceType::DiagnosticReport), "DiagnosticReport"),
];

impl Dictionary {
    fn of(kind: ResourceType) -> &'static Self {
        OF_TYPES.iter().find(|dictionary| dictionary.kind == Some(kind)).unwrap_or(&GENERAL)
    }

    fn numbered(number: u32) -> Option<&'static Self> {
        std::iter::once(&GENERAL).chain(&OF_TYPES).find(|dictionary| dictionary.number == number)
    }

    fn compressing(&'static self) -> &'static CDict<'static> {
        self.compressing.get_or_init(|| CDict::create(self.bytes, LEVEL))
    }

    fn expanding(&'static self) -> &'static DDict<'static> {
        self.expanding.get_or_init(|| DDict::create(self.bytes))
    }
}

thread_local! {
    static COMPRESSOR: RefCell<CCtx<'static>> = RefCell::new(CCtx::create());
    static EXPANDER: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// The body of a resource of type `kind` as it rests.
pub(super) fn compressed(kind: ResourceType, body: &[u8]) -> Cow<'_, [u8]> {
    if body.len() < MIN_BYTES {
        return Cow::Borrowed(body);
    }
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(body.len()));
    let dictionary = Dictionary::of(kind).compressing();
    let done = COMPRESSOR.with_borrow_mut(|compressor| compressor.compress_using_cdict(&mut frame, body, dictionary));
    match done {
        Ok(len) if len < body.len() => {
            frame.shrink_to_fit();
            Cow::Owned(frame)
        }
        Ok(_) | Err(_) => Cow::Borrowed(body),
    }
}

/// The body that rests as `bytes`.
///
/// # Errors
/// A frame that this program never wrote.
pub(super) fn expanded(bytes: &Bytes) -> QueryResult<Bytes> {
    if !bytes.starts_with(&MARK) {
        return Ok(bytes.clone());
    }
    let damaged = |what: &str| Error::DeserializationError(format!("a body {what}").into());
    let len = zstd_safe::get_frame_content_size(bytes).ok().flatten().filter(|len| *len <= MAX_BYTES);
    let len = len.and_then(|len| usize::try_from(len).ok()).ok_or_else(|| damaged("does not say how long it is"))?;
    let number = zstd_safe::get_dict_id_from_frame(bytes).map_or(0, |number| number.get());
    let dictionary = Dictionary::numbered(number).ok_or_else(|| damaged("is compressed with an unknown dictionary"))?;
    let mut body = Vec::with_capacity(len);
    let done = EXPANDER.with_borrow_mut(|expander| expander.decompress_using_ddict(&mut body, bytes, dictionary.expanding()));
    done.map_err(|_| damaged("is compressed and damaged"))?;
    Ok(Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> QueryResult<Bytes> {
        expanded(&Bytes::copy_from_slice(bytes))
    }

    fn rests(kind: ResourceType, body: &[u8]) -> Vec<u8> {
        compressed(kind, body).into_owned()
    }

    #[test]
    fn what_is_like_the_examples_rests_in_less_than_a_third_of_its_bytes() {
        let body = include_bytes!("../../examples/consent.json");
        let rest = rests(ResourceType::Consent, body);
        assert!(rest.starts_with(&MARK) && rest.len() * 3 < body.len(), "{} of {}", rest.len(), body.len());
        assert_eq!(read(&rest).unwrap(), body.as_slice());
    }

    #[test]
    fn each_dictionary_has_the_number_it_is_known_by() {
        for dictionary in std::iter::once(&GENERAL).chain(&OF_TYPES) {
            let kind = dictionary.kind.unwrap_or(ResourceType::Basic);
            let frame = rests(kind, "{\"resourceType\":\"Basic\"}".repeat(20).as_bytes());
            assert_eq!(zstd_safe::get_dict_id_from_frame(&frame).unwrap().get(), dictionary.number);
        }
    }

    #[test]
    fn no_dictionary_was_changed_since_it_was_described() {
        let described = include_str!("../../fhir-profiles/README.md");
        for dictionary in std::iter::once(&GENERAL).chain(&OF_TYPES) {
            let sum: String = openssl::sha::sha256(dictionary.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(
                described.contains(&format!("| {} |", dictionary.number)) && described.contains(&sum),
                "{}",
                dictionary.number
            );
        }
    }

    #[test]
    fn a_short_body_and_one_that_would_grow_rest_as_they_are() {
        assert_eq!(rests(ResourceType::Patient, b"{}"), b"{}");
        let noise: Vec<u8> = (0..2_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert_eq!(read(&rests(ResourceType::Patient, &noise)).unwrap(), noise);
    }

    #[test]
    fn a_damaged_frame_is_an_error_and_no_panic() {
        let frame = rests(ResourceType::Patient, &b"{\"resourceType\":\"Patient\",\"id\":\"1\"}".repeat(9));
        for cut in 0..frame.len() {
            if let Ok(body) = read(&frame[..cut]) {
                assert_eq!(body, frame[..cut]);
            }
        }
        let mut unknown = frame;
        unknown[5] = 0xff;
        assert!(read(&unknown).is_err());
    }

    proptest! {
        #[test]
        fn every_body_comes_back(
            kind in prop::sample::select(&[ResourceType::DocumentReference, ResourceType::Basic, ResourceType::Patient][..]),
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..600),
                "(\\{\"resourceType\":\"[A-Z][a-z]{3,9}\",\"id\":\"[a-z0-9]{1,30}\"\\}){0,30}".prop_map(String::into_bytes),
            ],
        ) {
            prop_assume!(!body.starts_with(&MARK));
            prop_assert_eq!(read(&rests(kind, &body)).unwrap(), body);
        }

        #[test]
        fn whatever_rests_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&[MARK.as_slice(), &bytes].concat());
            let _ = read(&bytes);
        }
    }
}
