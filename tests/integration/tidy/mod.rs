//! Holds the shape of the source: who may use whom, sizes, names, documentation, lints, and what must not be written down.
//!
//! Every rule is a function from text to findings, tried on a small wrong text beside it, and then run on the repository.

mod edges;
mod lints;
mod shape;
mod source;
mod words;

use std::path::{Path, PathBuf};

/// One thing found wrong, as `path:line: what`.
type Finding = String;

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` whose name ends in `ending`, sorted, as path relative to the root and content.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(entries(&path));
        } else if path.to_string_lossy().ends_with(ending)
            && let Ok(content) = std::fs::read_to_string(&path)
        {
            let relative = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            found.push((relative, content));
        }
    }
    found.sort();
    found
}

/// What stands in a folder, without what is built or kept by git, and without what running the server leaves.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        let generated = ["target", ".git", "data"].iter().any(|name| *path == root().join(name));
        !generated && !path.is_symlink()
    });
    paths
}

/// Fails with all findings, one a line.
fn hold(findings: Vec<Finding>) {
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}
