//! `carnet-dictionaries`: makes the dictionaries of `fhir-profiles/dictionaries`, with which the store compresses resources.
//!
//! A dictionary holds what resources of a type have in common. It is trained on variations of the examples of this repository:
//! whatever is particular in them, such as names, numbers and dates, is drawn anew each time, so that nothing of it stays. To them come the
//! resources of the folders named, one a line; these must be made up as well.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use carnet::fhir::json::{JsonKind, Node, Stamp, Tree, stamped};
use carnet::fhir::{InstanceKey, Instant, Part, ResourceType, VersionId};
use clap::Parser;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// The types that have a dictionary of their own, in the order of their numbers; 1 is the number of the one for all others.
const OWN: [ResourceType; 9] = [
    ResourceType::DocumentReference,
    ResourceType::Patient,
    ResourceType::AllergyIntolerance,
    ResourceType::Immunization,
    ResourceType::Consent,
    ResourceType::AuditEvent,
    ResourceType::List,
    ResourceType::Observation,
    ResourceType::DiagnosticReport,
];
const GENERAL: &str = "general";
const DICTIONARY_BYTES: usize = 16 * 1_024;
/// A longer sample is one of its kind.
const MAX_SAMPLE_BYTES: usize = 16 * 1_024;
/// Variations made of each example.
const VARIATIONS: u64 = 400;
/// Of each type, in the dictionary of all types.
const GENERAL_SAMPLES: usize = 40;
/// Where the number of a dictionary stands in it, after the mark of the format (RFC 8878 §5).
const NUMBER_AT: std::ops::Range<usize> = 4..8;
/// What is particular to a resource, and stands under these names.
const PARTICULAR: [&str; 20] = [
    "id",
    "value",
    "reference",
    "hash",
    "size",
    "date",
    "birthDate",
    "start",
    "end",
    "recorded",
    "recordedDate",
    "created",
    "creation",
    "issued",
    "dateTime",
    "occurrenceDateTime",
    "family",
    "text",
    "title",
    "lotNumber",
];
/// 2026-01-01, in microseconds.
const A_MOMENT: i64 = 1_767_225_600_000_000;
/// 365 days, in microseconds.
const A_YEAR: i64 = 31_536_000_000_000;

/// Trains the dictionaries.
#[derive(Parser)]
#[command(version)]
struct Command {
    /// The folder of examples: resources and transactions.
    #[arg(long, default_value = "examples")]
    examples: PathBuf,
    /// The folder to write.
    #[arg(long, default_value = "fhir-profiles/dictionaries")]
    out: PathBuf,
    /// Further folders of made-up resources and bundles.
    further: Vec<PathBuf>,
}

fn main() -> ExitCode {
    match train(&Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "carnet-dictionaries: {error}");
            ExitCode::FAILURE
        }
    }
}

fn train(command: &Command) -> Fallible<()> {
    let mut samples = Samples::default();
    for text in resources(&command.examples)? {
        for _ in 0..VARIATIONS {
            samples.add(&text, true)?;
        }
    }
    for folder in &command.further {
        for text in resources(folder)? {
            samples.add(&text, false)?;
        }
    }
    let general: Vec<&Vec<u8>> = samples.0.values().flat_map(|of_type| of_type.iter().take(GENERAL_SAMPLES)).collect();
    write(&command.out, (1, GENERAL), &general)?;
    for (number, kind) in (2..).zip(OWN) {
        let own: Vec<&Vec<u8>> = samples.0.get(kind.name()).into_iter().flatten().collect();
        write(&command.out, (number, kind.name()), &own)?;
    }
    Ok(())
}

fn write(folder: &Path, (number, name): (u32, &str), samples: &[&Vec<u8>]) -> Fallible<()> {
    let mut dictionary = zstd::dict::from_samples(samples, DICTIONARY_BYTES)?;
    dictionary.get_mut(NUMBER_AT).ok_or("a dictionary without a number")?.copy_from_slice(&number.to_le_bytes());
    std::fs::write(folder.join(name).with_extension("zdict"), &dictionary)?;
    writeln!(std::io::stdout(), "{number} {name}: {} samples, {} bytes", samples.len(), dictionary.len())?;
    Ok(())
}

/// The texts of the resources in a folder; those of a Bundle, not the Bundle.
fn resources(folder: &Path) -> Fallible<Vec<String>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    let mut texts = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let text = std::fs::read(path)?;
        let tree = Tree::parse(&text)?;
        match tree.root().member("entry") {
            Some(entries) => {
                texts.extend(entries.items().filter_map(|entry| entry.member("resource")).map(|node| node.raw().to_owned()))
            }
            None => texts.push(tree.root().raw().to_owned()),
        }
    }
    Ok(texts)
}

/// Resources as they rest, by type.
#[derive(Default)]
struct Samples(BTreeMap<String, Vec<Vec<u8>>>);

impl Samples {
    /// Adds a resource as it is, or a variation of it.
    fn add(&mut self, text: &str, is_varied: bool) -> Fallible<()> {
        let tree = Tree::parse(text.as_bytes())?;
        let kind = tree.root().member("resourceType").and_then(Node::string).ok_or("no resource")?.into_owned();
        let of_type = self.0.entry(kind).or_default();
        let mut draw = Draw(of_type.len() as u64);
        let key = InstanceKey { part: Part(draw.next().cast_signed()), rid: draw.next().cast_signed() };
        let moment = A_MOMENT + (draw.next() >> 1).cast_signed() % A_YEAR;
        let draw = RefCell::new(draw);
        let stamp = Stamp { id: &key.id(), version: VersionId::FIRST, updated: Instant::from_micros(moment) };
        let replace = |node: Node<'_>| {
            let particular =
                is_varied && node.kind() == JsonKind::String && node.key().is_some_and(|key| PARTICULAR.contains(&&*key));
            particular.then(|| draw.borrow_mut().text_like(node.raw()))
        };
        let body = stamped(tree.root(), &stamp, &replace);
        if body.len() <= MAX_SAMPLE_BYTES {
            of_type.push(body);
        }
        Ok(())
    }
}

/// Numbers that look random and are the same in every run (splitmix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A text of the same shape: other digits for its digits, other letters for its letters, but for the words before a slash or
    /// a colon, which say of what kind it is.
    fn text_like(&mut self, text: &str) -> String {
        let kept = text.rfind(['/', ':']).filter(|_| !text.contains('T')).map_or(0, |at| at + 1);
        let (before, rest) = text.split_at(kept);
        let other = rest.chars().map(|letter| match letter {
            '0'..='9' => char::from(b'0' + (self.next() % 10) as u8),
            'a'..='z' => char::from(b'a' + (self.next() % 26) as u8),
            'A'..='Z' if !(rest.contains(':') && matches!(letter, 'T' | 'Z')) => char::from(b'A' + (self.next() % 26) as u8),
            _ => letter,
        });
        before.chars().chain(other).collect()
    }
}
