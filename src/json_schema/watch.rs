//! A look at the clock and the stack while a validation runs.

/// Called for every array and object that a validation enters.
///
/// An instance's size and the schema's branches multiply, and a recursive `$ref` nests as deep as the instance does:
/// what runs a validation inside a server has to be able to stop it. The calls of the validator cannot fail, so a watch
/// stops it by unwinding ([`std::panic::resume_unwind`]), which whoever started the validation catches.
pub trait Watch: Send + Sync + 'static {
    /// Called at every array and object, some thousands of times for a large document: it has to be cheap.
    fn enter();

    /// Called at every element, member and string: an array of scalars is entered once, and each of them may be costly.
    fn step();

    /// Called where a stored value is malformed. If it returns, the unreadable part counts as absent.
    #[cold]
    fn malformed() {}

    /// Stored bytes as text, if they are UTF-8. Called for every name and every string that is read.
    #[inline(always)]
    fn text(bytes: &[u8]) -> Option<&str> {
        std::str::from_utf8(bytes).ok()
    }
}

/// Watches nothing: for tests, and for small documents of our own.
pub struct Unwatched;

impl Watch for Unwatched {
    #[inline(always)]
    fn enter() {}

    #[inline(always)]
    fn step() {}
}
