//! What the modules may know of each other, where the compiler does not say it.

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
