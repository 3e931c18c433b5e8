//! Estimates what compiling the patterns of a schema costs.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The cost of the smallest pattern, and of one that exceeds the engine's own limit.
const LEAST: usize = 100;
const MOST: usize = 30_000;

/// Approximately the states of an automaton for `pattern`. Each takes some microseconds and tens of bytes.
pub fn states(pattern: &str) -> usize {
    // In ECMA 262, `\d` and `\w` are ASCII. Unicode classes are only used if named.
    let parsed = [false, true].into_iter().find_map(|unicode| {
        ParserBuilder::new().unicode(unicode).utf8(false).nest_limit(100).build().parse(pattern).ok()
    });
    // If it cannot be parsed here, the cost is proportional to the text, or the engine's own limit refuses it.
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
