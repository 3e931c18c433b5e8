// postgrest-js against a gateway: node checks.mjs URL. One line of JSON per check: its name, and why it failed or null.
// What the client is told is compared with what psql says, whose PG* are in the environment.
import { deepStrictEqual as same, ok } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { PostgrestClient } from '@supabase/postgrest-js'

const db = new PostgrestClient(process.argv[2])
const psql = text => execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', text], { encoding: 'utf8' }).trim()
const rows = query => JSON.parse(psql(`select coalesce(json_agg(q), '[]') from (${query}) q`))

/** The data of an answer that has to be a success. */
const data = async request => {
    const answer = await request
    same(answer.error, null)
    return answer.data
}
/** The client sees what the database holds. */
const reads = async (request, query) => {
    const expected = rows(query)
    ok(expected.length > 0, 'the query finds nothing')
    same(await data(request), expected)
}
/** The ids that a filter leaves. */
const finds = async (filter, condition) =>
    reads(filter(db.from('books').select('id')).order('id'), `select id from library.books where ${condition} order by id`)
const refused = async (request, status, code, message) => {
    const { data, error, status: given } = await request
    same([given, error?.code, data], [status, code, null])
    ok(message.test(error.message), error.message)
    return error
}
/** Subjects from 100 on are those of the checks that write. */
const subjects = () => rows('select * from library.subjects where id >= 100 order by id')
const withSubjects = text => psql(`delete from library.subjects where id >= 100; insert into library.subjects values ${text}`)
const two = "(100, 'A'), (101, 'B')"

