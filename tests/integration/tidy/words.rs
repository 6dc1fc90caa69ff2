//! What must not be written down: paths of somebody's machine, and links that lead out of the repository.

use super::{Finding, files, hold};

/// Folders of a machine, in halves so that this file does not find itself.
const MACHINE_FOLDERS: &[(&str, &str)] = &[("/wo", "rk/"), ("/ro", "ot/"), ("/ho", "me/"), ("/Use", "rs/")];

/// Lines that name a path of a machine: the folder at the start of a path, not inside a URL.
fn machine_paths(path: &str, text: &str) -> Vec<Finding> {
    let folders: Vec<String> = MACHINE_FOLDERS.iter().map(|(first, second)| format!("{first}{second}")).collect();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in &folders {
            let starts_a_path = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "/.-_}*".contains(c));
            if line.match_indices(folder.as_str()).any(|(at, _)| starts_a_path(at)) {
                found.push(format!("{path}:{}: names the machine's folder {folder}", number + 1));
            }
        }
    }
    found
}

/// Paths that climb out of the repository.
fn outside_paths(path: &str, text: &str) -> Vec<Finding> {
    let outside = format!("{}{}", "../sha", "red");
    let numbered = text.lines().enumerate().filter(|(_, line)| line.contains(&outside));
    numbered.map(|(number, _)| format!("{path}:{}: leads out of the repository", number + 1)).collect()
}

#[test]
fn nothing_names_a_folder_of_a_machine_or_leads_out_of_the_repository() {
    let everything = files("", "");
    assert!(everything.iter().any(|(path, _)| path == "Cargo.toml"));
    let findings = everything.iter().flat_map(|(path, text)| [machine_paths(path, text), outside_paths(path, text)].concat());
    hold(findings.collect());
}

#[test]
fn a_machine_path_is_found_and_a_url_is_not() {
    for (first, second) in MACHINE_FOLDERS {
        assert_eq!(machine_paths("a", &format!("see {first}{second}x")).len(), 1, "{first}{second}");
        assert_eq!(machine_paths("a", &format!("\"{first}{second}x\"")).len(), 1);
        assert_eq!(machine_paths("a", &format!("http://example.org{first}{second}x")).len(), 0);
    }
}

#[test]
fn a_path_out_of_the_repository_is_found() {
    assert_eq!(outside_paths("a", &format!("see ../{}/x", "shared")).len(), 1);
    assert_eq!(outside_paths("a", "see ../sharing").len(), 0);
}
