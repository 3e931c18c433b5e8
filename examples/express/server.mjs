// REST requests over Express. DATABASE_URL=postgres://authenticator:PASSWORD@localhost/DATABASE node server.mjs
import express from 'express'
import pg from 'pg'

const SERVE = 'SELECT status, headers, body FROM restful.serve($1, $2, $3, $4)'
const BODY_LIMIT = 16 * 1024 * 1024 // A larger body is answered with 413.

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 5000 })
// An idle connection was lost. Without this handler, the process would end.
pool.on('error', error => console.error(error.message))

function statusOf(error) {
  const code = error instanceof pg.DatabaseError ? error.code : '08006'
  if (code === '57014') return 504
  return /^(08|57P)/.test(code) ? 503 : 500
}

const app = express().disable('x-powered-by')
// Routes of your own come first. What is not theirs is a request of the database, whatever its method and path.
app.use(express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false }))
app.use(async (request, response) => {
  const body = request.body?.length > 0 ? request.body : null
  try {
    const { rows } = await pool.query(SERVE, [request.method, request.originalUrl, request.headersDistinct, body])
    response.writeHead(rows[0].status, rows[0].headers).end(rows[0].body)
  } catch (error) {
    console.error(error.message)
    response.status(statusOf(error)).end()
  }
})
// A body that is too large, or breaks off.
app.use((error, request, response, next) => response.status(error.status ?? 500).end())
app.listen(process.env.PORT || 3000, '127.0.0.1')
