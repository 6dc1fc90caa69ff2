//! The words of the command line, which other software drives.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `carnet` in `folder`, with these arguments and none of the settings of whoever runs the tests.
fn carnet(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carnet"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn done(folder: &Path, arguments: &[&str]) -> Output {
    carnet(folder, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn example(name: &str) -> String {
    format!("{}/examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_version_and_the_help_are_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(text(&done(folder.path(), &["--version"]).stdout), format!("carnet {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [vec!["--help"], vec!["load", "--help"], vec!["serve", "--help"], vec!["bench", "--help"]] {
        let output = done(folder.path(), &arguments);
        assert!(output.status.success() && text(&output.stdout).contains("Examples:\n  carnet"), "{arguments:?}");
    }
    assert_eq!(done(folder.path(), &["lode"]).status.code(), Some(2));
}

#[test]
fn the_configuration_in_force_is_shown_with_its_origins_and_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), "store = \"postgres://carnet:s3cret@db/carnet\"\n").unwrap();
    let output = carnet(folder.path(), &["config", "check", "--config", "c.toml", "--security", "enforced"])
        .env("CARNET_LISTEN", "127.0.0.1:4711")
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("listen ").contains("127.0.0.1:4711") && line("listen ").ends_with("environment CARNET_LISTEN"));
    assert!(line("store ").contains("postgres://carnet:…@db/carnet") && line("store ").ends_with("file c.toml"));
    assert!(line("security.mode ").ends_with("flag --security"));
    assert!(!shown.contains("s3cret"));
}

#[test]
fn an_unknown_setting_is_refused_with_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    let checked = carnet(folder.path(), &["config", "check"]).env("CARNET_LISTENS", "x").output().unwrap();
    assert_eq!(checked.status.code(), Some(1));
    assert!(text(&checked.stderr).contains("did you mean CARNET_LISTEN?"));
    let served = carnet(folder.path(), &["serve"]).env("CARNET_LISTENS", "x").output().unwrap();
    assert_eq!(served.status.code(), Some(2));
    assert!(!folder.path().join("data").exists(), "nothing is made before the settings are right");
}

#[test]
fn serve_is_the_default_command_and_says_when_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    let mut server =
        carnet(folder.path(), &["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let last = lines.into_iter().find(|line| line.contains("listening on ")).unwrap();
    let url = last.rsplit_once("listening on ").unwrap().1;
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/fhir"), "{last}");
    assert!(folder.path().join("data/carnet.sqlite").exists());
    let loaded = done(folder.path(), &["load", "--to", url, &example("patient.json")]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(loaded.status.success(), "{}", text(&loaded.stderr));
    assert!(text(&loaded.stdout).starts_with("1 resources stored, 0 refused, in "));
}

#[test]
fn a_folder_is_loaded_without_a_server_and_each_refusal_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::copy(example("lab-result-bundle.json"), files.join("a.json")).unwrap();
    std::fs::write(files.join("b.json"), r#"{"resourceType":"Patient","id":"a_b"}"#).unwrap();
    let lines = "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}\n{\"resourceType\":\"Nothing\"}\n";
    std::fs::write(files.join("c.ndjson"), lines).unwrap();
    let collection =
        r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"p"}}]}"#;
    std::fs::write(files.join("d.json"), collection).unwrap();
    let output = done(folder.path(), &["load", "--store", "sqlite:s.sqlite", "files"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("5 resources stored, 2 refused, in "), "{}", text(&output.stdout));
    // Several files are on their way at once: their refusals come in the order of the answers.
    let mut refused: Vec<&str> = text(&output.stderr).lines().filter(|line| line.starts_with("refused: ")).collect();
    refused.sort_unstable();
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(
        refused[0].starts_with("refused: files/b.json: ") && refused[0].contains("an id has 1 to 64 characters"),
        "{refused:?}"
    );
    assert!(refused[1].starts_with("refused: files/c.ndjson line 2: 404"), "{refused:?}");
}

#[test]
fn a_store_is_migrated_once() {
    let folder = tempfile::tempdir().unwrap();
    let migrate = ["migrate", "--store", "sqlite:deep/s.sqlite"];
    let first = done(folder.path(), &migrate);
    assert!(first.status.success() && text(&first.stdout).starts_with("migrated: "), "{}", text(&first.stderr));
    assert_eq!(text(&done(folder.path(), &migrate).stdout), "sqlite:deep/s.sqlite has the schema of this version\n");
    let refused = done(folder.path(), &["migrate", "--store", "postgres://db/carnet"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).starts_with("carnet: "));
}

#[test]
fn searches_are_measured_in_a_store_that_is_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let only = "dossier-documents,token,string";
    let measured = || {
        let output = done(
            folder.path(),
            &[
                "bench",
                "search",
                "--dossiers",
                "3",
                "--only",
                only,
                "--duration",
                "0.05",
                "--rounds",
                "1",
                "--keep",
                "kept",
                "--ndjson",
            ],
        );
        assert!(output.status.success(), "{}", text(&output.stderr));
        let figures: Vec<serde_json::Value> =
            text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (figures, text(&output.stderr).contains("writing 550 resources"))
    };
    let (figures, is_written) = measured();
    assert!(is_written);
    assert_eq!(
        figures.iter().map(|figure| figure["search"].as_str().unwrap()).collect::<Vec<_>>(),
        only.split(',').collect::<Vec<_>>()
    );
    assert!(figures.iter().all(|figure| figure["errors"] == 0 && figure["dossiers"] == 3));
    assert!((1..=4).contains(&figures[0]["matches"].as_u64().unwrap()), "{figures:?}");
    assert!(!measured().1);
}
