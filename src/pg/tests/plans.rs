//! The plan cache of a session.

use super::{Test, get, run, set_up};
use crate::limits;

pub(super) const TESTS: &[Test] = tests![
    more_shapes_than_plans_are_kept_get_their_answers,
    a_plan_that_is_evicted_while_it_runs_finishes,
    a_changed_table_is_planned_again,
    groups_go_by_all_that_an_embedded_relation_gives,
];

fn more_shapes_than_plans_are_kept_get_their_answers() {
    set_up();
    for shape in (0..limits::PLANS * 2 + 100).chain([0]) {
        let id = shape % 5 + 1;
        let expected = format!(r#"200 [{{"a{shape}": {id}}}]"#);
        assert_eq!(get(&format!("/items?select=a{shape}:id&id=eq.{id}")), expected);
    }
}

fn a_plan_that_is_evicted_while_it_runs_finishes() {
    set_up();
    run("create function api.churn(shapes int) returns setof api.items language plpgsql as $$
         begin
             for i in 1..shapes loop
                 return query select i.id, i.name from api.items i where i.id = shapes % 5 + 1;
                 perform restful.get('/items?select=b' || i || ':id&limit=1');
             end loop;
         end $$");
    let shapes = limits::PLANS + 50;
    for _ in 0..2 {
        // The running plan counts the rows that come while another one takes its place in the cache.
        let answer = get(&format!("/rpc/churn?shapes={shapes}&select=id,name&id=lt.10&limit={}", shapes - 1));
        let row = format!(r#"{{"id": {0}, "name": "item {0}"}}"#, shapes % 5 + 1);
        assert_eq!(answer, format!("200 [{}]", vec![row; shapes - 1].join(", ")));
    }
}

fn a_changed_table_is_planned_again() {
    set_up();
    assert_eq!(get("/items?id=eq.1"), r#"200 [{"id": 1, "name": "item 1"}]"#);
    run("alter table api.items add column more int default 7");
    assert_eq!(get("/items?id=eq.1"), r#"200 [{"id": 1, "more": 7, "name": "item 1"}]"#);
    run("drop table api.items");
    assert_eq!(get("/items?id=eq.1"), "404 PGRST205");
}

fn groups_go_by_all_that_an_embedded_relation_gives() {
    set_up();
    run("set local restful.aggregates_enabled = on;
         create table api.sales (id int primary key, item int references api.items, amount int);
         insert into api.sales values (1, 1, 10), (2, 1, 20), (3, 2, 5);
         grant select on api.sales to pgr_reader");
    let rows = |first: &str, second: &str| format!(r#"200 [{{"sum": 30, {first}}}, {{"sum": 5, {second}}}]"#);
    assert_eq!(
        get("/sales?select=item,...items(name,item_id:id),amount.sum()&order=item"),
        rows(r#""item": 1, "name": "item 1", "item_id": 1"#, r#""item": 2, "name": "item 2", "item_id": 2"#)
    );
    assert_eq!(
        get("/sales?select=amount.sum(),item,items(*)&order=item"),
        rows(
            r#""item": 1, "items": {"id": 1, "name": "item 1"}"#,
            r#""item": 2, "items": {"id": 2, "name": "item 2"}"#
        )
    );
    assert_eq!(
        get("/sales?select=...items(*),amount.sum()&id=lt.3"),
        r#"200 [{"id": 1, "sum": 30, "name": "item 1"}]"#
    );
}
