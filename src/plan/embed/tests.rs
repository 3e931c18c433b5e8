use super::*;
use crate::plan::fixture::*;
use crate::plan::{OrderBy, Ordering};
use serde_json::json;

/// The join of the only embedded relation: `to-many` or `to-one`, and the pairs of equal columns.
#[track_caller]
fn join(target: &str) -> String {
    let select = read(target).unwrap();
    let [e] = select.embeds.as_slice() else { panic!("{} embeds", select.embeds.len()) };
    let on: Vec<String> =
        e.on.iter().map(|(a, b)| format!("{}.{} = {}.{}", a.alias, a.column, b.alias, b.column)).collect();
    let Source::Relation(name) = &e.select.source else { panic!("no relation") };
    let between = e.junction.as_ref().map_or(String::new(), |(table, _)| format!(" through {}", table.name));
    format!("to-{} {}{between}: {}", if e.to_many { "many" } else { "one" }, name.name, on.join(", "))
}

#[test]
fn each_kind_of_relationship_is_followed() {
    for (target, expected) in [
        ("books?select=authors(*)", "to-one authors: t1.id = t0.author_id"),
        ("authors?select=books(*)", "to-many books: t1.author_id = t0.id"),
        ("books?select=covers(*)", "to-one covers: t1.book_id = t0.id"),
        ("covers?select=books(*)", "to-one books: t1.id = t0.book_id"),
        ("books?select=topics(*)", "to-many topics through books_topics: j3.topic_id = t1.id, j3.book_id = t0.id"),
        ("loans?select=editions(*)", "to-one editions: t1.book_id = t0.book, t1.number = t0.edition"),
        ("editions?select=loans(*)", "to-many loans: t1.book = t0.book_id, t1.edition = t0.number"),
    ] {
        assert_eq!(join(target), expected, "{target}");
    }
}

#[test]
fn rows_are_fetched_together_or_for_each_row_where_nothing_depends_on_a_join() {
    use Fetch::{ForEach, Joined, Together};
    let fetches = |target: &str, is_small_page: bool| -> Vec<Fetch> {
        read_fetched(target, is_small_page).unwrap().embeds.iter().map(|e| e.fetch).collect()
    };
    for (target, on_any_page, on_a_small_page) in [
        ("authors?select=name,books(id)", Together, Together),
        ("authors?books.price=gt.3&select=*,books(*)&order=id", Together, Together),
        ("books?select=id,authors(name)", Joined, ForEach),
        ("books?select=id,covers(*)", Joined, ForEach),
        // One parent, by its key.
        ("authors?id=eq.1&select=name,books(id)", Joined, Joined),
        ("authors?id=in.(1,2)&select=name,books(id)", Together, Together),
        ("authors?id=not.eq.1&select=name,books(id)", Together, Together),
        ("books?id=eq.1&select=id,authors(name)", ForEach, ForEach),
        // A page or an order of each parent's rows.
        ("authors?select=name,books(id)&books.limit=3", Joined, Joined),
        ("authors?select=name,books(id)&books.order=id", Joined, Joined),
        // Rows that choose, order or widen their parents, and aggregates.
        ("authors?select=name,books!inner(id)", Joined, Joined),
        ("authors?select=name,books(id)&books=not.is.null", Joined, Joined),
        ("authors?select=name,...books(id)", Joined, Joined),
        ("books?select=id,authors(name)&order=authors(name)", Joined, Joined),
        ("books?select=id,authors(name)&or=(authors.is.null,id.eq.3)", Joined, Joined),
        // A function that may return several rows although it is declared with ROWS 1.
        ("books?select=id,authors(name,first_book(id))", Joined, Joined),
        // Several columns, a junction, and a view, in which keys may repeat.
        ("editions?select=loans(id)", Joined, Joined),
        ("books?select=topics(*)", Joined, Joined),
        ("books?select=writer_list(*)", Joined, Joined),
    ] {
        assert_eq!(fetches(target, false), [on_any_page], "{target}");
        assert_eq!(fetches(target, true), [on_a_small_page], "{target} on a small page");
    }
}

