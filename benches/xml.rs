//! From JSON to XML and back, beside reading the same JSON into the tree, in the same run.
//! `cargo bench --bench xml`

use carnet::definition::Registry;
use carnet::fhir::json::Tree;
use carnet::fhir::xml::{Layout, to_json, to_xml};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

/// A laboratory report as a document reference, 1.7 KB of compact JSON.
const DOCUMENT_REFERENCE: &str = include_str!("document-reference.json");
const MEGABYTE: usize = 1_000_000;

fn main() {
    divan::main();
}

/// A Bundle of one megabyte: the same document reference again and again.
fn bundle() -> String {
    let entry =
        format!(r#"{{"fullUrl":"urn:uuid:0d0c5a8e-92c5-4e0b-9d0e-1f2a3b4c5d6e","resource":{}}}"#, DOCUMENT_REFERENCE.trim_end());
    let entries = vec![entry.as_str(); MEGABYTE / entry.len()].join(",");
    format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}"#)
}

fn sources() -> [String; 2] {
    [DOCUMENT_REFERENCE.to_owned(), bundle()]
}

fn written(json: &str) -> Option<Vec<u8>> {
    let tree = Tree::parse(json.as_bytes()).ok()?;
    to_xml(Registry::shared().ok()?, tree.root(), &[], Layout::Compact).ok().map(|written| written.xml)
}

/// 0: the document reference; 1: the Bundle.
#[divan::bench(args = [0, 1])]
fn parse_json(bencher: Bencher<'_, '_>, which: usize) {
    let [document, bundle] = sources();
    let source = if which == 0 { document } else { bundle };
    bencher.counter(BytesCount::of_str(&source)).bench(|| Tree::parse(black_box(source.as_bytes())).map(|tree| tree.len()));
}

#[divan::bench(args = [0, 1])]
fn json_to_xml(bencher: Bencher<'_, '_>, which: usize) {
    let [document, bundle] = sources();
    let source = if which == 0 { document } else { bundle };
    bencher.counter(BytesCount::of_str(&source)).bench(|| written(black_box(&source)));
}

#[divan::bench(args = [0, 1])]
fn xml_to_json(bencher: Bencher<'_, '_>, which: usize) {
    let [document, bundle] = sources();
    let source = if which == 0 { document } else { bundle };
    let (Some(xml), Ok(registry)) = (written(&source), Registry::shared()) else { return };
    bencher.counter(BytesCount::of_slice(&xml)).bench(|| to_json(registry, black_box(&xml)));
}
