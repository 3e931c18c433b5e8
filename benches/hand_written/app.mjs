// The application that the group `http` measures beside the gateway: Express and pg, with a statement by hand for each request.
// The statements are prepared and let PostgreSQL write the JSON, which is the least work for Node.
// Usage: node app.mjs    with PGHOST, PGPORT, PGUSER and PGDATABASE; prints the port
import express from 'express'
import pg from 'pg'

const pool = new pg.Pool({ max: 10, idleTimeoutMillis: 0 })
const list = "select coalesce(json_agg(row_to_json(r)), '[]')::text as body from "

const statements = {
  point: list + '(select * from hb.books where id = $1) r',
  page: list + '(select * from hb.books where price > $1 order by id limit $2) r',
  embed: list +
    `(select b.id, b.title, b.price, (select row_to_json(x) from (select a.name) x) as authors
      from hb.books b left join hb.authors a on a.id = b.author_id order by b.id desc limit $1) r`,
  author: list +
    `(select a.name, (select coalesce(json_agg(row_to_json(x)), '[]')
                      from (select b.id, b.title, b.price from hb.books b where b.author_id = a.id) x) as books
      from hb.authors a where a.id = $1) r`,
  thousand: list + '(select * from hb.books order by id limit $1) r',
}

async function answer(response, name, values) {
  const { rows } = await pool.query({ name, text: statements[name], values })
  response.type('json').send(rows[0].body)
}

const app = express()
app.get('/point/:id', (request, response) => answer(response, 'point', [request.params.id]))
app.get('/page', (_, response) => answer(response, 'page', [40, 50]))
app.get('/embed', (_, response) => answer(response, 'embed', [50]))
app.get('/author/:id', (request, response) => answer(response, 'author', [request.params.id]))
app.get('/thousand', (_, response) => answer(response, 'thousand', [1000]))
app.post('/log', express.json(), async (request, response) => {
  const { what, n } = request.body
  await pool.query({ name: 'insert', text: 'insert into hb.log (what, n) values ($1, $2)', values: [what, n] })
  response.status(201).end()
})
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
