//! The faster ways in which requests run that qualify for them. Each of them must answer as the general way does.

/// A faster way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A read on the fast path.
    Read,
    /// A write on the fast path.
    Write,
    /// A call of one value without SPI.
    Call,
    /// With a plan that was made for other values.
    KeptPlan,
    /// Without settings that say who asks for what.
    Unpublished,
}

#[cfg(not(feature = "pg_test"))]
impl Way {
    /// Whether requests may take it. Only tests forbid it.
    pub fn is_open(self) -> bool {
        true
    }

    /// Whether a request takes it as soon as it is prepared, and not only the next one. Only tests ask for this.
    pub fn is_taken_at_once(self) -> bool {
        false
    }

    /// Notes that a request has taken it. Only tests read this.
    pub fn note(self) {}
}
