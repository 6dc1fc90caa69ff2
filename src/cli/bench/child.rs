//! A server under measurement: another process of this same program.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const READY: &str = "listening on http://";

/// A process that serves HTTP, ended when this value is dropped.
pub(super) struct Server {
    child: Child,
    /// Kept open: a server whose reader went away might stop over it.
    _output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// The path of its base URL.
    pub(super) path: String,
}

impl Server {
    /// Starts this program with `arguments`, `settings` as its whole environment, its log in a file as an operator would have
    /// it; waits until it listens.
    pub(super) fn start(arguments: &[&str], settings: &[(&str, &str)], log: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let lines = File::create(log).map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(lines);
        let mut child = command.envs(settings.iter().copied()).spawn().map_err(|error| error.to_string())?;
        match ready(&mut child) {
            Ok((output, address, path)) => Ok(Self { child, _output: output, address, path }),
            Err(reason) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = std::fs::read_to_string(log).unwrap_or_default();
                Err(format!("{reason}: {}", said.trim()))
            }
        }
    }

    /// The memory it holds, in KiB, where the system tells.
    pub(super) fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended hard: everything it acknowledged is durable, and nobody waits for the rest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready(child: &mut Child) -> Result<(BufReader<ChildStdout>, SocketAddr, String), String> {
    let mut output = BufReader::new(child.stdout.take().ok_or("the server has no output")?);
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).map_err(|error| error.to_string())? == 0 {
            return Err("the server ended before it listened".to_owned());
        }
        if let Some((_, url)) = line.trim_end().split_once(READY) {
            let (address, path) = place(url)?;
            return Ok((output, address, path));
        }
    }
}

/// The address and the path of a base URL without its scheme.
fn place(url: &str) -> Result<(SocketAddr, String), String> {
    let (address, path) = url.find('/').map_or((url, ""), |slash| url.split_at(slash));
    let address = address.parse().map_err(|_| format!("the server listens on {url}, which is no address"))?;
    Ok((address, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_names_address_and_path() {
        assert_eq!(place("127.0.0.1:80/fhir").unwrap(), ("127.0.0.1:80".parse().unwrap(), "/fhir".to_owned()));
        assert_eq!(place("[::1]:80").unwrap().1, "");
        assert!(place("localhost/fhir").is_err());
    }
}
