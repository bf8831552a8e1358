//! The arrows between the rooms of the core: a room names only rooms that stand below it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `src`, from the top floor down. A room may name those of a lower floor, and on its own floor those
/// that stand further right: so no arrow runs up, and no two rooms need each other.
const FLOORS: [&[&str]; 5] = [
    // What a process may do and what would keep a run from starting; what it does and means, step by step; what its
    // objects look like.
    &["operate", "doctor", "permissions", "run", "outcome", "launch", "manifest"],
    // Everything decided about a run before anything is created.
    &["plan"],
    // Facts about other Jobs, an earlier session and the host's own pod.
    &["guard", "session", "own_pod"],
    // Facts about objects and lines.
    &["view", "transcript", "log"],
    // The ground.
    &[
        "connect",
        "answers",
        "attempt",
        "certificate",
        "config",
        "target",
        "request",
        "names",
        "paths",
        "api_failure",
        "failure",
        "files",
        "redact",
        "table",
    ],
];

#[test]
fn no_arrow_between_rooms_of_the_core_runs_up() {
    let order: Vec<&str> = FLOORS.into_iter().flatten().copied().collect();
    let place = |room: &str| order.iter().position(|placed| *placed == room);
    let mut wrong = Vec::new();
    for (room, file) in sources() {
        let text = fs::read_to_string(&file).unwrap();
        for named in rooms_named_in(&text).into_iter().filter(|named| *named != room) {
            match place(named) {
                Some(below) if Some(below) > place(&room) => {}
                Some(_) => wrong.push(format!("{}: `{room}` names `{named}`, which stands above it", file.display())),
                None => wrong.push(format!("{}: `{named}` stands on no floor; give it a place", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_of_the_core_stands_on_one_floor() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let modules = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let declared: BTreeSet<&str> = modules.collect();
    let placed: Vec<&str> = FLOORS.into_iter().flatten().copied().collect();
    let once: BTreeSet<&str> = placed.iter().copied().collect();
    assert_eq!(placed.len(), once.len(), "a room stands on two floors");
    let homeless: Vec<&&str> = declared.difference(&once).collect();
    assert!(homeless.is_empty(), "give {homeless:?} a place in the table of floors");
}

#[test]
fn rooms_are_found_in_paths_and_groups_of_code_but_not_in_comments_and_tests() {
    let text = "\
//! [`crate::no`]
use crate::{
    a,
    b::{c, d},
};
pub(in crate::e::f) use super::x; // crate::no
#[cfg(test)]
mod tests {
    use crate::no;
}
";
    assert_eq!(rooms_named_in(text), ["a", "b", "e"]);
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file with its room; files of tests aside.
fn sources() -> Vec<(String, PathBuf)> {
    let is_test = |file: &Path| {
        let below_source = file.strip_prefix(source()).unwrap();
        below_source.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
    };
    let room = |file: &Path| {
        let first = file.strip_prefix(source()).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let files = files_below(&source()).into_iter().filter(|file| !is_test(file) && !file.ends_with("lib.rs"));
    files.map(|file| (room(&file), file)).collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The first names of all paths that begin with `crate::`.
fn rooms_named_in(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let is_comment = |at: usize| {
        let line = &code[..at];
        line.rsplit('\n').next().is_some_and(|line| line.contains("//"))
    };
    let paths = code.match_indices("crate::").filter(|(at, _)| !is_comment(*at));
    paths.flat_map(|(at, crate_)| first_names(&code[at + crate_.len()..])).collect()
}

/// `a::b` → `a`; `{a, b::{c, d}}` → `a`, `b`.
fn first_names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut depth = 0_u32;
    let mut is_first = true;
    for part in path.split_inclusive(['{', '}', ',', ':', ';', ' ', '\n']) {
        let (name, end) = part.split_at(part.len() - 1);
        if is_first && !name.is_empty() {
            names.push(name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default());
            is_first = false;
        }
        match end {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            "," => is_first |= depth == 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}
