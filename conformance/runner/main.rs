//! `carnet-conformance`: runs FHIR TestScripts against a server and writes TestReports.
//!
//! It knows nothing of the server but its base URL, so that it can be pointed at any FHIR R4 server. What it does not understand
//! in a script is an error and never a pass.

mod assertion;
mod compare;
mod engine;
mod exchange;
mod expression;
mod path;
mod report;
mod request;
mod script;
mod state;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use exchange::Client;
use report::ScriptReport;

/// Runs FHIR R4 TestScripts against a server.
///
/// Example: carnet-conformance --base-url http://127.0.0.1:8080/fhir --area search
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Base URL of the server under test.
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// Run only the scripts of this area (a folder of the scripts); may be given several times.
    #[arg(long)]
    area: Vec<String>,
    /// Folder with an area a folder and a script a file.
    #[arg(long, value_name = "DIR", default_value = "conformance/scripts")]
    scripts: PathBuf,
    /// Folder that TestReport resources are written to.
    #[arg(long, value_name = "DIR", default_value = "target/conformance")]
    reports: PathBuf,
    /// Also write the result as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "carnet-conformance: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for; whether everything passed.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let scripts = scripts(&arguments.scripts, &arguments.area)?;
    let base = arguments.base_url.trim_end_matches('/');
    let client = Client::new()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut reports = Vec::new();
    for (name, file) in scripts {
        reports.push(runtime.block_on(engine::run(&client, base, name, &file)));
    }
    write_reports(&arguments.reports, base, &reports)?;
    if let Some(file) = &arguments.junit {
        std::fs::write(file, report::junit(&reports))?;
    }
    std::io::stdout().write_all(report::table(&reports).as_bytes())?;
    Ok(!reports.is_empty() && reports.iter().all(ScriptReport::is_passed))
}

/// The scripts of the areas asked for, as `area/name` and file, sorted.
fn scripts(folder: &Path, areas: &[String]) -> Result<Vec<(String, PathBuf)>, Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    for area in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let area = area?;
        let area_name = area.file_name().to_string_lossy().into_owned();
        if !area.file_type()?.is_dir() || !(areas.is_empty() || areas.contains(&area_name)) {
            continue;
        }
        for file in std::fs::read_dir(area.path())? {
            let path = file?.path();
            if let (Some(stem), true) = (path.file_stem(), path.extension().is_some_and(|ending| ending == "json")) {
                found.push((format!("{area_name}/{}", stem.to_string_lossy()), path));
            }
        }
    }
    if found.is_empty() {
        return Err(format!("{}: no script of the areas asked for", folder.display()).into());
    }
    found.sort();
    Ok(found)
}

fn write_reports(folder: &Path, base: &str, reports: &[ScriptReport]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let issued = issued_now();
    for report in reports {
        let name = format!("{}.json", report.script.replace('/', "-"));
        std::fs::write(folder.join(name), format!("{:#}\n", report.resource(base, &issued)))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a command of its own: this is where its time enters")]
fn issued_now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
