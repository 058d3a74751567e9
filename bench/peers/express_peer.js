// The same resources as Infinity's, the way one would write them with Express and pg: two processes by node:cluster.
// The token names the company; every statement filters by it. There is no row-level security, no audit row, no
// idempotency and no access log here: all that is in its favour.
'use strict';
const cluster = require('cluster'), crypto = require('crypto'), fs = require('fs'), path = require('path');
const workers = Number(process.env.WORKERS || 2);

if (workers > 1 && cluster.isPrimary) {
  for (let i = 0; i < workers; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill();
    process.exit(0);
  });
} else serve();

function serve() {
  const express = require('express'), pg = require('pg');
  const pool = new pg.Pool({
    connectionString: process.env.DATABASE_URL,
    max: Math.max(1, Math.floor(8 / workers)),
    idleTimeoutMillis: 0,
  });
  const secret = process.env.BENCH_SECRET;
  const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
  const sql = {};
  for (const name of ['team_get', 'team_list', 'activity_list', 'team_create']) {
    sql[name] = fs.readFileSync(path.join(process.env.BENCH_SQL, name + '.sql'), 'utf8');
  }
  const run = (name, values) => pool.query({ name, text: sql[name], values });

  function company(req, res, next) {
    try {
      const [head, body, signature] = req.headers.authorization.slice(7).split('.');
      const wanted = crypto.createHmac('sha256', secret).update(head + '.' + body).digest();
      const given = Buffer.from(signature, 'base64url');
      if (wanted.length !== given.length || !crypto.timingSafeEqual(wanted, given)) throw new Error('forged');
      if (JSON.parse(Buffer.from(head, 'base64url')).alg !== 'HS256') throw new Error('algorithm');
      const claims = JSON.parse(Buffer.from(body, 'base64url'));
      if (!(claims.exp > Date.now() / 1000) || !UUID.test(claims.cid)) throw new Error('expired');
      req.company = claims.cid;
    } catch {
      return res.status(401).json({ code: 'unauthorized' });
    }
    next();
  }

  const answering = f => (req, res, next) => f(req, res).catch(next);
  const limitOf = (req, usual) => {
    const limit = Number(req.query.limit ?? usual);
    return Number.isInteger(limit) && limit >= 1 && limit <= 100 ? limit : null;
  };
  const list = (name, usual) => answering(async (req, res) => {
    const limit = limitOf(req, usual);
    if (limit === null) return res.status(400).json({ code: 'bad-limit' });
    const { rows } = await run(name, [req.company, limit + 1]);
    res.json({ data: rows.slice(0, limit), page: { has_more: rows.length > limit } });
  });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (req, res) => res.type('json').send('{"status":"ok"}'));
  app.get('/v1/teams', company, list('team_list', 50));
  app.get('/v1/activity', company, list('activity_list', 100));
  app.get('/v1/teams/:id', company, answering(async (req, res) => {
    if (!UUID.test(req.params.id)) return res.status(404).json({ code: 'not-found' });
    const { rows } = await run('team_get', [req.company, req.params.id]);
    rows.length ? res.json(rows[0]) : res.status(404).json({ code: 'not-found' });
  }));
  app.post('/v1/teams', company, express.json(), answering(async (req, res) => {
    const team = req.body || {}, isText = value => typeof value === 'string';
    const isValid = isText(team.name) && team.name.length > 0 && team.name.length <= 80
      && (team.description == null || (isText(team.description) && team.description.length <= 1000))
      && (team.color == null || (isText(team.color) && /^#[0-9a-f]{6}$/.test(team.color)));
    if (!isValid) return res.status(422).json({ code: 'invalid' });
    const values = [req.company, crypto.randomUUID(), team.name, team.description ?? null, team.color ?? null];
    const { rows } = await run('team_create', values);
    res.status(201).json(rows[0]);
  }));
  app.use((req, res) => res.status(404).json({ code: 'not-found' }));
  app.use((error, req, res, next) => {
    const status = error.code === '23505' ? 409 : error.status || 500;
    res.status(status).json({ code: 'error' });
  });
  app.listen(Number(process.env.PORT), '127.0.0.1', 4096);
}
