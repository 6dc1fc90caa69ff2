//! `carnet-definitions`: makes the compact facts of `fhir-profiles/core` from the official definitions, and compares two such
//! folders. It never writes a description, a comment or any other prose of the publisher.

mod compare;
mod facts;
mod source;
mod structure;
mod terminology;
mod xml;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What can go wrong on the way; the message is for the person at the terminal.
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Makes and checks the compact definitions of FHIR R4 4.0.1.
#[derive(Parser)]
#[command(version)]
struct Command {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the facts of the official definitions, one JSON a line, into a folder.
    Generate {
        /// The Maven artifact hapi-fhir-validation-resources-r4.
        #[arg(long)]
        jar: PathBuf,
        /// The folder to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// List every difference between two folders of facts; exit status 1 where one is not documented.
    Compare {
        /// The folder of this repository.
        #[arg(long)]
        core: PathBuf,
        /// The folder to compare it with.
        #[arg(long)]
        with: PathBuf,
    },
}

fn main() -> ExitCode {
    let result = match Command::parse().task {
        Task::Generate { jar, out } => facts::generate(&jar, &out).map(|()| true),
        Task::Compare { core, with } => compare::compare(&core, &with),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("carnet-definitions: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes one line for the person at the terminal.
fn say(line: &str) {
    use std::io::Write as _;
    // Nobody is left to be told where standard output is closed.
    let _ = writeln!(std::io::stdout(), "{line}");
}
