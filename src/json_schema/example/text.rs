//! Strings for a pattern or a format.

use crate::limits::{EXAMPLE_STRING_BYTES, EXAMPLE_STRINGS};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Strings that `pattern` is likely to match: the plainest first, then one for each departure from it (another branch, another
/// count, another character). `lengths`: further counts for unbounded repetitions.
///
/// A sample is a guess: assertions inside the pattern are ignored, and the syntax of ECMA 262 is read as that of this engine. A
/// pattern that cannot be parsed has no samples.
pub fn matching(pattern: &str, lengths: &[usize]) -> Vec<String> {
    let Ok(hir) = regex_syntax::Parser::new().parse(pattern) else {
        return Vec::new();
    };
    let mut plain = Walk { lengths, ..Walk::default() };
    plain.write(&hir);
    let mut samples = vec![plain.out];
    for (point, ways) in plain.ways.iter().enumerate() {
        for way in 1..*ways {
            if samples.len() == EXAMPLE_STRINGS {
                return samples;
            }
            let mut walk = Walk { lengths, leave: Some((point, way)), ..Walk::default() };
            walk.write(&hir);
            if !samples.contains(&walk.out) {
                samples.push(walk.out);
            }
        }
    }
    samples
}

/// One walk through a pattern. It takes the first alternative at every choice, except at most one.
#[derive(Default)]
struct Walk<'a> {
    lengths: &'a [usize],
    /// The choice at which to take another alternative, counted in the order of the walk, and that alternative.
    leave: Option<(usize, usize)>,
    /// The number of alternatives of each choice.
    ways: Vec<usize>,
    out: String,
}

impl Walk<'_> {
    fn choose(&mut self, ways: usize) -> usize {
        let point = self.ways.len();
        self.ways.push(ways);
        match self.leave {
            Some((at, way)) if at == point => way,
            _ => 0,
        }
    }

    fn write(&mut self, hir: &Hir) {
        if self.out.len() > EXAMPLE_STRING_BYTES || self.ways.len() > EXAMPLE_STRING_BYTES {
            return;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.out.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => {
                let characters = characters(class);
                let way = self.choose(characters.len());
                self.out.extend(characters.get(way));
            }
            HirKind::Repetition(repetition) => {
                let (min, max) = (repetition.min, repetition.max.unwrap_or(u32::MAX));
                let mut counts = vec![min];
                for count in [min.saturating_add(1), repetition.max.unwrap_or(min.saturating_add(2))]
                    .into_iter()
                    .chain(self.lengths.iter().map(|length| u32::try_from(*length).unwrap_or(u32::MAX)))
                {
                    if count > min && count <= max && count as usize <= EXAMPLE_STRING_BYTES && !counts.contains(&count)
                    {
                        counts.push(count);
                    }
                }
                let way = self.choose(counts.len());
                for _ in 0..counts.get(way).copied().unwrap_or(min).min(EXAMPLE_STRING_BYTES as u32) {
                    self.write(&repetition.sub);
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.write(part)),
            HirKind::Alternation(branches) => {
                let way = self.choose(branches.len());
                if let Some(branch) = branches.get(way) {
                    self.write(branch);
                }
            }
        }
    }
}

/// A few characters of a class: a plain one first, then the ends of its first ranges.
fn characters(class: &Class) -> Vec<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (char::from(range.start()), char::from(range.end()))).collect()
        }
    };
    let within = |character: &char| ranges.iter().any(|(start, end)| start <= character && character <= end);
    let mut found: Vec<char> = "aA0-_ ".chars().filter(within).take(3).collect();
    for (start, end) in ranges.iter().take(4) {
        for character in [*start, *end] {
            if !found.contains(&character) {
                found.push(character);
            }
        }
    }
    // Control characters come last, so that they are only used if nothing is readable.
    found.sort_by_key(|character| character.is_control());
    found
}

/// Values with a format, by its name in JSON Schema (drafts 4 to 2020-12, section "Defined Formats").
pub fn of_format(format: &str) -> &'static [&'static str] {
    match format {
        "date" => &["2024-02-29", "2000-01-01"],
        "date-time" => &["2024-02-29T12:00:00Z", "2000-01-01T00:00:00+01:00"],
        "time" => &["12:00:00Z"],
        "duration" => &["P1D", "PT1H"],
        "email" | "idn-email" => &["a@example.com"],
        "hostname" | "idn-hostname" | "host-name" => &["example.com", "a"],
        "ipv4" | "ip-address" => &["192.0.2.1"],
        "ipv6" => &["2001:db8::1", "::"],
        "uri" | "iri" => &["https://example.com/", "urn:a"],
        "uri-reference" | "iri-reference" => &["/a", "https://example.com/", ""],
        "uri-template" => &["/{a}", "a"],
        "uuid" => &["2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
        "json-pointer" => &["/a", ""],
        "relative-json-pointer" => &["0", "1/a"],
        "regex" => &["a"],
        "color" => &["#ffffff"],
        _ => &[],
    }
}