#[test]
fn a_relationship_is_named_by_constraint_column_or_junction() {
    let writer = "to-one people: t1.id = t0.written_by";
    for by in ["people!reviews_writer", "people!written_by", "reviews_writer", "written_by"] {
        assert_eq!(join(&format!("reviews?select=w:{by}(*)")), writer, "{by}");
    }
    for by in ["reviews!reviews_editor", "reviews!edited_by"] {
        assert_eq!(join(&format!("people?select={by}(*)")), "to-many reviews: t1.edited_by = t0.id", "{by}");
    }
    assert_eq!(
        join("books?select=subjects!reading_lists(*)"),
        "to-many subjects through reading_lists: j3.subject_id = t1.id, j3.book_id = t0.id"
    );
}

#[test]
fn a_table_that_refers_to_itself_is_many_by_its_name_and_one_by_its_column() {
    let (children, parent) = ("to-many subjects: t1.parent_id = t0.id", "to-one subjects: t1.id = t0.parent_id");
    assert_eq!(join("subjects?select=subjects(*)"), children);
    assert_eq!(join("subjects?select=subjects!parent_id(*)"), children);
    assert_eq!(join("subjects?select=subjects!subjects_parent(*)"), children);
    assert_eq!(join("subjects?select=parent_id(*)"), parent);
    assert_eq!(join("subjects?select=parent:subjects_parent(*)"), parent);
}

#[test]
fn hints_that_are_told_mean_one_relationship_each() {
    let told = |target: &str| -> Vec<String> {
        let e = read(target).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST201", 300), "{target}");
        let hint = e.hint.clone().unwrap();
        let (_, list) = hint.as_str().unwrap().split_once("one of the following: ").unwrap();
        let (list, _) = list.split_once(". Find").unwrap();
        assert_eq!(list.split(", ").count(), e.details.clone().unwrap().as_array().unwrap().len(), "{target}");
        list.split(", ").map(|hint| hint.trim_matches('\'').to_owned()).collect()
    };
    for (target, expected) in [
        ("reviews?select=people(*)", vec!["people!reviews_editor", "people!reviews_writer"]),
        ("books?select=subjects(*)", vec!["subjects!books_subjects"]),
        // a view of a table that refers to itself: both directions use the same key
        ("subject_list?select=subjects(*)", vec!["subjects!subject", "subjects!above"]),
        ("pair_list?select=authors(*)", vec!["authors!first", "authors!second"]),
        ("people?select=friends:people!friendships(*)", vec!["people!friendships_other", "people!friendships_one"]),
    ] {
        let hints = told(target);
        assert!(expected.iter().all(|e| hints.contains(&(*e).to_owned())), "{target}: {hints:?}");
        let (origin, _) = target.split_once('?').unwrap();
        let joins: Vec<String> = hints.iter().map(|hint| join(&format!("{origin}?select=a:{hint}(*)"))).collect();
        for (i, one) in joins.iter().enumerate() {
            assert!(!joins[..i].contains(one), "{target}: {one}");
        }
    }
    // several hints must all fit, and one of its columns is enough to name a key of several
    assert_eq!(
        join("people?select=people!friendships!friendships_one(*)"),
        join("people?select=people!friendships_one(*)")
    );
    assert_eq!(refusal(read("reviews?select=people!reviews_writer!edited_by(*)")).0, "PGRST200");
    assert_eq!(join("loans?select=editions!edition(*)"), join("loans?select=editions(*)"));
}

#[test]
fn of_several_relationships_the_details_tell_how_to_name_one() {
    let e = read("reviews?select=people(*)").unwrap_err();
    assert_eq!((e.code.as_str(), e.status), ("PGRST201", 300));
    assert_eq!(
        e.details.clone().unwrap(),
        json!([
            {
                "cardinality": "many-to-one",
                "embedding": "reviews with people",
                "relationship": "reviews_editor using reviews(edited_by) and people(id)",
            },
            {
                "cardinality": "many-to-one",
                "embedding": "reviews with people",
                "relationship": "reviews_writer using reviews(written_by) and people(id)",
            },
        ])
    );
    let hint = e.hint.clone().unwrap().to_string();
    assert!(hint.contains("'people!reviews_editor', 'people!reviews_writer'"), "{hint}");

    let e = read("books?select=subjects(*)").unwrap_err();
    assert_eq!(e.status, 300);
    let first = &e.details.clone().unwrap()[0];
    assert_eq!(first["cardinality"], "many-to-many");
    assert_eq!(
        first["relationship"],
        "books_subjects using books_subjects_book(book_id) and books_subjects_subject(subject_id)"
    );
}

