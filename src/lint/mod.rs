//! What holds for a policy's expression regardless of the row: whether it is always true, and whether it is true because nobody has
//! signed in.
//!
//! No row is read and no code is run. The expression is evaluated on unknowns: a column is null or some value, two values are equal
//! or not, and every combination of such choices is tried. PostgreSQL cannot do it: it would run code that users wrote.

mod choices;
mod evaluate;

use crate::expression::parse;
use choices::Choices;
use evaluate::{Evaluator, World};

/// Whether an expression is true for every row and every caller. Parts that are not understood may be false.
///
/// `not_null`: the columns that cannot be null.
pub fn is_always_true(expression: &str, not_null: &[String]) -> bool {
    let expression = parse(expression);
    let mut choices = Choices::new();
    loop {
        let mut evaluator = Evaluator { world: World::Any, subjects: &[], not_null, choices: &mut choices };
        if evaluator.truth(&expression) != Some(true) {
            return false;
        }
        match choices.next() {
            Some(true) => {}
            Some(false) => return true,
            None => return false,
        }
    }
}

/// Whether an expression is true for some row if nobody has signed in, but not if the caller owns no rows.
///
/// `subjects`: the functions that identify the caller, as `pg_get_expr` writes their names; `current_setting` for the settings of
/// requests. They return null if nobody has signed in.
pub fn holds_for_nobody(expression: &str, subjects: &[String]) -> bool {
    let expression = parse(expression);
    let mut choices = Choices::new();
    loop {
        let mut evaluator = Evaluator { world: World::Anonymous, subjects, not_null: &[], choices: &mut choices };
        if evaluator.truth(&expression) == Some(true) {
            evaluator.world = World::Stranger;
            if evaluator.truth(&expression) != Some(true) {
                return true;
            }
        }
        if choices.next() != Some(true) {
            return false;
        }
    }
}

#[cfg(test)]
mod tests;
