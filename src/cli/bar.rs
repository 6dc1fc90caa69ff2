//! How far a command is: a bar, where there is a terminal to show it on.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const ROWS: &str = "{bar:30} {human_pos}/{human_len} rows {per_sec} {eta}";
const BYTES: &str = "{bar:30} {bytes}/{total_bytes} {msg} {eta}";

/// A bar for `rows`.
pub(super) fn of_rows(rows: u64) -> ProgressBar {
    bar(rows, ROWS)
}

/// A bar for `bytes`, with room for a message.
pub(super) fn of_bytes(bytes: u64) -> ProgressBar {
    bar(bytes, BYTES)
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let shown = std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
