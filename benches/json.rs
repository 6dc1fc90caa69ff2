//! Reading FHIR JSON into the tree and writing it with a stamp, beside serde_json doing as much in the same run.
//! `cargo bench --bench json`

use carnet::fhir::json::{Stamp, Tree, compact, stamped};
use carnet::fhir::{Instant, VersionId};
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
    let entry = format!(
        r#"{{"fullUrl":"urn:uuid:0d0c5a8e-92c5-4e0b-9d0e-1f2a3b4c5d6e","resource":{},"request":{{"method":"POST","url":"DocumentReference"}}}}"#,
        DOCUMENT_REFERENCE.trim_end()
    );
    let entries = vec![entry.as_str(); MEGABYTE / entry.len()].join(",");
    format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entries}]}}"#)
}

#[divan::bench_group(sample_count = 500)]
mod document_reference {
    use super::*;

    #[divan::bench]
    fn parse(bencher: Bencher<'_, '_>) {
        let source = DOCUMENT_REFERENCE.as_bytes();
        bencher.counter(BytesCount::of_slice(source)).bench(|| Tree::parse(black_box(source)));
    }

    #[divan::bench]
    fn parse_with_serde_json(bencher: Bencher<'_, '_>) {
        let source = DOCUMENT_REFERENCE.as_bytes();
        bencher.counter(BytesCount::of_slice(source)).bench(|| serde_json::from_slice::<serde_json::Value>(black_box(source)));
    }

    #[divan::bench]
    fn stamp(bencher: Bencher<'_, '_>) {
        let Ok(tree) = Tree::parse(DOCUMENT_REFERENCE.as_bytes()) else { return };
        let Ok(id) = "0000000000001000000000000abcd".parse() else { return };
        let stamp = Stamp { id: &id, version: VersionId(2), updated: Instant::from_micros(1_700_000_000_000_001) };
        bencher
            .counter(BytesCount::of_str(DOCUMENT_REFERENCE))
            .bench(|| stamped(black_box(tree.root()), black_box(&stamp), &|_| None));
    }

    #[divan::bench]
    fn write_with_serde_json(bencher: Bencher<'_, '_>) {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(DOCUMENT_REFERENCE) else { return };
        bencher.counter(BytesCount::of_str(DOCUMENT_REFERENCE)).bench(|| serde_json::to_vec(black_box(&value)));
    }
}

mod megabyte_bundle {
    use super::*;

    #[divan::bench]
    fn parse(bencher: Bencher<'_, '_>) {
        let source = bundle();
        bencher.counter(BytesCount::of_str(&source)).bench(|| Tree::parse(black_box(source.as_bytes())).map(|tree| tree.len()));
    }

    #[divan::bench]
    fn parse_with_serde_json(bencher: Bencher<'_, '_>) {
        let source = bundle();
        bencher
            .counter(BytesCount::of_str(&source))
            .bench(|| serde_json::from_slice::<serde_json::Value>(black_box(source.as_bytes())));
    }

    #[divan::bench]
    fn write_compact(bencher: Bencher<'_, '_>) {
        // One blank is enough to take away the short way of writing, which is to copy the text.
        let source = bundle().replacen(',', ", ", 1);
        let Ok(tree) = Tree::parse(source.as_bytes()) else { return };
        bencher.counter(BytesCount::of_str(&source)).bench(|| {
            let mut out = Vec::with_capacity(source.len());
            compact(black_box(tree.root()), &mut out);
            out
        });
    }
}
