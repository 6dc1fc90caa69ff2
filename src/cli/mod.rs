//! The commands: `serve`, `load`, `migrate`, `verify`, `copy`, `reindex`, `explain`, `config check`, `bench`. Their words are an interface that other software drives.
//!
//! Exit status: 0 done; 1 something was refused or failed; 2 the command line or the configuration is wrong.

mod arguments;
mod bar;
mod bench;
mod check;
mod copy;
mod explain;
mod load;
mod log;
mod output;
mod reindex;
mod serve;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{BenchCommand, Command, CommandLine, ConfigCommand, LoadArguments, ReindexArguments};
use self::load::Target;
use crate::config::{Effective, Sources, StoreSettings};
use crate::outcome::Failure;

const REFUSED: u8 = 1;
const MISUSED: u8 = 2;

/// What ends a command before it is done.
enum Ended {
    /// The command line or the configuration is wrong.
    Misused(String),
    /// It could not be done.
    Failed(String),
}

/// Does what the command line says. `environment` is that of the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Vec<(String, String)>) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(told) => return help(&told),
    };
    match dispatch(line.command.unwrap_or(Command::Serve(line.serve)), environment) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(REFUSED),
        Err(Ended::Failed(reason)) => complain(&reason, REFUSED),
        Err(Ended::Misused(reason)) => complain(&reason, MISUSED),
    }
}

fn help(told: &clap::Error) -> ExitCode {
    // A reader that has gone away is no fault of the command.
    let _ = told.print();
    if told.use_stderr() { ExitCode::from(MISUSED) } else { ExitCode::SUCCESS }
}

fn complain(reason: &str, status: u8) -> ExitCode {
    for line in reason.lines() {
        output::warn(format_args!("carnet: {line}"));
    }
    ExitCode::from(status)
}

/// Does one command; false: something was refused, and has been named.
fn dispatch(command: Command, environment: Vec<(String, String)>) -> Result<bool, Ended> {
    match command {
        Command::Config(ConfigCommand::Check(flags)) => {
            let effective = configuration(flags.sources(), environment).map_err(|ended| match ended {
                Ended::Misused(reason) | Ended::Failed(reason) => Ended::Failed(reason),
            })?;
            check::run(&effective);
            Ok(true)
        }
        Command::Load(arguments) => load_files(&arguments, environment),
        Command::Migrate(flags) => migrate(&configuration(flags.sources(), environment)?.settings.store),
        Command::Verify(flags) => {
            let settings = configuration(flags.sources(), environment)?.settings;
            log::begin(settings.log);
            verify::run(&settings).map_err(Ended::Failed)
        }
        Command::Copy(arguments) => {
            let content = configuration((arguments.config.clone(), Vec::new()), environment)?.settings.content;
            let [from, to] = arguments.holdings();
            copy::run(&from, &to, &content).map_err(Ended::Failed)
        }
        Command::Explain(arguments) => {
            let settings = configuration(arguments.sources(), environment)?.settings;
            log::begin(settings.log);
            block_on(explain::run(&settings, &arguments.search))
        }
        Command::Reindex(arguments) => make_index_anew(&arguments, environment),
        Command::Bench(arguments) => match &arguments.only_searches {
            Some(BenchCommand::Search(searches)) => block_on(bench::search::run(searches)),
            None => on_one_thread(bench::run(&arguments)),
        },
        Command::BenchLimit { folder } => {
            actix_web::rt::System::new().block_on(bench::serve_limit(&folder)).map_err(Ended::Failed)?;
            Ok(true)
        }
        Command::Serve(flags) => {
            let settings = configuration(flags.sources(), environment)?.settings;
            log::begin(settings.log);
            serve::run(&settings).map_err(Ended::Failed)?;
            Ok(true)
        }
    }
}

fn configuration(
    (file, flags): (Option<PathBuf>, Vec<(&'static str, &'static str, String)>),
    environment: Vec<(String, String)>,
) -> Result<Effective, Ended> {
    crate::config::load(&Sources { file, environment, flags }).map_err(|faults| Ended::Misused(faults.to_string()))
}

fn migrate(store: &StoreSettings) -> Result<bool, Ended> {
    let taken = crate::store::migrate(store).map_err(|failure| Ended::Failed(told(&failure)))?;
    for name in &taken {
        output::say(format_args!("migrated: {name}"));
    }
    output::say(format_args!("{store} has the schema of this version"));
    Ok(true)
}

fn load_files(arguments: &LoadArguments, environment: Vec<(String, String)>) -> Result<bool, Ended> {
    let target = if arguments.store.is_some() {
        let settings = configuration(arguments.sources(), environment)?.settings;
        log::begin(settings.log);
        Target::store(&settings)
    } else {
        Target::server(&arguments.to)
    };
    block_on(load::run(target.map_err(Ended::Failed)?, &arguments.paths))
}

fn make_index_anew(arguments: &ReindexArguments, environment: Vec<(String, String)>) -> Result<bool, Ended> {
    let only = arguments.parameter.as_deref();
    if arguments.store.is_none() {
        return block_on(reindex::by_server(&arguments.to, only));
    }
    let settings = configuration(arguments.sources(), environment)?.settings;
    log::begin(settings.log);
    block_on(reindex::in_store(&settings, only))
}

/// A failure for the one who gave the command, who may know its cause too.
fn told(failure: &Failure) -> String {
    let issues: Vec<&str> = failure.issues().iter().map(|issue| issue.diagnostics.as_str()).collect();
    match failure.cause() {
        Some(cause) => format!("{}: {cause}", issues.join("; ")),
        None => issues.join("; "),
    }
}

fn block_on(work: impl Future<Output = Result<bool, String>>) -> Result<bool, Ended> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Ended::Failed(error.to_string()))?;
    runtime.block_on(work).map_err(Ended::Failed)
}

/// As [`block_on`], for work that must leave the machine to what it measures.
fn on_one_thread(work: impl Future<Output = Result<bool, String>>) -> Result<bool, Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Ended::Failed(error.to_string()))?;
    runtime.block_on(work).map_err(Ended::Failed)
}
