//! Watches the clock and the stack while a validation runs.

/// Called for every array and object that a validation enters.
///
/// The size of an instance and the branches of a schema multiply, and a recursive `$ref` nests as deep as the instance does. A
/// server has to be able to stop a validation. The validator's calls cannot fail, so a watch stops it by unwinding
/// ([`std::panic::resume_unwind`]), which the code that started the validation catches.
pub trait Watch: Send + Sync + 'static {
    /// Called at every array and object, some thousands of times for a large document. It has to be cheap.
    fn enter();

    /// Called at every element, member and string: an array of scalars is entered only once, and each scalar may be costly.
    fn step();

    /// Called if a stored value is malformed. If it returns, the unreadable part counts as absent.
    #[cold]
    fn malformed() {}

    /// Stored bytes as text, if they are UTF-8. Called for every name and string that is read.
    #[inline(always)]
    fn text(bytes: &[u8]) -> Option<&str> {
        std::str::from_utf8(bytes).ok()
    }
}

/// Watches nothing. For tests, and for small documents of our own.
pub struct Unwatched;

impl Watch for Unwatched {
    #[inline(always)]
    fn enter() {}

    #[inline(always)]
    fn step() {}
}
