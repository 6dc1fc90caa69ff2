//! The log of the process: lines on standard error, for people or for machines.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogLevel, LogSettings};

/// What libraries may say; more of theirs is noise, and could hold what requests hold.
const OF_LIBRARIES: LevelFilter = LevelFilter::WARN;

/// Begins to log as `settings` say. Only the first call of a process has an effect.
pub(super) fn begin(settings: LogSettings) {
    let level = level(settings.level);
    let targets = Targets::new().with_default(OF_LIBRARIES.min(level)).with_target("carnet", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(targets);
    let begun = match settings.format {
        LogFormat::Json => registry.with(lines.json()).try_init(),
        LogFormat::Text => {
            use std::io::IsTerminal as _;
            registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init()
        }
    };
    drop(begun);
}

fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