#[test]
fn views_have_the_keys_of_the_columns_they_show() {
    for (target, expected) in [
        ("book_list?select=authors(*)", "to-one authors: t1.id = t0.writer"),
        ("book_list?select=writer(*)", "to-one authors: t1.id = t0.writer"),
        ("book_list?select=books_author(*)", "to-one authors: t1.id = t0.writer"),
        ("authors?select=book_list(*)", "to-many book_list: t1.writer = t0.id"),
        ("authors?select=book_list!books_author(*)", "to-many book_list: t1.writer = t0.id"),
        ("authors?select=book_list!writer(*)", "to-many book_list: t1.writer = t0.id"),
        ("book_list?select=writer_list(*)", "to-one writer_list: t1.writer = t0.writer"),
        ("writer_list?select=book_list(*)", "to-many book_list: t1.writer = t0.writer"),
        // the key's name finds the table
        ("writer_list?select=books_author(*)", "to-many books: t1.author_id = t0.writer"),
        ("subject_list?select=subject_list(*)", "to-many subject_list: t1.above = t0.subject"),
        ("subject_list?select=above(*)", "to-one subject_list: t1.subject = t0.above"),
        ("subject_list?select=subjects!above(*)", "to-one subjects: t1.id = t0.above"),
        ("loan_list?select=editions(*)", "to-one editions: t1.book_id = t0.b, t1.number = t0.e"),
        // the table is in another schema
        ("scan_list?select=books(*)", "to-one books: t1.id = t0.book"),
    ] {
        assert_eq!(join(target), expected, "{target}");
    }
    // if the view lacks a column of the key, there is no relationship
    assert_eq!(refusal(read("half_loan_list?select=editions(*)")).0, "PGRST200");
}

#[test]
fn a_view_connects_the_two_that_its_key_refers_to() {
    let through = "through awards: j3.prize = t1.id, j3.book = t0.";
    assert_eq!(join("books?select=prizes(*)"), format!("to-many prizes {through}id"));
    assert_eq!(join("books?select=prizes!awards(*)"), format!("to-many prizes {through}id"));
    assert_eq!(join("book_list?select=prizes(*)"), format!("to-many prizes {through}book"));
}

#[test]
fn of_several_relationships_those_that_the_role_may_not_read_are_not_named() {
    let e = read("books?select=subjects(*)").unwrap_err();
    assert_eq!((e.code.as_str(), e.status), ("PGRST201", 300));
    let (details, hint) = (e.details.clone().unwrap().to_string(), e.hint.clone().unwrap().to_string());
    assert!(details.contains("books_subjects") && hint.contains("books_subjects"), "{details} {hint}");
    assert!(!details.contains(UNREADABLE) && !hint.contains(UNREADABLE), "{details} {hint}");
}

#[test]
fn a_view_that_shows_a_key_twice_is_ambiguous() {
    let e = read("pair_list?select=authors(*)").unwrap_err();
    assert_eq!((e.code.as_str(), e.status), ("PGRST201", 300));
    let details = e.details.clone().unwrap();
    let told: Vec<&str> = details.as_array().unwrap().iter().map(|d| d["relationship"].as_str().unwrap()).collect();
    assert_eq!(
        told,
        ["books_author using pair_list(first) and authors(id)", "books_author using pair_list(second) and authors(id)"]
    );
    assert_eq!(join("pair_list?select=authors!second(*)"), "to-one authors: t1.id = t0.second");
}

#[test]
fn a_function_of_the_row_is_a_relationship() {
    let computed = |target: &str| {
        let select = read(target).unwrap();
        let e = &select.embeds[0];
        let Source::Computed { function, row: Row::Of(alias), relation, .. } = &e.select.source else {
            panic!("{:?}", e.select.source)
        };
        format!("{} {}({alias}) {}", e.to_many, function.name, relation.name)
    };
    assert_eq!(computed("books?select=similar(title)"), "true similar(t0) books");
    assert_eq!(computed("books?select=s:similar!inner(title)"), "true similar(t0) books");
    // a function takes precedence over keys
    assert_eq!(computed("books?select=editions(year)"), "false editions(t0) editions");
    // it applies to the row, wherever the row comes from
    assert_eq!(read("authors?select=books(similar(id))").unwrap().embeds[0].select.embeds.len(), 1);
    assert_eq!(refusal(read("authors?select=similar(id)")).0, "PGRST200");
    assert!(read("books?select=...similar(id)").unwrap().embeds[0].spread.is_some());
    // a scalar is not a relation
    assert_eq!(refusal(read("books?select=label(id)")).0, "PGRST200");
}

