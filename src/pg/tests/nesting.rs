//! Requests within requests and within subtransactions.

use super::{Test, get, run, set_up, text};
use crate::auth::{Identity, Principal};
use crate::error::Result;
use crate::http::{Headers, Request};
use crate::pg::execution::Memory;
use crate::pg::frame::{self, Context, Finished};
use crate::pg::guc;
use crate::pg::handle::answer_as;
use crate::route::{Route, route};
use pgrx::pg_sys;

pub(super) const TESTS: &[Test] = tests![
    requests_of_one_shape_nest,
    a_failed_inner_request_leaves_the_outer_one_working,
    a_savepoint_takes_back_the_requests_after_it,
    requests_of_one_principal_are_answered_within_one_frame,
];

/// The answers to requests for one principal, within a frame that commits: status and rows.
fn answers(principal: &Principal, requests: &[(&str, &str, Option<&[u8]>)]) -> Vec<(u16, String)> {
    let headers: Headers = [("content-type", "application/json")].into_iter().collect();
    let outer = Request::parse("POST", "/", &headers, None).unwrap();
    let context = Context { request: &outer, principal, schema: "api" };
    let inner = Principal { switch_to: None, ..principal.clone() };
    // A new snapshot, so that requests see what the test has set up, as the statement of a request always does.
    // SAFETY: popped below.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
    }
    let answered = frame::enter(&context, |frame| {
        frame.take_role();
        let answers = requests.iter().map(|(method, target, body)| {
            let request = Request::parse(method, target, &headers, *body)?;
            let Route::Action(action) = route(&request, &guc::surface())? else { panic!("{target} is an endpoint") };
            // SAFETY: the context lives as long as the test.
            let memory = Memory { rows: unsafe { pg_sys::CurrentMemoryContext }, body: None };
            Ok(match answer_as(&request, action, &inner, memory) {
                Ok(answer) => {
                    let rows = answer.rows.map(|rows| String::from_utf8_lossy(rows.payload()).into_owned());
                    (answer.response.status, rows.unwrap_or_default())
                }
                Err(error) => (error.status, error.code.clone()),
            })
        });
        Ok(Finished { value: answers.collect::<Result<Vec<_>>>()?, commit: true })
    });
    // SAFETY: the one that was pushed above.
    unsafe { pg_sys::PopActiveSnapshot() };
    answered.unwrap()
}

fn requests_of_one_principal_are_answered_within_one_frame() {
    set_up();
    let principal =
        Principal { identity: Identity::Anonymous, switch_to: Some("pgr_reader".into()), is_authenticated: false };
    let answered = answers(
        &principal,
        &[
            ("POST", "/items", Some(br#"{"id":10}"#)),
            ("POST", "/items", Some(br#"{"id":10}"#)),
            ("DELETE", "/items?id=eq.1", None),
            ("GET", "/items?id=in.(1,10)&select=id", None),
        ],
    );
    let statuses: Vec<u16> = answered.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [201, 409, 401, 200], "{answered:?}");
    assert_eq!(answered[3].1, r#"[{"id":1},{"id":10}]"#);
    assert_eq!(text("select (current_user = session_user)::text"), "true");
    assert_eq!(text("select count(*)::text from api.items where id = 10"), "1");
}

fn requests_of_one_shape_nest() {
    set_up();
    run("create function api.deep(n int) returns jsonb language plpgsql as $$
         begin
             if n = 0 then return to_jsonb(current_user::text); end if;
             return jsonb_build_object(n, (restful.get('/rpc/deep?n=' || n - 1)).body);
         end $$");
    for _ in 0..2 {
        assert_eq!(get("/rpc/deep?n=5"), r#"200 {"5": {"4": {"3": {"2": {"1": "pgr_reader"}}}}}"#);
    }
    assert_eq!(text("select (current_user = session_user)::text"), "true");
}

fn a_failed_inner_request_leaves_the_outer_one_working() {
    set_up();
    run("create function api.fails() returns void language plpgsql as $$
         begin
             insert into api.items values (100, 'gone');
             raise exception 'no' using errcode = 'PT418';
         end $$;
         create function api.survives() returns jsonb language plpgsql as $$
         declare statuses int[];
         begin
             statuses := array[
                 (restful.post('/items', '{\"id\": 10}')).status,
                 (restful.post('/rpc/fails')).status,
                 (restful.post('/items', '{\"id\": 10}')).status,
                 (restful.get('/nothing')).status,
                 (restful.get('/items?nothing=eq.1')).status,
                 (restful.get('/items?id=eq.x')).status,
                 (restful.get('/items?id=eq.10')).status];
             return to_jsonb(statuses) || to_jsonb(current_user::text);
         end $$");
    let statuses = "select concat_ws(' ', status, body) from restful.post('/rpc/survives')";
    assert_eq!(text(statuses), r#"200 [201, 418, 409, 404, 400, 400, 200, "pgr_reader"]"#);
    assert_eq!(get("/items?id=gte.10&select=id"), r#"200 [{"id": 10}]"#);
}

fn a_savepoint_takes_back_the_requests_after_it() {
    set_up();
    run("do $$
         begin
             perform restful.post('/items', '{\"id\": 10}');
             begin
                 perform restful.post('/items', '{\"id\": 11}');
                 begin
                     perform restful.post('/items', '{\"id\": 12}');
                     raise exception 'inner';
                 exception when others then
                     perform restful.post('/items', '{\"id\": 13}');
                 end;
                 raise exception 'outer';
             exception when others then
                 perform restful.post('/items', '{\"id\": 14}');
             end;
         end $$");
    assert_eq!(get("/items?id=gte.10&select=id&order=id"), r#"200 [{"id": 10}, {"id": 14}]"#);
    assert_eq!(text("select (current_user = session_user)::text"), "true");
}
