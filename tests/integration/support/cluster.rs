//! A server of PostgreSQL of a test's own, which it may kill.

use std::process::Command;

use tempfile::TempDir;

/// Runs until it is dropped.
pub(crate) struct Cluster {
    folder: TempDir,
    url: String,
}

impl Cluster {
    /// Starts a new one with settings of the server, `name=value`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let options: Vec<&str> = settings.iter().flat_map(|setting| ["-c", setting]).collect();
        let url = command("begin", &folder, &options).trim().to_owned();
        Self { folder, url }
    }

    /// Where it is, for a user who may do everything.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Kills it with all it does (immediate mode) and starts it again.
    pub(crate) fn restart(&self) {
        command("restart", &self.folder, &[]);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        command("end", &self.folder, &[]);
    }
}

/// Does what `.ci/postgres` does; what it said.
fn command(what: &str, folder: &TempDir, options: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/postgres");
    let done = Command::new(script).arg(what).arg(folder.path()).args(options).output().unwrap();
    assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}
