//! Compares the map in `docs/architecture.md` with the tree.

use std::fs;
use std::path::Path;

/// The rows of the map: stage, noun and file.
fn stages(map: &str) -> Vec<(String, String, String)> {
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    let table = map.lines().skip_while(|line| !line.starts_with("| stage |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|cells| (cells[1].clone(), cells[2].clone(), cells[3].clone())).collect()
}

#[test]
fn each_stage_of_the_map_is_a_file_that_defines_its_noun() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stages = stages(include_str!("../../docs/architecture.md"));
    assert!(stages.len() >= 10, "{stages:?}");
    for (stage, noun, file) in stages {
        let source = fs::read_to_string(root.join(&file)).unwrap_or_else(|why| panic!("{stage}: {file}: {why}"));
        let defines = ["struct", "enum"].iter().any(|kind| {
            source
                .match_indices(&format!("pub {kind} {noun}"))
                .any(|(at, found)| !source[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
        assert!(defines, "{stage}: {file} does not define {noun}");
    }
}

/// The rooms in a table of the map, such as `src/pg/frame/`.
fn rooms(map: &str, header: &str) -> Vec<String> {
    let table =
        map.lines().skip_while(|line| !line.starts_with(header)).skip(2).take_while(|line| line.starts_with('|'));
    let cells = table.map(|line| line.split('|').nth(1).unwrap_or_default().to_owned());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_map_names_every_room_of_both_halves() {
    let map = include_str!("../../docs/architecture.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = |header: &str, below: &str| -> Vec<String> {
        rooms(map, header).iter().map(|room| room.trim_start_matches(below).trim_end_matches('/').to_owned()).collect()
    };
    for (header, below, not_rooms) in [
        ("| folder or file |", "src/", &["pg", "lib.rs"][..]),
        ("| room in `src/pg/` |", "src/pg/", &["mod.rs", "tests"]),
    ] {
        let named = named(header, below);
        let there =
            fs::read_dir(root.join(below)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        // Files that lib.rs declares for tests only are not rooms.
        let is_for_tests = |name: &String| {
            let module = name.trim_end_matches(".rs");
            include_str!("../lib.rs").contains(&format!("\nmod {module};"))
        };
        for name in there.filter(|name| !not_rooms.contains(&name.as_str()) && !is_for_tests(name)) {
            let in_text = map.contains(&format!("`{below}{name}`"));
            assert!(named.contains(&name) || in_text, "{below}{name} is not on the map: {named:?}");
        }
        for name in named {
            assert!(root.join(below).join(&name).exists(), "the map names {below}{name}");
        }
    }
}
