//! The arrows between the rooms of this crate, and between the files of a room, make no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Who names whom, of the modules beside each other.
type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_two_modules_beside_each_other_need_each_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let circles: Vec<String> = folders(&source)
        .iter()
        .filter_map(|folder| {
            let room = folder.strip_prefix(source.parent().unwrap()).unwrap().display().to_string();
            circle(&arrows(&source, folder)).map(|circle| format!("{room}: {}", circle.join(" -> ")))
        })
        .collect();
    assert!(circles.is_empty(), "what both need belongs into a module below them:\n{}", circles.join("\n"));
}

#[test]
fn circles_are_found_whatever_their_length() {
    let arrows = |all: &[(&str, &str)]| {
        let mut arrows = Arrows::new();
        for (from, to) in all {
            arrows.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        arrows
    };
    assert_eq!(circle(&arrows(&[("a", "b"), ("a", "c"), ("b", "c")])), None);
    let found = circle(&arrows(&[("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")])).unwrap();
    assert_eq!(found, ["b", "c", "d", "b"]);
}

#[test]
fn modules_are_found_in_paths_and_groups_of_code_but_not_in_comments_and_tests() {
    let text = "\
//! [`super::no`]
use super::{
    a,
    b::{c, d},
};
use super::e::f; // super::no
use super::super::no;
#[cfg(test)]
mod tests {
    use super::no;
}
";
    assert_eq!(named(text, "super::"), ["a", "b", "e"]);
}

fn arrows(source: &Path, folder: &Path) -> Arrows {
    let inside: String = folder
        .strip_prefix(source)
        .unwrap()
        .iter()
        .fold("crate::".to_owned(), |path, part| path + part.to_str().unwrap() + "::");
    let mut arrows = Arrows::new();
    for file in files(folder) {
        let below = file.strip_prefix(folder).unwrap().with_extension("");
        let parts: Vec<&str> = below.iter().map(|part| part.to_str().unwrap()).collect();
        let module = parts[0].to_owned();
        if parts.contains(&"tests") || ["mod", "lib"].contains(&parts[0]) {
            continue;
        }
        let depth = parts.iter().filter(|part| **part != "mod").count();
        let text = fs::read_to_string(&file).unwrap();
        let mut all = named(&text, &"super::".repeat(depth));
        all.extend(named(&text, &inside));
        all.retain(|name| *name != module);
        arrows.entry(module).or_default().extend(all);
    }
    arrows
}

/// One way that leads back to where it began.
fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    fn walk<'a>(arrows: &'a Arrows, way: &mut Vec<&'a str>, done: &mut BTreeSet<&'a str>) -> Option<Vec<String>> {
        let here = way[way.len() - 1];
        for next in arrows.get(here).into_iter().flatten() {
            if let Some(start) = way.iter().position(|one| one == next) {
                return Some(way[start..].iter().chain([&next.as_str()]).map(|one| (*one).to_owned()).collect());
            }
            if !done.contains(next.as_str()) {
                way.push(next);
                let found = walk(arrows, way, done);
                if found.is_some() {
                    return found;
                }
                way.pop();
            }
        }
        done.insert(here);
        None
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|start| walk(arrows, &mut vec![start], &mut done))
}

/// The first names after a path: `super::a::b` → `a`; `super::{a, b::{c, d}}` → `a`, `b`.
fn named(text: &str, path: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let begins = |at: &usize| !code[..*at].ends_with(|c: char| c == ':' || c.is_alphanumeric());
    let word =
        |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(path).filter(|(at, _)| begins(at)) {
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            None => names.push(word(rest)),
            Some(group) => {
                let mut depth = 1;
                names.push(word(group));
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => names.push(word(&group[at + 1..])),
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    names.retain(|name| !name.is_empty() && name != "super");
    names
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let inside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    inside.flat_map(|path| folders(&path)).chain([folder.to_owned()]).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
