//! What the patterns of a schema cost to compile.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// What the smallest pattern costs, and one that the engine's own limit refuses.
const LEAST: usize = 100;
const MOST: usize = 30_000;

/// About the states of an automaton for `pattern`, of which each takes some microseconds and tens of bytes.
pub fn states(pattern: &str) -> usize {
    // In ECMA 262, `\d` and `\w` are ASCII; the classes of Unicode are asked for by name.
    let parsed = [false, true].into_iter().find_map(|unicode| {
        ParserBuilder::new().unicode(unicode).utf8(false).nest_limit(100).build().parse(pattern).ok()
    });
    // What is written otherwise than here is no larger than its text, or refused by the engine's own limit.
    parsed.map_or_else(|| pattern.len().saturating_mul(20), |hir| of(&hir)).clamp(LEAST, MOST)
}

fn of(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(_)) => 1,
        HirKind::Class(Class::Unicode(class)) => class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            of(&repetition.sub).saturating_mul(times as usize)
        }
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(of).fold(0, usize::saturating_add),
    }
}