const checks = {
    async 'select: all columns'() {
        await reads(db.from('books').select().order('id'), 'select * from library.books order by id')
    },
    async 'select: aliases, casts, JSON paths'() {
        await reads(db.from('authors').select('id, label:name, born::text, contact->>web, first:contact->phones->0').order('id'),
            "select id, name as label, born::text, contact->>'web' as web, contact->'phones'->0 as first from library.authors order by id")
    },
    async 'select: stripped nulls'() {
        const [row] = await data(db.from('authors').select().eq('id', 4).stripNulls())
        same(row, { id: 4, name: 'Michael Kandel', born: 1941 })
        same(await data(db.from('authors').select().eq('id', 4).stripNulls().single()), row)
    },
    async 'eq, neq, gt, gte, lt, lte, match'() {
        await finds(q => q.eq('title', 'Pinball, 1973'), 'id = 6')
        await finds(q => q.neq('title', 'Emma'), "title <> 'Emma'")
        await finds(q => q.gt('year', 1961), 'year > 1961')
        await finds(q => q.gte('year', 1961), 'year >= 1961')
        await finds(q => q.lt('price', 8.5), 'price < 8.5')
        await finds(q => q.lte('price', 8.5), 'price <= 8.5')
        await finds(q => q.match({ author: 1, year: 1815 }), 'author = 1 and year = 1815')
        await finds(q => q.eq('author', 2).gt('year', 1961), 'author = 2 and year > 1961')
    },
    async 'like, ilike, of any and all, regular expressions'() {
        await finds(q => q.like('title', '%a%'), "title like '%a%'")
        await finds(q => q.ilike('title', '%S%'), "title ilike '%S%'")
        await finds(q => q.likeAnyOf('title', ['E%', 'S%']), "title like 'E%' or title like 'S%'")
        await finds(q => q.likeAllOf('title', ['%e%', '%r%']), "title like '%e%' and title like '%r%'")
        await finds(q => q.ilikeAnyOf('title', ['e%', '%SOL%']), "title ilike 'e%' or title ilike '%sol%'")
        await finds(q => q.ilikeAllOf('title', ['%E%', '%R%']), "title ilike '%E%' and title ilike '%R%'")
        await finds(q => q.regexMatch('title', '^(The|Hear) '), "title ~ '^(The|Hear) '")
        await finds(q => q.regexIMatch('title', '^the'), "title ~* '^the'")
    },
    async 'is, isDistinct, in, notIn'() {
        await finds(q => q.is('price', null), 'price is null')
        await finds(q => q.is('in_print', true), 'in_print is true')
        await finds(q => q.is('in_print', false), 'in_print is false')
        await finds(q => q.isDistinct('translator', 4), 'translator is distinct from 4')
        await finds(q => q.in('id', [1, 3, 99]), 'id in (1, 3)')
        await finds(q => q.in('title', ['Pinball, 1973', 'Emma', 'x)']), 'id in (1, 6)')
        await finds(q => q.notIn('id', [1, 2]), 'id not in (1, 2)')
    },
    async 'contains, containedBy, overlaps'() {
        await finds(q => q.contains('tags', ['novel', 'space']), "tags @> '{novel,space}'")
        await finds(q => q.containedBy('tags', ['novel', 'love']), "tags <@ '{novel,love}'")
        await finds(q => q.overlaps('tags', ['love', 'robots']), "tags && '{love,robots}'")
        await finds(q => q.contains('lent', '[2024-03-02,2024-03-03)'), "lent @> '[2024-03-02,2024-03-03)'")
        await finds(q => q.overlaps('lent', '[2024-01-05,2024-03-02)'), "lent && '[2024-01-05,2024-03-02)'")
        await reads(db.from('authors').select('id').contains('contact', { fax: { no: 12 } }), 'select 2 as id')
        await reads(db.from('authors').select('id').containedBy('contact', { fax: { no: 9 }, web: 'murakami.jp', x: 1 }), 'select 3 as id')
    },
    async 'ranges'() {
        const march = '[2024-03-01,2024-03-11)'
        await finds(q => q.rangeGt('lent', march), `lent >> '${march}'`)
        await finds(q => q.rangeGte('lent', march), `lent &> '${march}'`)
        await finds(q => q.rangeLt('lent', march), `lent << '${march}'`)
        await finds(q => q.rangeLte('lent', march), `lent &< '${march}'`)
        await finds(q => q.rangeAdjacent('lent', '[2024-03-11,2024-04-01)'), "lent -|- '[2024-03-11,2024-04-01)'")
    },
    async 'textSearch'() {
        await finds(q => q.textSearch('about', "ocean | 'robot'"), 'id in (3, 4)')
        await finds(q => q.textSearch('about', 'thinking oceans', { type: 'plain', config: 'english' }), 'id = 3')
        await finds(q => q.textSearch('about', 'telling stories', { type: 'phrase', config: 'english' }), 'id = 4')
        await finds(q => q.textSearch('about', 'ocean or robots -wind', { type: 'websearch', config: 'english' }), 'id in (3, 4)')
        await finds(q => q.textSearch('title', 'wind', { config: 'simple' }), 'id = 5')
    },
    async 'or, not, filter, JSON paths in filters'() {
        await finds(q => q.or('year.lt.1816,and(author.eq.3,title.eq."Pinball, 1973")'), 'id in (1, 6)')
        await finds(q => q.or('id.in.(1,2),tags.cs.{robots}'), 'id in (1, 2, 4)')
        await finds(q => q.or('id.eq.1,id.eq.2').or('year.eq.1815,year.eq.1961'), 'id = 1')
        await finds(q => q.not('price', 'is', null), 'price is not null')
        await finds(q => q.not('id', 'in', '(1,2)'), 'id not in (1, 2)')
        await finds(q => q.not('tags', 'cs', '{novel}'), "not tags @> '{novel}'")
        await finds(q => q.filter('title', 'in', '("Emma","Solaris")'), 'id in (1, 3)')
        await reads(db.from('authors').select('id').eq('contact->>web', 'lem.pl'), 'select 2 as id')
        await reads(db.from('authors').select('id').gt('contact->fax->no', 10), 'select 2 as id')
    },
    async 'embeds: to-one, by hints'() {
        await reads(db.from('books').select('title, author(name), by:authors!books_translator_fkey(name, countries(name))').order('id'),
            `select title, (select json_build_object('name', name) from library.authors a where a.id = author) as author,
             (select json_build_object('name', name, 'countries', null) from library.authors a where a.id = translator) as by
             from library.books order by id`)
        await reads(db.from('books').select('id, details(pages)').order('id'),
            `select id, (select json_build_object('pages', pages) from library.details where book = id) as details
             from library.books order by id`)
    },
    async 'embeds: to-many, with order, limit, filter'() {
        await reads(
            db.from('authors').select('name, books!author(title)').order('id').order('year', { referencedTable: 'books', ascending: false })
                .limit(1, { referencedTable: 'books' }).lt('books.year', 1970),
            `select name, coalesce((select json_agg(b) from (select title from library.books where author = a.id and year < 1970
             order by year desc limit 1) b), '[]') as books from library.authors a order by id`)
        await reads(
            db.from('authors').select('name, books!author(id)').eq('id', 1).order('id', { referencedTable: 'books' })
                .range(1, 1, { referencedTable: 'books' }),
            `select 'Jane Austen' as name, '[{"id": 2}]'::json as books`)
        await reads(
            db.from('authors').select('id, books!author(id)').eq('id', 3).or('year.eq.1980,title.eq.Emma', { referencedTable: 'books' }),
            `select 3 as id, '[{"id": 6}]'::json as books`)
    },
    async 'embeds: many-to-many, spread, count'() {
        await reads(db.from('books').select('title, subjects(name)').order('id').order('name', { referencedTable: 'subjects' }),
            `select title, coalesce((select json_agg(json_build_object('name', name) order by name) from library.subjects s
             join library.books_subjects bs on s.id = bs.subject where bs.book = b.id), '[]') as subjects from library.books b order by id`)
        await reads(db.from('books').select('title, ...authors!books_author_fkey(by:name)').order('id'),
            'select title, name as by from library.books b join library.authors a on a.id = author order by b.id')
    },
    async 'embeds: inner, filters and nulls choose parents'() {
        await reads(db.from('books').select('id, details!inner(pages)').gt('details.pages', 250).order('id'),
            `select book as id, json_build_object('pages', pages) as details from library.details where pages > 250 order by book`)
        await reads(db.from('books').select('id, details()').is('details', null).order('id'),
            'select id from library.books where id not in (select book from library.details) order by id')
        await reads(db.from('books').select('id, subjects!inner(name)').eq('subjects.name', 'Robots'),
            `select 4 as id, '[{"name": "Robots"}]'::json as subjects`)
    },
    async 'order: several, nulls, by a related column'() {
        await reads(db.from('books').select('id').order('author', { ascending: false }).order('year'),
            'select id from library.books order by author desc, year')
        await reads(db.from('books').select('id').order('price', { nullsFirst: true }), 'select id from library.books order by price nulls first')
        await reads(db.from('books').select('id').order('price', { ascending: false, nullsFirst: false }),
            'select id from library.books order by price desc nulls last')
        await reads(db.from('books').select('id, author()').order('author(born)', { ascending: false }).order('id'),
            'select b.id from library.books b join library.authors a on a.id = author order by born desc, b.id')
    },
    async 'limit, range, counts'() {
        await reads(db.from('books').select('id').order('id').limit(2), 'select id from library.books order by id limit 2')
        await reads(db.from('books').select('id').order('id').range(1, 3), 'select id from library.books order by id limit 3 offset 1')
        for (const count of ['exact', 'planned', 'estimated']) {
            const page = await db.from('books').select('id', { count }).range(0, 1)
            same([page.status, page.count, page.data.length], [206, 6, 2])
        }
        const head = await db.from('books').select('*', { count: 'exact', head: true }).gt('year', 1900)
        same([head.status, head.count, head.data], [200, 4, null])
        const { count } = await db.from('books').select('id, details!inner(pages)', { count: 'exact' })
        same(count, 3)
        await refused(db.from('books').select('id', { count: 'exact' }).range(100, 110), 416, 'PGRST103', /range/)
    },
    async 'single'() {
        same(await data(db.from('books').select('id, title').eq('id', 1).single()), { id: 1, title: 'Emma' })
        const none = await refused(db.from('books').select().eq('id', 99).single(), 406, 'PGRST116', /single JSON object/)
        same(none.details, 'The result contains 0 rows')
        const many = await refused(db.from('books').select().single(), 406, 'PGRST116', /single JSON object/)
        same(many.details, 'The result contains 6 rows')
    },
    async 'maybeSingle'() {
        same(await data(db.from('books').select('id').eq('id', 1).maybeSingle()), { id: 1 })
        const none = await db.from('books').select('id').eq('id', 99).maybeSingle()
        same([none.data, none.error, none.status], [null, null, 200])
        same((await db.from('books').select('id').maybeSingle()).error.code, 'PGRST116')
    },
    async 'throwOnError'() {
        const thrown = await db.from('books').select('nope').throwOnError().then(() => null, error => error)
        same([thrown?.name, thrown?.code], ['PostgrestError', '42703'])
    },
    async 'insert: one'() {
        withSubjects(two)
        const bare = await db.from('subjects').insert({ id: 102, name: 'C "c" é' })
        same([bare.status, bare.data, bare.error], [201, null, null])
        same(await data(db.from('subjects').insert({ id: 103, name: 'D' }).select().single()), { id: 103, name: 'D' })
        same(subjects().slice(2), [{ id: 102, name: 'C "c" é' }, { id: 103, name: 'D' }])
    },
    async 'insert: many, counted, with an embed'() {
        withSubjects(two)
        const answer = await db.from('subjects').insert([{ id: 102, name: 'C' }, { id: 103, name: 'D' }], { count: 'exact' })
            .select('name, books(id)').order('id', { ascending: false })
        same(answer.error, null)
        same([answer.status, answer.count], [201, 2])
        same(answer.data, [{ name: 'D', books: [] }, { name: 'C', books: [] }])
        same(subjects().length, 4)
    },
    async 'insert: missing values are null or the default'() {
        psql("delete from library.loans where borrower = 'anon'")
        const loans = [{ book: 1 }, { book: 2, days: 3 }]
        await refused(db.from('loans').insert(loans), 400, '23502', /null value/)
        same(await data(db.from('loans').insert(loans, { defaultToNull: false }).select('book, days, borrower').order('book')),
            [{ book: 1, days: 14, borrower: 'anon' }, { book: 2, days: 3, borrower: 'anon' }])
        same(rows("select book, days from library.loans where borrower = 'anon' order by book"), [{ book: 1, days: 14 }, { book: 2, days: 3 }])
    },
    async 'insert: types'() {
        psql('delete from library.authors where id >= 100')
        const author = { id: 100, name: 'Ω', born: null, country: 'gb', contact: { a: [1, null, 'x\n"\\'], b: { c: 1.5 } } }
        same(await data(db.from('authors').insert(author).select().single()), author)
        same(rows('select * from library.authors where id = 100'), [author])
        psql('delete from library.authors where id >= 100')
    },
    async 'upsert: merge'() {
        withSubjects(two)
        const answer = await db.from('subjects').upsert([{ id: 101, name: 'b' }, { id: 102, name: 'c' }]).select().order('id')
        same([answer.error, answer.data], [null, [{ id: 101, name: 'b' }, { id: 102, name: 'c' }]])
        same(subjects(), [{ id: 100, name: 'A' }, { id: 101, name: 'b' }, { id: 102, name: 'c' }])
    },
    async 'upsert: ignore'() {
        withSubjects(two)
        same(await data(db.from('subjects').upsert([{ id: 101, name: 'b' }, { id: 102, name: 'c' }], { ignoreDuplicates: true }).select()),
            [{ id: 102, name: 'c' }])
        same(subjects(), [{ id: 100, name: 'A' }, { id: 101, name: 'B' }, { id: 102, name: 'c' }])
    },
    async 'upsert: by another unique key'() {
        psql("delete from library.countries where code in ('xx', 'yy'); insert into library.countries values ('xx', 'Nowhere')")
        same(await data(db.from('countries').upsert({ code: 'yy', name: 'Nowhere' }, { onConflict: 'name' }).select()),
            [{ code: 'yy', name: 'Nowhere' }])
        same(rows("select code from library.countries where name = 'Nowhere'"), [{ code: 'yy' }])
        psql("delete from library.countries where code = 'yy'")
    },
    async 'update'() {
        withSubjects(two)
        const bare = await db.from('subjects').update({ name: 'a' }).eq('id', 100)
        same([bare.status, bare.data], [204, null])
        const counted = await db.from('subjects').update({ name: 'z' }, { count: 'exact' }).gte('id', 100).select('id, name').order('id')
        same([counted.count, counted.data], [2, [{ id: 100, name: 'z' }, { id: 101, name: 'z' }]])
        same(await data(db.from('subjects').update({ name: 'q' }).eq('id', 999).select()), [])
        same(subjects(), [{ id: 100, name: 'z' }, { id: 101, name: 'z' }])
        same(await data(db.from('subjects').update({ name: 'one' }).eq('id', 100).select().single()), { id: 100, name: 'one' })
        await refused(db.from('subjects').update({ name: 'no' }).gte('id', 100).select().single(), 406, 'PGRST116', /single/)
        same(subjects(), [{ id: 100, name: 'one' }, { id: 101, name: 'z' }])
    },
    async 'delete'() {
        withSubjects(two)
        same(await data(db.from('subjects').delete().eq('id', 100).select()), [{ id: 100, name: 'A' }])
        const counted = await db.from('subjects').delete({ count: 'exact' }).gte('id', 100)
        same([counted.status, counted.count, counted.data], [204, 1, null])
        same(subjects(), [])
    },
    async 'maxAffected'() {
        withSubjects(two)
        await refused(db.from('subjects').delete().gte('id', 100).maxAffected(1), 400, 'PGRST124', /max-affected/)
        await refused(db.from('subjects').update({ name: 'x' }).gte('id', 100).maxAffected(1), 400, 'PGRST124', /max-affected/)
        same(subjects(), [{ id: 100, name: 'A' }, { id: 101, name: 'B' }])
        same((await db.from('subjects').delete().gte('id', 100).maxAffected(2)).status, 204)
        same(subjects(), [])
    },
    async 'rpc: POST'() {
        same(await data(db.rpc('add', { a: 2, b: 3 })), 5)
        same(await data(db.rpc('add', { a: 2 })), 3)
        same(await data(db.rpc('total', { numbers: [1, 2, 3] })), 6)
        same(await data(db.rpc('echo', { document: { a: [1, { b: null }] } })), { a: [1, { b: null }] })
        same(await data(db.rpc('titles')), rows('select title from library.books order by id').map(row => row.title))
        withSubjects(two)
        const renamed = await db.rpc('rename_subject', { subject: 100, new_name: 'r' })
        same([renamed.status, renamed.data, renamed.error], [204, null, null])
        same(subjects()[0], { id: 100, name: 'r' })
    },
    async 'rpc: GET and HEAD'() {
        same(await data(db.rpc('add', { a: 2, b: 3 }, { get: true })), 5)
        same(await data(db.rpc('total', { numbers: [1, 2, 3] }, { get: true })), 6)
        const head = await db.rpc('books_of', { author_id: 3 }, { head: true, count: 'exact' })
        same([head.status, head.count, head.data], [200, 2, null])
        await refused(db.rpc('rename_subject', { subject: 1, new_name: 'x' }, { get: true }), 405, '25006', /read-only/)
    },
    async 'rpc: rows are selected, filtered, embedded, ordered, paged'() {
        for (const get of [false, true]) {
            await reads(db.rpc('books_of', { author_id: 2 }, { get }).select('title, details(pages)').gt('year', 1900).order('year', { ascending: false }),
                `select title, json_build_object('pages', pages) as details from library.books, library.details
                 where book = id and author = 2 order by year desc`)
            await reads(db.rpc('books_of', { author_id: 3 }, { get }).select('id').order('id').range(1, 1), 'select 6 as id')
            same(await data(db.rpc('books_of', { author_id: 1 }, { get }).select('title').eq('year', 1815).single()), { title: 'Emma' })
        }
        same((await data(db.rpc('oldest_book'))).title, 'Emma')
        same((await db.rpc('books_of', { author_id: 3 }, { count: 'exact' })).count, 2)
    },
    async 'rpc: what a function raises'() {
        const error = await refused(db.rpc('refuse'), 402, 'PT402', /Pay first/)
        same([error.details, error.hint], ['Nothing is free', 'Pay'])
    },
    async 'schema'() {
        await reads(db.schema('archive').from('scans').select().order('id'), 'select * from archive.scans order by id')
        same(await data(db.schema('archive').from('scans').insert({ id: 3, book: 1, pages: 9 }).select()), [{ id: 3, book: 1, pages: 9 }])
        same((await db.schema('archive').from('scans').delete().eq('id', 3)).status, 204)
        same(rows('select id from archive.scans where id = 3'), [])
        await refused(db.schema('pg_catalog').from('pg_class').select(), 406, 'PGRST106', /schema/)
        await refused(db.from('scans').select(), 404, 'PGRST205', /scans/)
    },
    async 'errors: names that do not exist'() {
        await refused(db.from('nope').select(), 404, 'PGRST205', /library\.nope/)
        await refused(db.from('books').select('nope'), 400, '42703', /books\.nope does not exist/)
        await refused(db.from('books').select().eq('nope', 1), 400, '42703', /nope/)
        await refused(db.from('books').select('id, nope(id)'), 400, 'PGRST200', /relationship/)
        await refused(db.from('books').select('id, authors(name)'), 300, 'PGRST201', /more than one relationship/)
        await refused(db.from('subjects').insert({ id: 1, nope: 2 }), 400, 'PGRST204', /nope/)
        await refused(db.rpc('nope', { a: 1 }), 404, 'PGRST202', /nope/)
    },
    async 'errors: values and constraints'() {
        await refused(db.from('books').select().eq('id', 'x'), 400, '22P02', /integer/)
        await refused(db.from('books').select().or('id.eq'), 400, 'PGRST100', /parse/)
        const twice = await refused(db.from('subjects').insert({ id: 1, name: 'x' }), 409, '23505', /duplicate key/)
        // It would hold values of rows.
        same(twice.details, null)
        await refused(db.from('details').insert({ book: 77 }), 409, '23503', /foreign key/)
        await refused(db.from('books').update({ year: -1 }).eq('id', 1), 400, '23514', /check constraint/)
        await refused(db.from('subjects').insert({ id: 200 }), 400, '23502', /null value/)
        same(rows('select year from library.books where id = 1'), [{ year: 1815 }])
    },
}

for (const [name, check] of Object.entries(checks)) {
    const error = await check().then(() => null, why => String(why.stack))
    console.log(JSON.stringify({ name, error }))
}
