//! The `carnet` command as a process of its own.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use super::place::Place;

/// Limits of time that no test meets, however slow the machine.
const PATIENT: [(&str, &str); 4] = [
    ("CARNET_LIMITS_HEADER_SECONDS", "3600"),
    ("CARNET_LIMITS_BODY_SECONDS", "3600"),
    ("CARNET_LIMITS_IDLE_SECONDS", "3600"),
    ("CARNET_LIMITS_SHUTDOWN_SECONDS", "300"),
];

/// The settings of whoever runs the tests, which must not become those of a server under test.
fn foreign_settings() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("CARNET_"))
}

/// A server process over a store of its own.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    base: String,
    said: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts `carnet serve` on a free port with its store in `place`, and waits until it says that it listens.
    pub(crate) fn start(place: &Place, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
        foreign_settings().for_each(|name| {
            command.env_remove(name);
        });
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(place.argument())
            .envs(PATIENT)
            .env("CARNET_CONTENT_STORE", format!("file:{}", place.contents().display()))
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = child.stderr.take().unwrap();
        let said = std::thread::spawn(move || {
            let mut text = Vec::new();
            errors.read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = out.find_map(|line| line.unwrap().rsplit_once("listening on ").map(|(_, base)| base.to_owned()));
        let Some(base) = base else {
            child.wait().unwrap();
            panic!("the server did not start: {}", said.join().unwrap());
        };
        // What it says later must not fill the pipe.
        std::thread::spawn(move || out.for_each(drop));
        Self { child, base, said: Some(said) }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// `host:port` it listens on.
    pub(crate) fn address(&self) -> &str {
        self.base.trim_start_matches("http://").split('/').next().unwrap()
    }

    /// The most memory it has had so far, in KiB.
    pub(crate) fn peak_kibibytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// `kill -9`, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; its exit status and what it wrote to standard error.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        (status.code(), self.said.take().unwrap().join().unwrap())
    }
}

impl Drop for Process {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
