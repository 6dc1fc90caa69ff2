//! Where the commands speak: results on standard output, what is wrong on standard error.

use std::fmt::Display;
use std::io::Write as _;

/// Writes a line of a result. A reader that has gone away is no fault of the command.
pub(super) fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// Writes a line about what is wrong or deserves attention.
pub(super) fn warn(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
