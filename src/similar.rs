//! Finds the name that was probably meant by a name that does not exist. Pure.

/// The similarity from which a name is suggested: of four characters, one may differ.
const ALIKE: f64 = 0.75;

/// The similarity of two texts, from 0 to 1: the share of the longer one's characters that need no edit (Levenshtein distance). The
/// time is the product of the lengths, so texts must be short.
pub fn similarity(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let longer = a.len().max(b.len());
    if longer == 0 {
        return 1.0;
    }
    // the distances from the part of `a` that was read to each prefix of `b`
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let edits = (diagonal + usize::from(x != y)).min(left + 1).min(*above + 1);
            diagonal = *above;
            *above = edits;
            left = edits;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    let distance = row.last().copied().unwrap_or(longer);
    1.0 - distance as f64 / longer as f64
}

/// The most similar of the names, if it is similar enough; of equally similar names the first.
pub fn closest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(f64, &str)> = None;
    let length = name.chars().count();
    for candidate in names {
        // A difference in length is that many edits.
        let other = candidate.chars().count();
        if length.abs_diff(other) as f64 > (1.0 - ALIKE) * length.max(other) as f64 {
            continue;
        }
        let alike = similarity(name, candidate);
        if alike >= best.map_or(ALIKE, |(most, _)| most.next_up()) {
            best = Some((alike, candidate));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_the_share_of_what_needs_no_edit() {
        for (a, b, expected) in [
            ("", "", 1.0),
            ("", "abcd", 0.0),
            ("films", "films", 1.0),
            ("FILMS", "films", 1.0),
            ("film", "films", 0.8),
            ("flims", "films", 0.6),
            ("kitten", "sitting", 1.0 - 3.0 / 7.0),
            ("größe", "grösse", 1.0 - 2.0 / 6.0),
            ("abcd", "wxyz", 0.0),
        ] {
            assert!((similarity(a, b) - expected).abs() < 1e-9, "{a} {b} {}", similarity(a, b));
            assert!((similarity(b, a) - expected).abs() < 1e-9, "{b} {a}");
        }
    }

    #[test]
    fn the_closest_name_is_suggested_if_it_is_close() {
        assert_eq!(closest("film", ["actors", "films", "filter"]), Some("films"));
        assert_eq!(closest("films", ["film", "filmt"]), Some("film"));
        assert_eq!(closest("filxx", ["films"]), None);
        assert_eq!(closest("films", []), None);
    }
}
