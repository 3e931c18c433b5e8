//! Renders the statements of requests whose body is one object: its values are parameters, and not rows of a function.

use super::Statement;
use super::render::Writer;
use crate::plan::*;

/// The statement for a plan when the body is one object, or the request needs no body. It does what the plan's own statement does, in one
/// command. `None` if that takes the object as a row, or more than one command.
pub fn of_one_object(plan: &Plan) -> Option<Statement> {
    let mut w = Writer { is_one_object: true, shows_hidden: true, ..Writer::default() };
    match plan {
        Plan::Write(write) if is_simple(write) => w.write(write),
        Plan::Call(call) if takes_values(call) => w.call(call),
        _ => return None,
    }
    Some(w.statement)
}

/// Whether the write is one INSERT, UPDATE or DELETE, whose columns get the values of the object.
fn is_simple(write: &Write) -> bool {
    let is_given = |c: &BodyColumn| c.default.is_none() && c.from_json.is_none();
    let takes = match &write.change {
        Change::Insert { columns, key, .. } => key.is_empty() && !columns.is_empty() && columns.iter().all(is_given),
        Change::Update { columns, patch, .. } => patch.is_none() && !columns.is_empty() && columns.iter().all(is_given),
        Change::Delete { .. } => true,
        Change::Each(_) => false,
    };
    takes && write.unreturned.is_none() && write.returned_by_select().is_none()
}

/// Whether the call returns one value, and its arguments are values.
fn takes_values(call: &Call) -> bool {
    matches!(call.result, CallResult::Scalar)
        && matches!(call.invocation.arguments, Arguments::Query(_) | Arguments::Body(..))
}
