//! The secret that cursors are signed with, and the seal of a request.

use crate::ask::Ask;
use crate::auth::claims;
use crate::auth::{Identity, Principal};
use crate::error::{Code, Error, Result};
use crate::keyset::{Asked, Fingerprint, Seal};
use crate::pg::catalog::invalidation;
use crate::pg::ffi::user;
use crate::pg::keys::tables::with_group;
use crate::route::Resource;
use std::cell::RefCell;
use std::rc::Rc;

const QUERY: &str = include_str!("../../../sql/query/keys/cursor_secret.sql");

thread_local! {
    /// The secret and its generation.
    static SECRET: RefCell<Option<(u64, Rc<[u8]>)>> = const { RefCell::new(None) };
}

/// Makes the seal of a request with a cursor, and checks its cursor with it.
///
/// # Errors
/// REST460 for a cursor that was not made for this request; REST506 if the database has no secret.
pub fn seal(ask: &mut Ask, principal: &Principal) -> Result<()> {
    if ask.shape.seek.is_none() {
        return Ok(());
    }
    let action = ask.action();
    let Resource::Collection { relation } = &action.resource else { return Ok(()) };
    let role = match &principal.switch_to {
        Some(role) => role.clone(),
        None => user::name(user::current()).into(),
    };
    let fingerprint = Fingerprint::of(&Asked {
        schema: &action.schema,
        relation,
        query: &ask.shape.query,
        literals: &ask.literals,
        role: &role,
        subject: match &principal.identity {
            Identity::Claims(claims, _) => claims::user_id(claims),
            Identity::Anonymous | Identity::SessionUser => None,
        },
    });
    let seal = Seal::new(&secret()?, fingerprint);
    if let Some(token) = &ask.token {
        seal.check(token)?;
    }
    ask.seal = Some(seal);
    Ok(())
}

/// The database's secret.
fn secret() -> Result<Rc<[u8]>> {
    invalidation::accept();
    let generation = invalidation::CURSOR_SECRET.with(|table| table.generation());
    let known = SECRET
        .with_borrow(|known| known.as_ref().filter(|(of, _)| *of == generation).map(|(_, secret)| secret.clone()));
    if let Some(known) = known {
        return Ok(known);
    }
    let secret =
        with_group(&invalidation::CURSOR_SECRET, |tables| tables.first(QUERY, &[], |row| row.get::<Vec<u8>>(1)));
    let Some(secret) = secret.flatten().flatten() else {
        return Err(Error::new(Code::Setting, "The database has no secret to sign cursors with")
            .hint("Its version of the extension is too old: ALTER EXTENSION pg_restful UPDATE."));
    };
    let secret: Rc<[u8]> = secret.into();
    SECRET.set(Some((generation, secret.clone())));
    Ok(secret)
}
