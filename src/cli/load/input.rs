//! The files a load reads: those named, and those with a known ending under the folders named.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

const ENDINGS: [&str; 3] = ["json", "ndjson", "jsonl"];

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// One text of a file.
#[derive(Debug)]
pub(super) struct Text {
    /// Where it stands, for people: the file, and the line of an NDJSON file.
    pub(super) source: String,
    /// What stands there.
    pub(super) content: Vec<u8>,
    /// How much of the file it took, in bytes.
    pub(super) bytes: u64,
}

/// A path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) source: String,
    pub(super) reason: String,
}

impl Unreadable {
    fn new(path: &Path, reason: &std::io::Error) -> Self {
        Self { source: path.display().to_string(), reason: reason.to_string() }
    }
}

/// The files that `paths` name, folders replaced by what is under them in the order of their names.
pub(super) fn inputs(paths: &[PathBuf]) -> (Vec<Input>, Vec<Unreadable>) {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths {
        if let Err(error) = visit(path, true, &mut found) {
            unreadable.push(Unreadable::new(path, &error));
        }
    }
    (found, unreadable)
}

fn visit(path: &Path, named: bool, found: &mut Vec<Input>) -> std::io::Result<()> {
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        let mut children = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        children.sort();
        return children.iter().try_for_each(|child| visit(child, false, found));
    }
    if named || ENDINGS.iter().any(|ending| has_ending(path, ending)) {
        found.push(Input { path: path.to_owned(), bytes: metadata.len() });
    }
    Ok(())
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

impl Input {
    /// The texts of this file: its lines where it is NDJSON, itself otherwise.
    pub(super) fn texts(&self) -> Box<dyn Iterator<Item = Result<Text, Unreadable>> + '_> {
        if has_ending(&self.path, "ndjson") || has_ending(&self.path, "jsonl") {
            return match File::open(&self.path) {
                Ok(file) => Box::new(Lines { path: &self.path, reader: BufReader::new(file), line: 0, failed: false }),
                Err(error) => Box::new(std::iter::once(Err(Unreadable::new(&self.path, &error)))),
            };
        }
        let whole = std::fs::read(&self.path).map_err(|error| Unreadable::new(&self.path, &error));
        let source = self.path.display().to_string();
        Box::new(std::iter::once(whole.map(|content| Text { source, bytes: content.len() as u64, content })))
    }
}

struct Lines<'p> {
    path: &'p Path,
    reader: BufReader<File>,
    line: u64,
    failed: bool,
}

impl Iterator for Lines<'_> {
    type Item = Result<Text, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = 0;
        while !self.failed {
            let mut content = Vec::new();
            match self.reader.read_until(b'\n', &mut content) {
                Ok(0) => return None,
                Ok(read) => bytes += read as u64,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(Unreadable::new(self.path, &error)));
                }
            }
            self.line += 1;
            if !content.trim_ascii().is_empty() {
                return Some(Ok(Text { source: format!("{} line {}", self.path.display(), self.line), content, bytes }));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_searched_for_known_endings_in_order() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["c.json", "a.NDJSON", "b/d.json", "report.pdf"] {
            std::fs::write(folder.path().join(name), "{}").unwrap();
        }
        let (found, unreadable) =
            inputs(&[folder.path().to_owned(), folder.path().join("report.pdf"), folder.path().join("gone")]);
        let names: Vec<_> = found.iter().map(|input| input.path.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.NDJSON", "b/d.json", "c.json", "report.pdf"]);
        assert_eq!(unreadable.len(), 1);
        assert!(unreadable[0].source.ends_with("gone"));
    }

    #[test]
    fn an_ndjson_file_is_read_line_by_line_and_counts_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        std::fs::write(&path, "{\"a\":1}\n\n  \r\n{\"b\":2}").unwrap();
        let (found, _) = inputs(&[path]);
        let texts: Vec<_> = found[0].texts().map(Result::unwrap).collect();
        assert_eq!(texts.len(), 2);
        assert!(texts[1].source.ends_with("a.ndjson line 4"), "{}", texts[1].source);
        assert_eq!(texts[1].content, b"{\"b\":2}");
        assert_eq!(texts.iter().map(|text| text.bytes).sum::<u64>(), found[0].bytes);
    }
}
