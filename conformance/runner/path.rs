//! `path` of variables and assertions: the JSONPath that scripts use – members, indexes and `[*]`.

use serde_json::Value;

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step<'p> {
    Member(&'p str),
    Index(usize),
    Every,
}

/// The values that `path` selects in `value`, in order.
///
/// # Errors
/// The part of the path that is not understood.
pub(crate) fn select<'v>(value: &'v Value, path: &str) -> Result<Vec<&'v Value>, String> {
    let mut selected = vec![value];
    for step in steps(path)? {
        selected = selected.into_iter().flat_map(|value| advance(value, &step)).collect();
    }
    Ok(selected)
}

/// A selected value as a script compares it: strings without quotes.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn advance<'v>(value: &'v Value, step: &Step<'_>) -> Vec<&'v Value> {
    match step {
        Step::Member(name) => value.get(*name).into_iter().collect(),
        Step::Index(index) => value.get(*index).into_iter().collect(),
        Step::Every => value.as_array().map(|items| items.iter().collect()).unwrap_or_default(),
    }
}

fn steps(path: &str) -> Result<Vec<Step<'_>>, String> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(bracket) = rest.strip_prefix('[') {
            let (inside, after) = bracket.split_once(']').ok_or_else(|| format!("not supported: the path {path}"))?;
            steps.push(bracketed(inside).ok_or_else(|| format!("not supported: [{inside}] in the path {path}"))?);
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('.').unwrap_or(rest);
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (member, after) = name.split_at(end);
        if member.is_empty() || !member.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(format!("not supported: the path {path}"));
        }
        steps.push(Step::Member(member));
        rest = after;
    }
    Ok(steps)
}

fn bracketed(inside: &str) -> Option<Step<'_>> {
    if inside == "*" {
        return Some(Step::Every);
    }
    if let Ok(index) = inside.parse() {
        return Some(Step::Index(index));
    }
    inside.strip_prefix('\'')?.strip_suffix('\'').map(Step::Member)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_indexes_and_stars_are_followed() {
        let value = json!({"entry": [{"r": {"id": "a"}}, {"r": {"id": "b"}}], "total": 2});
        let texts = |path| select(&value, path).unwrap().into_iter().map(text).collect::<Vec<_>>();
        assert_eq!(texts("$.entry[1].r.id"), ["b"]);
        assert_eq!(texts("entry[*].r.id"), ["a", "b"]);
        assert_eq!(texts("$['total']"), ["2"]);
        assert_eq!(texts("$.entry[5].r"), Vec::<String>::new());
    }

    #[test]
    fn a_path_that_is_not_understood_is_an_error_and_not_an_empty_result() {
        for path in ["$..id", "$.entry[?(@.x)]", "/Bundle/entry", "$.entry[0", "fhir:Patient/@value"] {
            assert!(select(&json!({}), path).is_err(), "{path}");
        }
    }
}
