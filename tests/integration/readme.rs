//! What the README tells is what the program does.

use carnet::config::KEYS;

#[test]
fn the_readme_lists_every_setting_as_the_program_has_it() {
    let readme = include_str!("../../README.md");
    let listed: Vec<&str> = readme.lines().skip_while(|line| *line != "| key | default | meaning |").skip(2).collect();
    let listed: Vec<&str> = listed.into_iter().take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<String> =
        KEYS.iter().map(|key| format!("| `{}` | `{}` | {} |", key.name, key.default(), key.meaning)).collect();
    assert_eq!(listed, expected);
}
