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

/// The files that CREATE EXTENSION runs, in order.
fn contents() -> Vec<String> {
    let contents = read(&root().join("sql/CONTENTS"));
    contents.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// The files that the library includes.
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

/// Queries that run with the privileges of the extension's owner.
fn runs_as_owner(name: &str) -> bool {
    ["query/keys/", "query/resource/", "query/json_schema/registered_schema.sql"].iter().any(|of| name.starts_with(of))
}

/// The text with comments, literals and quoted names replaced by blanks.
fn masked(sql: &str) -> String {
    let mut masked = String::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '\'' | '"' => 2 + rest[1..].find(first).unwrap(),
            _ => first.len_utf8(),
        };
        let (part, after) = rest.split_at(length);
        if part.len() == first.len_utf8() {
            masked.push_str(part)
        } else {
            masked.push_str(&"_".repeat(length))
        }
        rest = after;
    }
    masked
}

/// Everything whose meaning depends on the search path: calls and casts without a schema, operators, and IN, LIKE and their like.
fn unqualified(sql: &str) -> Vec<String> {
    const SYNTAX: &str = " all and any array as case coalesce conflict constant distinct exists extract filter from greatest if lateral least limit not \
        on or over row rows select set then using values when where with ";
    let mut text = masked(sql).replace(":=", " ").replace("=>", " ");
    while let Some(at) = text.find("OPERATOR(pg_catalog.") {
        let end = at + text[at..].find(')').unwrap();
        text.replace_range(at..=end, " ");
    }
    let is_name = |c: char| c.is_alphanumeric() || "_.$".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end();
        let other = before.trim_end_matches(is_name);
        let name = &before[other.len()..];
        // (...) alias (names), INTO table AS alias (names)
        let is_list =
            other.trim_end().ends_with([')']) || other.trim_end().ends_with(" AS") || other.ends_with("INTO ");
        if !name.is_empty()
            && !name.contains('.')
            && !is_list
            && !SYNTAX.contains(&format!(" {} ", name.to_lowercase()))
        {
            found.push(format!("{name}("));
        }
    }
    for (at, _) in text.match_indices("::") {
        let name: String = text[at + 2..].chars().take_while(|c| is_name(*c)).collect();
        if !name.contains('.') {
            found.push(format!("::{name}"));
        }
    }
    let words: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    for (i, word) in words.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).and_then(|i| words.get(i)).map_or("", String::as_str);
        let clauses = ["SET", "WHERE", "RETURNING", "SELECT", "FROM", "VALUES"];
        let clause = words.iter().take(i).rev().find(|word| clauses.contains(&word.as_str()));
        let is_next = before(2).ends_with(',') && clause.is_some_and(|clause| clause == "SET");
        let assigns = before(2) == "SET" || is_next || ["ERRCODE", "HINT", "DETAIL"].contains(&before(1));
        let is_symbol = word.chars().all(|c| "=<>~!@#%^&|+-*/".contains(c));
        let all = word == "*" && before(1) == "SELECT";
        let is_loop = before(2) == "FOR" || before(2) == "FOREACH";
        let compares = ["IN", "LIKE", "ILIKE", "BETWEEN", "SIMILAR"].contains(&word.as_str()) && !is_loop;
        if is_symbol && !assigns && !all || compares || word == "DISTINCT" && before(1) == "IS" {
            found.push(word.clone());
        }
    }
    found
}

/// The functions and DO blocks of a script that run with the caller's search path: their first lines and their bodies.
fn with_the_callers_path(script: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let starts = ["CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", "DO $"];
    let mut rest = script;
    while let Some(at) = starts.iter().filter_map(|start| rest.find(&format!("\n{start}"))).min() {
        let statement = &rest[at + 1..];
        let (line, _) = statement.split_once('\n').unwrap();
        rest = statement;
        let head = &statement[..statement.find(";\n").unwrap_or(statement.len())];
        let Some(opening) = head.find('$') else { continue };
        let tag = &statement[opening..opening + 2 + statement[opening + 1..].find('$').unwrap()];
        let (body, after) = statement[opening + tag.len()..].split_once(tag).unwrap();
        rest = after;
        if !statement[..opening].contains("SET search_path = pg_catalog, pg_temp") {
            found.push((line, body));
        }
    }
    found
}

/// The statements that stand in the sources of `src/pg/keys` and `src/pg/oauth`, which run them with the rights of the tables' owner:
/// constants of more than one line.
fn statements_of_the_owner() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in ["keys", "oauth"].iter().flat_map(|room| files(&root().join("src/pg").join(room), "rs")) {
        let source = read(&file);
        let constants = source.split("\nconst ").skip(1).filter_map(|text| text.split_once(": &str = \"\\\n"));
        for (name, text) in constants {
            found.push((name.to_owned(), text.split("\";").next().unwrap().to_owned()));
        }
    }
    found
}

#[test]
fn names_are_qualified_where_the_search_path_is_not_ours_or_the_owner_runs_them() {
    let sql = root().join("sql");
    let (mut wrong, mut seen) = (Vec::new(), Vec::new());
    let constants = statements_of_the_owner();
    assert!(constants.len() > 10, "{constants:?}");
    for (name, statement) in constants {
        wrong.extend(unqualified(&statement).into_iter().map(|what| format!("{name}: {what}")));
    }
    for name in sql_files("query").iter().filter(|name| runs_as_owner(name)) {
        wrong.extend(unqualified(&read(&sql.join(name))).into_iter().map(|what| format!("{name}: {what}")));
    }
    for name in contents().into_iter().chain(sql_files("upgrade")) {
        let script = format!("\n{}", read(&sql.join(&name)));
        for (line, body) in with_the_callers_path(&script) {
            wrong.extend(unqualified(body).into_iter().map(|what| format!("{name}: {line} {what}")));
            seen.push(line.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.iter().any(|line| line.contains("restful.validation_report")), "{seen:?}");
}

#[test]
fn names_are_plain_where_the_search_path_is_ours() {
    for name in sql_files("query").iter().filter(|name| !runs_as_owner(name)) {
        let text = masked(&read(&root().join("sql").join(name)));
        assert!(!text.contains("pg_catalog."), "{name}");
    }
}

#[test]
fn what_is_not_qualified_is_found() {
    for (sql, found) in [
        ("SELECT lower(x)", vec!["lower("]),
        ("SELECT pg_catalog.lower(x OPERATOR(pg_catalog.||) 'a = b')", vec![]),
        ("SELECT a = b, a LIKE b, a IS DISTINCT FROM b", vec!["=", "LIKE", "DISTINCT"]),
        ("SELECT a::text, b::pg_catalog.text", vec!["::text"]),
        ("SELECT * FROM (SELECT 1) t (a) -- a = b", vec![]),
        ("UPDATE t SET a = 1, b = 2 WHERE c OPERATOR(pg_catalog.=) 1, d = 2", vec!["="]),
    ] {
        assert_eq!(unqualified(sql), found, "{sql}");
    }
}
