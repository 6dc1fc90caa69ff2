//! The yardstick under the server: plain SQL, on a copy of the file or by `pgbench` in the same schema.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::config::StoreSettings;
use crate::store::raw::{self, Work};
use crate::store::yardstick;

const SCRIPT_ENDING: &str = "pgbench";
const RATE: &str = "tps = ";

/// Where plain SQL works.
pub(super) enum Plain {
    /// On a copy of the file of SQLite.
    Copy(PathBuf),
    /// In the schema of PostgreSQL that the server uses, while it rests.
    Schema(StoreSettings),
}

impl Plain {
    /// How often a second `work` is done by `connections` at once; scripts are kept in `folder`.
    pub(super) fn measure(&self, work: Work, connections: usize, duration: Duration, folder: &Path) -> Result<f64, String> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = connections.min(cores);
        match self {
            Self::Copy(path) => raw::measure(path, work, (threads, connections), duration).map_err(|error| error.to_string()),
            Self::Schema(settings) => {
                let scripts = yardstick::scripts(settings, work).map_err(|failure| failure.to_string())?;
                pgbench(settings, &kept(&scripts, folder)?, (threads, connections), duration)
            }
        }
    }
}

fn kept(scripts: &[String], folder: &Path) -> Result<Vec<PathBuf>, String> {
    let keep = |(index, script): (usize, &String)| {
        let path = folder.join(index.to_string()).with_extension(SCRIPT_ENDING);
        std::fs::write(&path, script).map_err(|error| error.to_string())?;
        Ok(path)
    };
    scripts.iter().enumerate().map(keep).collect()
}

fn pgbench(
    settings: &StoreSettings,
    scripts: &[PathBuf],
    (threads, connections): (usize, usize),
    duration: Duration,
) -> Result<f64, String> {
    let StoreSettings::Postgres { url } = settings else { return Err("pgbench needs a server".to_owned()) };
    let mut command = Command::new("pgbench");
    command.args(["--no-vacuum", "--protocol=prepared"]);
    command.arg(format!("--client={connections}")).arg(format!("--jobs={threads}"));
    command.arg(format!("--time={}", duration.as_secs_f64().ceil().max(1.0)));
    command.args(scripts.iter().map(|script| format!("--file={}", script.display()))).arg(url.expose());
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("pgbench of PostgreSQL is needed: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    rate(&said).ok_or_else(|| format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Transactions a second, as `pgbench` tells.
fn rate(said: &str) -> Option<f64> {
    said.lines().find_map(|line| line.strip_prefix(RATE))?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_from_what_pgbench_says() {
        assert_eq!(rate("latency average = 1 ms\ntps = 123.5 (without initial connection time)\n"), Some(123.5));
        assert_eq!(rate("pgbench: error"), None);
    }
}
