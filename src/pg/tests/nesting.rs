//! Requests within requests and within subtransactions.

use super::{Test, get, run, set_up, text};

pub(super) const TESTS: &[Test] = tests![
    requests_of_one_shape_nest,
    a_failed_inner_request_leaves_the_outer_one_working,
    a_savepoint_takes_back_the_requests_after_it,
];

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
