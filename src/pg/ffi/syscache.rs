//! Tuples of PostgreSQL's system caches (syscache.h), pinned for as long as they are used.

use pgrx::pg_sys::{self, Datum, NameData, Oid, SysCacheIdentifier};
use std::ffi::{CStr, c_int};

/// A tuple of a system cache. Dropping it releases it.
pub struct Tuple {
    cache: c_int,
    tuple: pg_sys::HeapTuple,
}

impl Drop for Tuple {
    fn drop(&mut self) {
        // SAFETY: this value holds the pin.
        unsafe { pg_sys::ReleaseSysCache(self.tuple) };
    }
}

impl Tuple {
    /// The tuple of these keys; `None` if there is none.
    ///
    /// # Safety
    /// The cache has as many keys, of these types.
    pub unsafe fn find<const N: usize>(cache: SysCacheIdentifier::Type, keys: [Datum; N]) -> Option<Tuple> {
        let cache = cache as c_int;
        let mut all = [Datum::null(); 4];
        all.iter_mut().zip(keys).for_each(|(slot, key)| *slot = key);
        let [first, second, third, fourth] = all;
        // SAFETY: promised by the caller; the cache ignores the keys that it does not have.
        let tuple = unsafe { pg_sys::SearchSysCache(cache, first, second, third, fourth) };
        (!tuple.is_null()).then(|| Tuple { cache, tuple })
    }

    /// The tuple whose only key is this OID.
    ///
    /// # Safety
    /// The cache has one key, an OID.
    pub unsafe fn of_oid(cache: SysCacheIdentifier::Type, oid: Oid) -> Option<Tuple> {
        // SAFETY: promised by the caller.
        unsafe { Tuple::find(cache, [oid.into()]) }
    }

    /// The fixed part of the tuple.
    ///
    /// # Safety
    /// `Form` is the struct of the tuple's catalogue.
    pub unsafe fn form<Form>(&self) -> &Form {
        // SAFETY: promised by the caller; the pin keeps the tuple.
        unsafe { &*pg_sys::GETSTRUCT(self.tuple).cast::<Form>() }
    }

    /// The value of the column with this number, as it is stored; `None` if it is null.
    pub fn value(&self, column: i16) -> Option<Datum> {
        let mut is_null = false;
        // SAFETY: the tuple is of this cache.
        let value = unsafe { pg_sys::SysCacheGetAttr(self.cache, self.tuple, column, &mut is_null) };
        (!is_null).then_some(value)
    }
}

/// The tuples of a system cache that have the first keys in common. Dropping it releases them.
pub struct Tuples(*mut pg_sys::catclist);

impl Drop for Tuples {
    fn drop(&mut self) {
        // SAFETY: this value holds the pin.
        unsafe { pg_sys::ReleaseCatCacheList(self.0) };
    }
}

impl Tuples {
    /// The tuples with this first key.
    ///
    /// # Safety
    /// The cache has more keys than one, and the first is of this type.
    pub unsafe fn find(cache: SysCacheIdentifier::Type, key: Datum) -> Tuples {
        // SAFETY: promised by the caller.
        unsafe { Tuples(pg_sys::SearchSysCacheList(cache as c_int, 1, key, Datum::null(), Datum::null())) }
    }

    /// The fixed parts of the tuples.
    ///
    /// # Safety
    /// `Form` is the struct of the tuples' catalogue.
    pub unsafe fn forms<Form: 'static>(&self) -> impl Iterator<Item = &Form> {
        // SAFETY: promised by the caller; the pin keeps the list and its tuples.
        unsafe {
            let members = (*self.0).members.as_ptr();
            (0..(*self.0).n_members as usize).map(move |i| {
                let tuple = &raw mut (**members.add(i)).tuple;
                &*pg_sys::GETSTRUCT(tuple).cast::<Form>()
            })
        }
    }
}

/// The text of a name.
pub fn name(name: &NameData) -> String {
    // SAFETY: a name is NUL-terminated.
    unsafe { CStr::from_ptr(name.data.as_ptr()) }.to_string_lossy().into_owned()
}

/// The schema with this OID.
pub fn schema_name(oid: Oid) -> Option<String> {
    // SAFETY: pg_namespace by OID.
    unsafe {
        let schema = Tuple::of_oid(SysCacheIdentifier::NAMESPACEOID, oid)?;
        Some(name(&schema.form::<pg_sys::FormData_pg_namespace>().nspname))
    }
}

/// Whether a database exists.
pub fn has_database(oid: u32) -> bool {
    // SAFETY: the cache has one key, an OID.
    unsafe { Tuple::of_oid(SysCacheIdentifier::DATABASEOID, Oid::from(oid)) }.is_some()
}
