//! A column of the result: its key, its type, and how to fill it.

use crate::pg::ffi::captured;
use crate::pg::ffi::composite;
use crate::pg::ffi::unguarded::under_one_guard;
use pgrx::pg_sys;
use std::ffi::{CString, c_char, c_void};
use std::ptr;

/// How to turn a cell into a value of the column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Varchar,
    Bpchar,
    Uuid,
    Date,
    Timestamp,
    Timestamptz,
    Json,
    Jsonb,
    /// Any other scalar: the type's input function reads its text.
    Input,
    /// Arrays and composites: PostgreSQL's own `json_to_record`.
    Populate,
}

impl Conversion {
    /// The kind of a built-in type that has a fast path.
    fn of_builtin(oid: pg_sys::Oid) -> Option<Conversion> {
        Some(match oid {
            pg_sys::BOOLOID => Conversion::Bool,
            pg_sys::INT2OID => Conversion::Int2,
            pg_sys::INT4OID => Conversion::Int4,
            pg_sys::INT8OID => Conversion::Int8,
            pg_sys::FLOAT4OID => Conversion::Float4,
            pg_sys::FLOAT8OID => Conversion::Float8,
            pg_sys::NUMERICOID => Conversion::Numeric,
            pg_sys::TEXTOID => Conversion::Text,
            pg_sys::VARCHAROID => Conversion::Varchar,
            pg_sys::BPCHAROID => Conversion::Bpchar,
            pg_sys::UUIDOID => Conversion::Uuid,
            pg_sys::DATEOID => Conversion::Date,
            pg_sys::TIMESTAMPOID => Conversion::Timestamp,
            pg_sys::TIMESTAMPTZOID => Conversion::Timestamptz,
            pg_sys::JSONOID => Conversion::Json,
            pg_sys::JSONBOID => Conversion::Jsonb,
            _ => return None,
        })
    }
}

/// What a string in the body means for a column of a JSON type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// A JSON string.
    Json,
    /// A text that is JSON.
    Texts,
    /// A text that is JSON, or else a JSON string.
    MaybeTexts,
}

/// A column that is filled from a key.
pub struct Column {
    /// The key, in UTF-8.
    pub key: Vec<u8>,
    pub kind: Conversion,
    pub strings: Strings,
    /// Type modifier of the base type; -1 for none.
    pub typmod: i32,
    /// The type beneath all domains.
    base: pg_sys::Oid,
    /// The type, if it is a domain.
    domain: Option<pg_sys::Oid>,
    domain_cache: *mut c_void,
    input: Option<Input>,
    populate: Option<Populate>,
    /// The memory context of everything cached here. It outlives the column.
    context: pg_sys::MemoryContext,
}

/// The input function of a type.
struct Input {
    // Boxed, because functions keep pointers to it.
    function: Box<pg_sys::FmgrInfo>,
    parameter: pg_sys::Oid,
}

/// `json_to_record` for a record of this one column.
struct Populate {
    function: Box<pg_sys::FmgrInfo>,
    descriptor: pg_sys::TupleDesc,
    /// `{"key":`
    prefix: Vec<u8>,
}

/// The OID of `json_to_record(json)` in pg_proc, which has never changed.
const JSON_TO_RECORD: u32 = 3204;

impl Column {
    /// A column of this type and modifier, filled from `key`. Caches live in the current context.
    ///
    /// # Safety
    /// The current context must outlive the column.
    pub unsafe fn new(data_type: pg_sys::Oid, mut typmod: i32, key: Vec<u8>, strings: Strings) -> Self {
        let mut base = data_type;
        // The usual types need no look-up.
        let kind = Conversion::of_builtin(base).unwrap_or_else(|| {
            // SAFETY: catalogue look-ups of a type that the parser has resolved. They raise PostgreSQL's error if it no longer exists.
            let (composite, array) = unsafe {
                base = pg_sys::getBaseTypeAndTypmod(data_type, &mut typmod);
                (pg_sys::get_typtype(base) == b'c' as c_char, pg_sys::get_element_type(base) != pg_sys::InvalidOid)
            };
            let other = if composite || array { Conversion::Populate } else { Conversion::Input };
            Conversion::of_builtin(base).unwrap_or(other)
        });
        // SAFETY: reads a variable of this backend.
        let context = unsafe { pg_sys::CurrentMemoryContext };
        Column {
            key,
            kind,
            strings,
            typmod,
            base,
            domain: (base != data_type).then_some(data_type),
            domain_cache: ptr::null_mut(),
            input: None,
            populate: None,
            context,
        }
    }

    /// Whether values must satisfy the constraints of a domain.
    #[inline]
    pub fn is_domain(&self) -> bool {
        self.domain.is_some()
    }

    /// Raises PostgreSQL's error if the value violates a constraint of the column's domain.
    ///
    /// # Safety
    /// The value must have the column's base type.
    pub unsafe fn check_domain(&mut self, value: Option<pg_sys::Datum>) {
        if let Some(domain) = self.domain {
            let datum = value.unwrap_or(pg_sys::Datum::null());
            // SAFETY: the cache belongs to this domain and lives in the context that is passed with it.
            unsafe { pg_sys::domain_check(datum, value.is_none(), domain, &mut self.domain_cache, self.context) };
        }
    }