#[test]
fn nothing_outside_the_schema_is_embedded() {
    let e = read("books?select=scans(*)").unwrap_err();
    assert_eq!((e.code.as_str(), e.status), ("PGRST200", 400));
    assert_eq!(
        e.details.clone().unwrap(),
        "Searched for a foreign key relationship between 'books' and 'scans' in the schema 'lib', but no matches were found."
    );
    assert_eq!(refusal(read("books?select=scans_book(*)")).0, "PGRST200");
}

#[test]
fn a_list_of_values_is_no_group() {
    for target in ["authors?select=...books(price.sum())", "authors?select=...books(...publishers(id.count()))"] {
        let e = read_with(target, &AGGREGATES).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST127", 400), "{target}");
        assert_eq!(
            e.details.clone().unwrap(),
            "Aggregates are not implemented for one-to-many or many-to-many spreads."
        );
    }
}

#[test]
fn a_spread_adds_the_columns_of_all_that_is_spread_in_it() {
    let spread = |target: &str| {
        let columns = read_with(target, &AGGREGATES).unwrap().embeds.swap_remove(0).spread.unwrap();
        let shown = columns.into_iter().map(|c| match (c.aggregate, c.is_json) {
            (Some((aggregate, _)), _) => format!("{aggregate:?} {}", c.name),
            (None, true) => format!("json {}", c.name),
            (None, false) => c.name,
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    for (target, expected) in [
        ("books?select=...authors(*)", "id, name, facts, tags, bio"),
        ("books?select=...authors(a:name,n:id.max())", "a, Max n"),
        ("books?select=...authors()", ""),
        ("authors?select=...books(title,covers(*),...publishers(p:name))", "title, json covers, p"),
        ("covers?select=...books(id,...authors(count(),...books(ids:id)))", "id, Count count, json ids"),
    ] {
        assert_eq!(spread(target), expected, "{target}");
    }
}

#[test]
fn rows_are_ordered_by_what_a_spread_hands_out() {
    let order = |target: &str| match read_with(target, &AGGREGATES).unwrap().order.as_slice() {
        [Ordering { by: OrderBy::Spread { column, .. }, .. }] => Some(*column),
        [Ordering { by: OrderBy::Embedded { .. }, .. }] => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(order("books?select=...authors(id,by:name)&order=authors(by)"), Some(1));
    assert_eq!(order("books?select=...authors(id,by:name)&order=authors(name)"), Some(1));
    assert_eq!(order("books?select=...authors(n:id.max())&order=authors(n)"), Some(0));
    // a column that it does not output is taken from its row
    assert_eq!(order("books?select=...authors(id)&order=authors(name)"), None);
    assert_eq!(order("books?select=...authors(name,n:id.max())&order=authors(id)"), None);
    assert_eq!(refusal(read("authors?select=...books(title)&order=books(title)")).0, "PGRST118");
}

#[test]
fn a_partition_is_none_of_the_relations() {
    assert_eq!(refusal(read("old_books")), ("PGRST205".to_owned(), 404));
    for target in ["authors?select=old_books(*)", "authors?select=old_books_author(*)"] {
        assert_eq!(refusal(read(target)), ("PGRST200".to_owned(), 400), "{target}");
    }
}

#[test]
fn an_unknown_relationship_is_told_before_an_unknown_column() {
    assert_eq!(refusal(read("books?select=nothing,people(*)")).0, "PGRST200");
    assert_eq!(refusal(read("books?select=nothing,authors(people(*))&nothing=eq.1")).0, "PGRST200");
    assert_eq!(refusal(read("books?select=nothing,authors(*)")).0, "42703");
}

#[test]
fn what_is_not_related_is_refused() {
    for target in ["books?select=people(*)", "books?select=nothing(*)", "books?select=authors!books_publisher(*)"] {
        assert_eq!(refusal(read(target)), ("PGRST200".to_owned(), 400), "{target}");
    }
}
