-- A view has the foreign keys whose columns it shows, under any names, of tables in any schema.
\pset tuples_only on
\pset format unaligned
create schema archive;
create table archive.papers (id int primary key, title text, author int references library.authors, revises int references archive.papers);
create table archive.cites (paper int references archive.papers, book int references library.books, primary key (paper, book));
create table archive.readings (room text, number int, paper int references archive.papers, foreign key (room, number) references library.shelves);
insert into archive.papers values (1, 'On Solaris', 4, null), (2, 'On Solaris, again', 4, 1), (3, 'A lost one', 2, null);
insert into archive.cites values (1, 3), (2, 3), (2, 4);
insert into archive.readings values ('A', 1, 1), ('B', 1, 2);
-- renamed columns, some columns, a join; a view of a view
create view library.papers as select title, id as paper, author as writer, revises as former from archive.papers where id < 3;
create view library.writings as select paper as "no", writer as "by whom?" from library.papers;
create view library.writers as select id as writer, name from library.authors;
create view library.cites as select paper, book as work from archive.cites;
create view library.readings as select r.room as place, r.number as n, p.title, p.id as paper
    from archive.readings r join archive.papers p on p.id = r.paper;
create materialized view library.old_books as select id, title, author from library.books where year < 1900;
create view library.pairs as select author as one, translator as other from library.books;
-- columns that are expressions have no key
create view library.sums as select author + 0 as author, count(*) from library.books group by 1;
create view library.united as select id, author from library.books union select id, author from archive.papers;
-- partitions
create table library.visits (id int, day date, author int references library.authors, primary key (id, day)) partition by range (day);
create table library.visits_2020 partition of library.visits for values from ('2020-01-01') to ('2021-01-01');
create table library.notes (id int primary key, visit int, day date, foreign key (visit, day) references library.visits);
insert into library.visits values (1, '2020-02-02', 1);
insert into library.notes values (1, 1, '2020-02-02');
create view library.visitors as select id as visit, day, author as visitor from library.visits;
grant select on all tables in schema library to librarian, public;
revoke select on library.loans from public;
grant update on library.pairs to librarian;
grant insert on library.papers to librarian;
\c - librarian
-- a view, and tables at both ends of its keys
select show(restful.serve('GET', '/papers?select=title,authors(name)&order=paper'));
select show(restful.serve('GET', '/papers?select=title,writer(name)&paper=eq.1'));
select show(restful.serve('GET', '/authors?select=name,papers(title)&id=in.(2,4)&order=id'));
select show(restful.serve('GET', '/authors?select=name,papers!writer(title)&papers.title=like.*again&id=eq.4'));
select show(restful.serve('GET', '/authors?select=name,papers!inner(paper)&order=id'));
select show(restful.serve('GET', '/papers?select=title,...authors(by:name)&order=title.desc'));
-- two views
select show(restful.serve('GET', '/writings?select=*,writers(name)'));
select show(restful.serve('GET', '/writers?select=name,writings(no)&writer=eq.4'));
-- a relationship to itself
select show(restful.serve('GET', '/papers?select=paper,former(title),papers(title)&order=paper'));
-- through a view in between
select show(restful.serve('GET', '/papers?select=paper,books(title)&order=paper&books.order=id'));
select show(restful.serve('GET', '/books?select=title,papers(paper),w:writings!cites(no)&id=eq.3'));
-- a key of several columns, in a join
select show(restful.serve('GET', '/readings?select=title,shelves(capacity),papers(paper)&order=n'));
select show(restful.serve('GET', '/shelves?select=room,number,readings(title)&order=room,number'));
-- materialized
select show(restful.serve('GET', '/old_books?select=title,authors(name)&id=eq.1'));
select show(restful.serve('GET', '/authors?select=old_books(title)&id=eq.1'));
-- the same key twice
select show(restful.serve('GET', '/pairs?select=one,authors(name)'));
select show(restful.serve('GET', '/pairs?select=authors!other(name)&other=not.is.null'));
-- no key
select show(restful.serve('GET', '/sums?select=authors(name)'));
select show(restful.serve('GET', '/united?select=authors(name)'));
-- partitions
select show(restful.serve('GET', '/visits?select=id,authors(name),notes(id)'));
select show(restful.serve('GET', '/visitors?select=visit,authors(name),notes(id)'));
select show(restful.serve('GET', '/notes?select=visits(id),visitors(visit)'));
select show(restful.serve('GET', '/visits_2020?select=id,authors(name)'));
-- in writes
select show(restful.serve('PATCH', '/pairs?one=eq.3&select=one,authors!one(name)', '{"prefer": "return=representation"}', '{"other": 1}'));
select show(restful.serve('POST', '/papers?select=title,authors(name)', '{"prefer": "return=representation"}', '{"paper": 9, "title": "New", "writer": 1}'));
-- the schema of the tables is not exposed
select show(restful.serve('GET', '/cites?select=paper(id)'));
select show(restful.serve('GET', '/cites?select=papers(paper),books(id)&order=paper,work'));
-- a role that may not read a view cannot embed it
select as_superuser('revoke select on library.writings from public, librarian');
select show(restful.serve('GET', '/writers?select=name,writings(no)&writer=eq.4'));
select show(restful.serve('GET', '/writers?select=name&writer=eq.4'));
