//! A server of PostgreSQL of a test's own, which it may kill.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
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
        let url = command("begin", &folder, &options).unwrap().trim().to_owned();
        Self { folder, url }
    }

    /// Starts one that repeats what `other` does, and takes no writes.
    pub(crate) fn follow(other: &Self) -> Self {
        let folder = TempDir::new().unwrap();
        let url = command("follow", &folder, &[other.folder.path().to_str().unwrap()]).unwrap().trim().to_owned();
        Self { folder, url }
    }

    /// Where it is, for a user who may do everything.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its host, as it stands in a URL.
    pub(crate) fn host(&self) -> &str {
        self.url.rsplit_once('@').unwrap().1.split('/').next().unwrap()
    }

    /// Kills it with all it does (immediate mode) and starts it again.
    pub(crate) fn restart(&self) {
        command("restart", &self.folder, &[]).unwrap();
    }

    /// Kills it with all it does (immediate mode).
    pub(crate) fn kill(&self) {
        command("kill", &self.folder, &[]).unwrap();
    }

    /// Lets one that follows take writes itself.
    pub(crate) fn promote(&self) {
        command("promote", &self.folder, &[]).unwrap();
    }

    /// Lets it listen with TLS on this machine, with this certificate and key (PEM); the port.
    pub(crate) fn listen_with_tls(&self, certificate: &[u8], key: &[u8]) -> u16 {
        self.own("server.crt", certificate);
        self.own("server.key", key);
        // Somebody else may take a port between our finding it free and the server.
        let listening = (0..20).find_map(|_| {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let folder = self.folder.path().display();
            let settings = format!(
                "listen_addresses = '127.0.0.1'\nport = {port}\nssl = on\nssl_cert_file = '{folder}/server.crt'\n\
                 ssl_key_file = '{folder}/server.key'\n"
            );
            let conf = self.folder.path().join("data/postgresql.conf");
            fs::OpenOptions::new().append(true).open(conf).unwrap().write_all(settings.as_bytes()).unwrap();
            // What does not run cannot be killed: only whether it started counts.
            let _ = command("kill", &self.folder, &[]);
            command("start", &self.folder, &[]).ok().map(|_| port)
        });
        listening.unwrap()
    }

    /// A file that belongs to whom the server belongs to.
    fn own(&self, name: &str, content: &[u8]) {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let owner = fs::metadata(self.folder.path()).unwrap();
        chown(&path, Some(owner.uid()), None).unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = command("end", &self.folder, &[]);
    }
}

/// Does what `.ci/postgres` does; what it said.
fn command(what: &str, folder: &TempDir, options: &[&str]) -> Result<String, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/postgres");
    let done = Command::new(script).arg(what).arg(folder.path()).args(options).output().unwrap();
    if done.status.success() {
        Ok(String::from_utf8(done.stdout).unwrap())
    } else {
        Err(format!("{what}: {}", String::from_utf8_lossy(&done.stderr)))
    }
}
