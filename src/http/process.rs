//! What the operating system says of this process; nothing where it does not say it.

use std::fs;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

const STATUS: &str = "/proc/self/status";
const OPEN_FILES: &str = "/proc/self/fd";
/// Bytes in what `/proc` calls a kB.
const KIB: u64 = 1024;

/// Memory of this process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// Held in the machine.
    pub(super) resident: u64,
    /// Addressed.
    pub(super) virtual_size: u64,
}

/// How much memory the process has.
pub(super) fn memory() -> Option<Memory> {
    let status = fs::read_to_string(STATUS).ok()?;
    Some(Memory { resident: kib(&status, "VmRSS:")? * KIB, virtual_size: kib(&status, "VmSize:")? * KIB })
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many files it has open, connections included.
pub(super) fn open_files() -> Option<usize> {
    // One of them is the listing itself.
    fs::read_dir(OPEN_FILES).ok().map(|entries| entries.count().saturating_sub(1))
}

/// How many files it may open; `None`: as many as it likes.
pub(super) fn most_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// How much time the processors spent on it.
pub(super) fn processor_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_status_are_read_by_name() {
        let status = "Name:\tcarnet\nVmSize:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((kib(status, "VmSize:"), kib(status, "VmRSS:"), kib(status, "VmSwap:")), (Some(2048), Some(1024), None));
    }
}