    /// The value that the type's input function makes of `text`, in the current context.
    ///
    /// # Safety
    /// `text` is a C string in the server's encoding.
    pub unsafe fn input(&mut self, text: *mut c_char) -> pg_sys::Datum {
        let (base, context) = (self.base, self.context);
        let input = self.input.get_or_insert_with(|| {
            let mut function = Box::<pg_sys::FmgrInfo>::default();
            let (mut id, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
            // SAFETY: a catalogue look-up, and the function it names.
            unsafe {
                pg_sys::getTypeInputInfo(base, &mut id, &mut parameter);
                pg_sys::fmgr_info_cxt(id, function.as_mut(), context);
            }
            Input { function, parameter }
        });
        // SAFETY: the type's own function and parameters. The caller promises the text.
        captured::reading(|| unsafe {
            pg_sys::InputFunctionCall(input.function.as_mut(), text, input.parameter, self.typmod)
        })
    }

    /// The value that `json_to_record` makes of a JSON text, in the current context; `None` for NULL.
    ///
    /// # Safety
    /// `json` is valid JSON in the server's encoding. Allocates in the current context.
    pub unsafe fn populate(&mut self, json: &[u8], server_key: impl FnOnce(&[u8]) -> Vec<u8>) -> Option<pg_sys::Datum> {
        if self.populate.is_none() {
            let key = server_key(&self.key);
            // SAFETY: promised by the caller of `new`: the context outlives the column.
            self.populate = Some(unsafe { Populate::new(&key, self.base, self.typmod, self.context) });
        }
        // SAFETY: promised by the caller.
        captured::reading(|| self.populate.as_mut().and_then(|populate| unsafe { populate.call(json) }))
    }
}

impl Populate {
    /// # Safety
    /// `context` must outlive the result.
    unsafe fn new(key: &[u8], base: pg_sys::Oid, typmod: i32, context: pg_sys::MemoryContext) -> Self {
        // The key is used as the column's name, so that hints show it, unless it is longer than a name can be.
        let name = CString::new(key).ok().filter(|name| name.as_bytes().len() < pg_sys::NAMEDATALEN as usize);
        let name = name.unwrap_or_else(|| c"value".to_owned());
        let mut prefix = vec![b'{'];
        crate::json::escape(name.as_bytes(), &mut prefix);
        prefix.push(b':');
        let mut function = Box::<pg_sys::FmgrInfo>::default();
        // SAFETY: builds a descriptor of one column and looks up a built-in function, both in `context`.
        let descriptor = unsafe {
            let previous = pg_sys::MemoryContextSwitchTo(context);
            let descriptor = pg_sys::CreateTemplateTupleDesc(1);
            pg_sys::TupleDescInitEntry(descriptor, 1, name.as_ptr(), base, typmod, 0);
            pg_sys::fmgr_info_cxt(pg_sys::Oid::from(JSON_TO_RECORD), function.as_mut(), context);
            pg_sys::MemoryContextSwitchTo(previous);
            descriptor
        };
        Populate { function, descriptor, prefix }
    }

    /// # Safety
    /// `json` is valid JSON in the server's encoding.
    unsafe fn call(&mut self, json: &[u8]) -> Option<pg_sys::Datum> {
        let size = pg_sys::VARHDRSZ + self.prefix.len() + json.len() + 1;
        // SAFETY: the text is allocated and filled to its size. The call frame has room for one argument and describes the expected
        // row, which is all that the function reads of it. The result is a row of that description.
        unsafe {
            let text: *mut u8 = pg_sys::palloc(size).cast();
            let mut place = text.add(pg_sys::VARHDRSZ);
            for part in [self.prefix.as_slice(), json, b"}"] {
                ptr::copy_nonoverlapping(part.as_ptr(), place, part.len());
                place = place.add(part.len());
            }
            pgrx::varlena::set_varsize_4b(text.cast(), size as i32);

            let mut expected = pg_sys::ReturnSetInfo {
                type_: pg_sys::NodeTag::T_ReturnSetInfo,
                expectedDesc: self.descriptor,
                ..Default::default()
            };
            let frame = size_of::<pg_sys::FunctionCallInfoBaseData>() + size_of::<pg_sys::NullableDatum>();
            let frame: pg_sys::FunctionCallInfo = pg_sys::palloc0(frame).cast();
            (*frame).flinfo = self.function.as_mut();
            (*frame).resultinfo = ptr::from_mut(&mut expected).cast();
            (*frame).nargs = 1;
            (*frame).args.as_mut_ptr().write(pg_sys::NullableDatum { value: pg_sys::Datum::from(text), isnull: false });
            let function = self.function.fn_addr?;
            let row = pg_sys::submodules::ffi::pg_guard_ffi_boundary(|| under_one_guard::call(function, frame));
            if (*frame).isnull {
                return None;
            }
            let (mut value, mut null) = (pg_sys::Datum::null(), true);
            composite::deform(composite::header(row), self.descriptor, &mut value, &mut null);
            (!null).then_some(value)
        }
    }
}
