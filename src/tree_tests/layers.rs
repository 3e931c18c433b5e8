//! What the modules may know of each other, where the compiler does not say it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The Rust files in and below a folder of the sources.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn the_ground_floor_uses_nothing_above_it() {
    let files = sources("pg/ffi");
    assert!(!files.is_empty());
    for file in files {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let rest = line.split("crate::pg::").skip(1);
            let is_above = rest.into_iter().any(|path| !path.starts_with("ffi")) || line.contains("super::super::");
            assert!(!is_above, "{}: {line}", file.display());
        }
    }
}

/// The rooms of a folder that each room uses, by the paths `crate::...` in its sources, tests aside.
fn arrows(folder: &str, prefix: &str) -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
    let room_of = |path: &Path| -> String {
        let inside = path.strip_prefix(&root).unwrap().components().next().unwrap();
        inside.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let mut arrows = BTreeMap::<String, BTreeSet<String>>::new();
    for file in sources(folder) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let is_test = name.contains("tests") || name == "fixture.rs" || name == "random.rs" || name.contains("_hook");
        let room = room_of(&file);
        if is_test
            || ["lib", "mod", "laws", "tree_tests", "tests"].contains(&room.as_str())
            || (folder.is_empty() && room == "pg")
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for path in code.split(prefix).skip(1) {
            // One room, or several in braces: `{frame, guc::get}`.
            let paths: Vec<&str> = match path.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default().split(',').map(str::trim).collect(),
                None => vec![path],
            };
            for path in paths {
                let used: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !used.is_empty() && used != room {
                    arrows.entry(room.clone()).or_default().insert(used);
                }
            }
        }
    }
    arrows
}

/// Rooms that use each other in a circle; none if there is no circle.
fn circle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut left = arrows.clone();
    // A room that uses nothing of what is left is in no circle.
    loop {
        let done: Vec<String> = left
            .iter()
            .filter(|(_, uses)| !uses.iter().any(|used| left.contains_key(used)))
            .map(|(room, _)| room.clone())
            .collect();
        if done.is_empty() {
            return left.into_keys().collect();
        }
        for room in done {
            left.remove(&room);
        }
    }
}

#[test]
fn no_rooms_use_each_other_in_a_circle() {
    assert_eq!(circle(&arrows("", "crate::")), Vec::<String>::new(), "{:#?}", arrows("", "crate::"));
    assert_eq!(circle(&arrows("pg", "crate::pg::")), Vec::<String>::new(), "{:#?}", arrows("pg", "crate::pg::"));
}

#[test]
fn a_circle_is_found() {
    let uses = |rooms: &[(&str, &[&str])]| {
        rooms.iter().map(|(room, used)| ((*room).to_owned(), used.iter().map(|u| (*u).to_owned()).collect())).collect()
    };
    assert_eq!(circle(&uses(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &["e"])])), ["a", "b", "c"]);
    assert_eq!(circle(&uses(&[("a", &["b", "c"]), ("b", &["c"]), ("d", &["a"])])), Vec::<String>::new());
}
