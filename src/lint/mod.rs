//! What a policy's expression says whatever the row is: whether it always holds, and whether it holds because nobody has
//! signed in.
//!
//! No row is read and nothing is run. The expression is evaluated on what is not known: a column is null or some value, two
//! values are equal or not, and each such choice is tried. PostgreSQL cannot be asked to do it: it would run what users wrote.

mod choices;
mod evaluate;

use crate::expression::parse;
use choices::Choices;
use evaluate::{Evaluator, World};

/// Whether an expression is true for every row and whoever asks. What is not understood may be false.
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

/// Whether an expression is true for some row when nobody has signed in, and not when somebody has to whom no row belongs.
///
/// `subjects`: the functions that tell who asks, as `pg_get_expr` writes their names; `current_setting` for the settings of
/// requests. They are null when nobody has signed in.
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
