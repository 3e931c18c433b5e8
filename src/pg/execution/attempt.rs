//! Attempts to have a faster way for a statement, which stand or fall with PostgreSQL's analysis of it.

use super::ways::Way;
use crate::error::Result;
use std::cell::RefCell;
use std::rc::Rc;

/// After this many analyses that did not stay valid, the fast path is given up, because the session's search path keeps changing.
const TRIES: u8 = 8;

/// The state of a statement's fast path.
pub struct Attempt<P> {
    way: Way,
    state: RefCell<State<P>>,
}

enum State<P> {
    /// Not ready, after this many tries.
    Untried(u8),
    /// Ready, after this many tries.
    Ready(Rc<P>, u8),
    Impossible,
}

impl<P> Attempt<P> {
    /// No attempt yet to have this way.
    pub fn at(way: Way) -> Self {
        Attempt { way, state: RefCell::new(State::Untried(0)) }
    }

    /// The fast path, if it is ready and current. If not, calls `make` so that the next request has it.
    ///
    /// # Errors
    /// The errors of `make`.
    pub fn ready(
        &self,
        is_current: impl FnOnce(&P) -> bool,
        make: impl FnOnce() -> Result<Option<P>>,
    ) -> Result<Option<Rc<P>>> {
        if !self.way.is_open() {
            return Ok(None);
        }
        let tries = match &*self.state.borrow() {
            State::Ready(path, _) if is_current(path) => return Ok(Some(path.clone())),
            State::Ready(..) => None,
            State::Untried(tries) => Some(*tries),
            State::Impossible => return Ok(None),
        };
        match tries {
            None => self.discard(),
            Some(TRIES..) => {
                self.state.replace(State::Impossible);
            }
            Some(tries) => {
                let path = make()?.map(Rc::new);
                let state = path.clone().map_or(State::Untried(tries + 1), |path| State::Ready(path, tries + 1));
                self.state.replace(state);
                return Ok(path.filter(|_| self.way.is_taken_at_once()));
            }
        }
        Ok(None)
    }

    /// Forgets the path, whose analysis is no longer valid.
    pub fn discard(&self) {
        let tries = match &*self.state.borrow() {
            State::Untried(tries) | State::Ready(_, tries) => *tries,
            State::Impossible => return,
        };
        self.state.replace(State::Untried(tries));
    }
}
