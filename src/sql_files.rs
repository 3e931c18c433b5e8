//! Laws of the folder `sql/`, which `sql/README.md` states.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The files below a folder with this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found
}

/// The SQL files, by their path below `sql/`.
fn sql_files(below: &str) -> BTreeSet<String> {
    let sql = root().join("sql");
    let name = |path: PathBuf| path.strip_prefix(&sql).unwrap().to_str().unwrap().to_owned();
    files(&sql.join(below), "sql").into_iter().map(name).collect()
}

/// What CREATE EXTENSION runs, in order.
fn contents() -> Vec<String> {
    let contents = read(&root().join("sql/CONTENTS"));
    contents.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// The files that the library holds.
fn included() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(&root().join("src"), "rs") {
        let text = read(&file);
        for (_, after) in text.match_indices("include_str!(\"").map(|(at, opening)| text.split_at(at + opening.len())) {
            let path = after.split('"').next().unwrap();
            if let Some((_, name)) = path.split_once("../sql/") {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_file_is_installed_or_included_or_an_upgrade() {
    let installed = contents();
    let listed: BTreeSet<String> = installed.iter().cloned().collect();
    assert_eq!(listed.len(), installed.len(), "sql/CONTENTS lists a file twice");
    let (included, upgrades) = (included(), sql_files("upgrade"));
    assert_eq!(&included, &sql_files("query"), "sql/query is what the library includes");
    assert!(listed.is_disjoint(&included) && listed.is_disjoint(&upgrades));
    let used: BTreeSet<String> = listed.into_iter().chain(included).chain(upgrades).collect();
    assert_eq!(used, sql_files(""));
}

#[test]
fn an_upgrade_leads_to_this_version() {
    let end = format!("--{}.sql", env!("CARGO_PKG_VERSION"));
    assert!(sql_files("upgrade").iter().any(|name| name.ends_with(&end)));
}
