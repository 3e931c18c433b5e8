//! Arbitrary text in place of a name is refused or quoted: the statement is the same as for a harmless name.

use super::statements;
use crate::statement::Ident;

/// Names that would be more than a name if they were not quoted, or that name objects which are not exposed.
const PAYLOADS: &[&str] = &[
    "\"",
    "\"\"",
    "'",
    "\\",
    "\\\"",
    "\\'",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "$1",
    "$body$",
    "id;drop table books",
    "id\"; drop table books; --",
    "id' or '1'='1",
    "id/**/",
    "id--",
    "id\n",
    "id\0",
    "\0",
    "\\u0000",
    "U&\"\\0069d\"",
    "E'\\x69'",
    "(select 1)",
    "version()",
    "current_user",
    "ｉd",
    "іd",
    "id\u{200b}",
    "\u{202e}di",
    "\u{feff}id",
    "ID",
    "i",
    "ctid",
    "xmin",
    "tableoid",
    "?row",
    "r.c1",
    "pg_temp.books",
    "pg_catalog.pg_class",
    "lib.books",
    "restful.serve",
    "pg_sleep",
    "nextval",
    "regclass",
    "pg_catalog.regclass",
    "int4; drop",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ééééééééééééééééééééééééééééééééé",
];
/// A name that does not occur in the catalogue.
const HARMLESS: &str = "zzz";

/// Requests in which `@`, percent-encoded, stands for a name that must be known.
const NAMES: &[&str] = &[
    "GET /@",
    "GET /@/1",
    "GET /books?select=@",
    "GET /books?select=a:@",
    "GET /books?select=@::text",
    "GET /books?select=@.sum()",
    "GET /books?select=id.@()",
    "GET /books?select=id::@",
    "GET /books?select=id.sum()::@",
    "GET /books?select=@(id)",
    "GET /books?select=...@(id)",
    "GET /books?select=authors!@(id)",
    "GET /books?select=authors(@)",
    "GET /books?select=authors(id)&authors.@=eq.1",
    "GET /books?select=authors(id)&@.id=eq.1",
    "GET /books?select=authors(id)&authors.order=@",
    "GET /books?select=id,authors(id)&order=authors(@)",
    "GET /books?select=id,authors(id)&order=@(id)",
    "GET /books?select=id&order=@",
    "GET /books?select=id&order=id.@",
    "GET /books?@=eq.1",
    "GET /books?id=@.1",
    "GET /books?or=(@.eq.1,id.eq.1)",
    "GET /books?or=(id.@.1,id.eq.1)",
    "GET /authors?@->a=eq.1",
    "GET /authors?select=@->a",
    "GET /authors?select=facts->a::@",
    "POST /books?columns=@\n\n{\"id\": 1}",
    "POST /books?on_conflict=@\nprefer: resolution=merge-duplicates\n\n{\"id\": 1}",
    "POST /books?select=@\nprefer: return=representation\n\n{\"id\": 1}",
    "PATCH /books?@=eq.1\n\n{\"id\": 1}",
    "DELETE /books?@=eq.1",
    "GET /rpc/@",
    "POST /rpc/@\n\n{}",
    "GET /rpc/add?a=1&b=2&@=3",
    "GET /rpc/books_of?author=1&select=@",
];
/// Requests in which `@` stands for a name that the client invents, a JSON key, or a value.
const FREE: &[&str] = &[
    "GET /books?select=@:id",
    "GET /books?select=@:authors(id)",
    "GET /books?select=@:id.sum()",
    "GET /authors?select=facts->@",
    "GET /authors?select=facts->a->>@",
    "GET /authors?select=id&order=facts->@",
    "GET /authors?select=id&facts->@=eq.1",
    "GET /authors?select=id&name=eq.@",
    "GET /authors?select=id&name=in.(@)",
    "GET /authors?select=id&name=like.@",
    "GET /authors?select=id&bio=fts(@).x",
    "GET /authors?select=id&tags=cs.@",
    "GET /rpc/note?@",
    "GET /rpc/add?a=@&b=@",
];
/// Requests in which `@` stands for the key of a JSON object.
const KEYS: &[&str] = &[
    "POST /books\n\n{\"id\": 1, @: 1}",
    "PUT /books?id=eq.1\n\n{\"id\": 1, @: 1}",
    "PATCH /books?id=eq.1\n\n{@: 1}",
    "POST /rpc/add\n\n{\"a\": 1, \"b\": 2, @: 3}",
];
/// Requests in which `@` stands for the value of a header field.
const FIELDS: &[&str] = &["GET /books?select=id\naccept-profile: @", "POST /books\ncontent-profile: @\n\n{\"id\": 1}"];

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A name in double quotes, as the grammar of the query has them.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn sql(request: &str) -> Vec<String> {
    statements(request.as_bytes()).into_iter().map(|rendered| rendered.statement.sql).collect()
}

/// The text by itself, and in the quotes that make any text a name.
fn forms(payload: &str) -> [String; 2] {
    [payload.to_owned(), quoted(payload)]
}

/// A statement without the names that it gives to its columns, one of which may come from a JSON key.
fn without_names_given(sql: &str) -> String {
    let mut parts = sql.split(" AS \"");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.replace("\"\"", "__").find('"').unwrap();
        rest.push_str(" AS _");
        rest.push_str(&part[end + 1..]);
    }
    rest
}

#[test]
fn unknown_names_are_refused_wherever_they_stand() {
    let mut accepted = Vec::new();
    for payload in PAYLOADS {
        for name in NAMES {
            accepted.extend(forms(payload).iter().map(|form| name.replace('@', &percent(form))));
        }
        let text = serde_json::to_string(payload).unwrap();
        // The body reader refuses NUL before it becomes a name.
        if !payload.contains('\0') {
            accepted.extend(KEYS.iter().map(|key| key.replace('@', &text)));
        }
        accepted.extend(FIELDS.iter().map(|field| field.replace('@', payload)));
    }
    accepted.retain(|request| !sql(request).is_empty());
    assert!(accepted.is_empty(), "{accepted:#?}");
}

#[test]
fn names_and_values_of_the_client_change_nothing_else() {
    let mut read = 0;
    for payload in PAYLOADS {
        for request in FREE {
            for (form, harmless) in forms(payload).iter().zip(forms(HARMLESS)) {
                let hostile = sql(&request.replace('@', &percent(form)));
                if hostile.is_empty() {
                    continue;
                }
                read += 1;
                let harmless = sql(&request.replace('@', &percent(&harmless)));
                let [payload, name] = [payload, HARMLESS].map(|name| Ident(name).to_string());
                let renamed: Vec<_> =
                    hostile.iter().map(|sql| without_names_given(&sql.replace(&payload, &name))).collect();
                let harmless: Vec<_> = harmless.iter().map(|sql| without_names_given(sql)).collect();
                assert_eq!(renamed, harmless, "{request} with {form}");
            }
        }
    }
    assert!(read > 500, "{read} were read");
}

#[test]
fn each_request_is_a_whole_one_with_a_known_name() {
    const KNOWN: &[&str] =
        &["id", "books", "authors", "text", "sum", "asc", "eq", "books_author", "facts", "newest_book"];
    let is_whole = |request: &&&str| KNOWN.iter().any(|name| !sql(&request.replace('@', name)).is_empty());
    // An item's key is resolved later; `add` takes no other argument.
    let exempt = ["GET /@/1", "GET /rpc/add?a=1&b=2&@=3"];
    let broken: Vec<_> = NAMES.iter().filter(|r| !exempt.contains(r) && !is_whole(r)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}
