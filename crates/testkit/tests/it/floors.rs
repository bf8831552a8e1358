//! The arrows between the modules of this crate: down, never sideways or up.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A module uses what stands on a lower floor. The rooms of the simulated cluster meet in
/// `cluster` only: in its state, its topics and its channels.
const FLOORS: [&[&str]; 6] = [
    &["clock", "kubelet_log", "objects"],
    &["knobs", "script", "wire"],
    &["cluster"],
    &["api", "control", "job_controller", "kubelet"],
    &["serve"],
    &["simulator"],
];

#[test]
fn every_module_uses_only_what_stands_below_it() {
    let mut wrong = Vec::new();
    for (floor, module, file) in modules() {
        let text = fs::read_to_string(&file).unwrap();
        for used in names_behind_crate(&text).into_iter().filter(|used| *used != module) {
            match floor_of(used) {
                Some(below) if below < floor => {}
                Some(_) => wrong.push(format!("{}: `{module}` uses `{used}`", file.display())),
                None => wrong.push(format!("{}: `{used}` stands on no floor", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_stands_on_one_floor() {
    let lib = fs::read_to_string(source().join("lib.rs")).unwrap();
    let declared: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let placed: Vec<&str> = FLOORS.into_iter().flatten().copied().collect();
    assert_eq!(placed.iter().copied().collect::<BTreeSet<_>>(), declared);
    assert_eq!(placed.len(), declared.len());
}

#[test]
fn names_are_found_in_paths_and_in_groups() {
    let text = "use crate::{a, b::{c, d}};\n//! crate::no\nlet x = crate::e::f(); // crate::no\n";
    assert_eq!(names_behind_crate(text), ["a", "b", "e"]);
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Every file with its module and the module's floor.
fn modules() -> Vec<(usize, &'static str, PathBuf)> {
    let mut all = Vec::new();
    for (floor, modules) in FLOORS.into_iter().enumerate() {
        for module in modules.iter().copied() {
            let file = source().join(format!("{module}.rs"));
            let files = if file.is_file() { vec![file] } else { files_below(&source().join(module)) };
            assert!(!files.is_empty(), "`{module}` has no file");
            all.extend(files.into_iter().map(|file| (floor, module, file)));
        }
    }
    all
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// The first names of all paths that begin with `crate::`, comments aside.
fn names_behind_crate(text: &str) -> Vec<&str> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut names = Vec::new();
    let mut group_depth = 0_u32;
    for line in code {
        for path in line.split("crate::").skip(1) {
            if path.starts_with('{') {
                names.extend(names_of_group(path));
            } else {
                names.extend(path.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next());
            }
        }
        group_depth += u32::from(line.contains("crate::{") && !line.contains("};"));
    }
    assert_eq!(group_depth, 0, "a group of modules spans lines: name them in paths of their own");
    names
}

/// `{a, b::{c, d}};` → `a`, `b`.
fn names_of_group(group: &str) -> Vec<&str> {
    let (mut names, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => {
                names.push(&group[start..index]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 1 => {
                names.push(&group[start..index]);
                start = index + 1;
            }
            _ => continue,
        }
        if depth == 1 && character == '{' {
            start = index + 1;
        }
    }
    names.into_iter().map(|name| name.trim().split("::").next().unwrap_or_default()).collect()
}
