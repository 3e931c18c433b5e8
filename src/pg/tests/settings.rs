//! Settings as they are read.

use super::{Test, get, run, set_up, text};

pub(super) const TESTS: &[Test] =
    tests![schemas_are_names_as_sql_writes_them, a_changed_setting_counts_from_the_next_request_on,];

fn status(profile: &str) -> String {
    text(&format!("select status::text from restful.get('/t', jsonb_build_object('accept-profile', '{profile}'))"))
}

fn schemas_are_names_as_sql_writes_them() {
    set_up();
    run(r#"create schema "Odd ""One, Two";
           create table "Odd ""One, Two".t (id int);
           create table api.t (id int);
           grant usage on schema "Odd ""One, Two" to pgr_reader;
           grant select on "Odd ""One, Two".t, api.t to pgr_reader"#);
    run(r#"set local restful.schemas = ' "Odd ""One, Two" ,API, pg_catalog,, restful'"#);
    for (profile, expected) in [
        (r#"Odd "One, Two"#, "200"),
        ("api", "200"),
        ("API", "406"),
        ("One", "406"),
        ("pg_catalog", "406"),
        ("restful", "406"),
        ("", "406"),
    ] {
        assert_eq!(status(profile), expected, "{profile}");
    }
    // The first one is the default.
    assert_eq!(get("/t"), "200 []");
    assert_eq!(get("/items"), "404 PGRST205");
}

fn a_changed_setting_counts_from_the_next_request_on() {
    set_up();
    assert_eq!(get("/items?select=id&order=id&limit=3"), r#"200 [{"id": 1}, {"id": 2}, {"id": 3}]"#);
    run("set local restful.max_rows = 2");
    assert_eq!(get("/items?select=id&order=id&limit=3"), r#"200 [{"id": 1}, {"id": 2}]"#);
    run("set local restful.schemas = 'public'");
    assert_eq!(get("/items"), "404 PGRST205");
}
