// REST requests over Fastify. DATABASE_URL=postgres://authenticator:PASSWORD@localhost/DATABASE node server.mjs
import { METHODS } from 'node:http'
import Fastify from 'fastify'
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

// All targets have one route, and arrive as they are. Leave the URL of a request alone if it shall have a Fastify route.
const app = Fastify({ bodyLimit: BODY_LIMIT, rewriteUrl: () => '/' })
for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => done(null, body))
app.route({
  method: app.supportedMethods,
  url: '/',
  handler: async (request, reply) => {
    const body = request.body?.length > 0 ? request.body : null
    try {
      const { rows } = await pool.query(SERVE, [request.method, request.originalUrl, request.raw.headersDistinct, body])
      return reply.code(rows[0].status).headers(rows[0].headers).send(rows[0].body ?? undefined)
    } catch (error) {
      console.error(error.message)
      return reply.code(statusOf(error)).send()
    }
  }
})
app.listen({ port: process.env.PORT || 3000 })
