// Asks the API for its figures again and again, with the credential that the user has typed, and shows what has happened between two answers. The
// credential stays in this page's memory, and is sent to this page's own origin alone.
'use strict';
(() => {
    const element = id => document.getElementById(id);
    const data = new URL('dashboard.json', new URL(document.documentElement.dataset.root, location.href));
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const KEPT = 240;
    const say = (text, problem) => {
        element('message').textContent = text;
        element('message').classList.toggle('problem', Boolean(problem));
    };
    const number = (value, digits = 0) => Number.isFinite(value) ? value.toLocaleString('en', {maximumFractionDigits: digits, minimumFractionDigits: digits}) : '–';
    const milliseconds = value => number(value, value < 10 ? 2 : value < 100 ? 1 : 0);
    const fields = () => {
        const credential = element('credential').value.trim();
        if (!credential) return {};
        return element('kind').value === 'key' ? {'X-API-Key': credential} : {Authorization: 'Bearer ' + credential.replace(/^bearer\s+/i, '')};
    };

    // The time below which a share of requests ended, by buckets of how many took at most as long as each bound. Within a bucket they are taken to be
    // spread evenly, as Prometheus does.
    const quantile = (bounds, {buckets, calls}, share) => {
        if (!calls) return null;
        const place = buckets.findIndex(count => count >= share * calls);
        // What takes longer than the last bound is in no bucket.
        if (place < 0) return 1000 * bounds[bounds.length - 1];
        const below = place ? buckets[place - 1] : 0, from = place ? bounds[place - 1] : 0;
        return 1000 * (from + (bounds[place] - from) * (share * calls - below) / (buckets[place] - below));
    };
    const isError = status => status === '5xx' || status === 'none';
    const id = row => JSON.stringify([row.schema, row.route, row.method, row.status_class]);
    const sum = rows => {
        const total = {calls: 0, errors: 0, limited: 0, buckets: []};
        for (const row of rows) {
            total.calls += row.calls;
            total.limited += row.rate_limited;
            if (isError(row.status_class)) total.errors += row.calls;
            row.buckets.forEach((count, i) => { total.buckets[i] = (total.buckets[i] || 0) + count; });
        }
        return total;
    };
    // What was added since an earlier answer. After a reset, or a restart of the server, everything is new.
    const since = (before, now) => {
        const known = new Map(before.requests.map(row => [id(row), row]));
        return now.requests.map(row => {
            const old = known.get(id(row));
            if (!old || old.calls > row.calls) return row;
            return {...row, calls: row.calls - old.calls, rate_limited: row.rate_limited - old.rate_limited, rows: row.rows - old.rows,
                total_time: row.total_time - old.total_time, buckets: row.buckets.map((count, i) => count - old.buckets[i])};
        });
    };

    // Charts.
    const charts = {};
    const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const series = [[], [], [], [], [], []];
    const draw = () => {
        const size = of => ({width: Math.max(200, element(of).clientWidth), height: 195});
        const lines = {rate: [['requests/s', '--good', 1], ['errors/s', '--bad', 2]], latency: [['p50', '--good', 3], ['p95', '--mid', 4], ['p99', '--bad', 5]]};
        for (const [of, wanted] of Object.entries(lines)) {
            const values = [series[0], ...wanted.map(([, , place]) => series[place])];
            if (charts[of]) { charts[of].setData(values); continue; }
            const axis = {stroke: style('--dim'), grid: {stroke: style('--line'), width: 1}, ticks: {stroke: style('--line')}};
            charts[of] = new uPlot({
                ...size(of), scales: {x: {range: (_, low, high) => [Math.min(low ?? 0, (high ?? 0) - 60), high ?? 0]}, y: {range: (_, low, high) => [0, Math.max(high || 0, 1) * 1.1]}}, axes: [axis, {...axis, size: 60}],
                series: [{}, ...wanted.map(([label, colour]) => ({label, stroke: style(colour), width: 2, spanGaps: true, points: {size: 4}}))],
            }, values, element(of));
        }
    };
    const redraw = () => {
        for (const of of Object.keys(charts)) { charts[of].destroy(); delete charts[of]; }
        if (!element('main').hidden) draw();
    };
    const paint = () => { document.documentElement.classList.toggle('dark-mode', dark.matches); redraw(); };
    dark.addEventListener('change', paint);
    addEventListener('resize', redraw);

    // Tables: the heads are made once, so that the focus stays where it is.
    const sorted = {routes: ['Time/s', -1], statements: ['Requests', -1], limits: ['Refused', -1], checks: ['Check', 1]};
    const table = (name, caption, columns, rows) => {
        const to = element(name);
        if (!to.tHead) {
            to.createCaption();
            const head = to.createTHead().insertRow();
            for (const [title, , kind] of columns) {
                const cell = document.createElement('th'), button = document.createElement('button');
                cell.scope = 'col';
                if (kind === 'number') cell.className = 'number';
                button.type = 'button';
                button.textContent = title;
                button.addEventListener('click', () => {
                    sorted[name] = [title, sorted[name][0] === title ? -sorted[name][1] : kind === 'number' ? -1 : 1];
                    show();
                });
                cell.append(button);
                head.append(cell);
            }
            to.createTBody();
        }
        to.caption.textContent = caption;
        const [by, direction] = sorted[name];
        const column = columns.find(([title]) => title === by) || columns[0];
        [...to.tHead.rows[0].cells].forEach((cell, i) => {
            if (columns[i][0] === by) cell.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending'); else cell.removeAttribute('aria-sort');
        });
        const key = row => column[1](row);
        const order = (a, b) => (typeof a === 'number' || typeof b === 'number') ? (a ?? -1) - (b ?? -1) : String(a ?? '').localeCompare(String(b ?? ''));
        const body = document.createElement('tbody');
        for (const row of [...rows].sort((a, b) => direction * order(key(a), key(b)))) {
            const line = body.insertRow();
            for (const [, value, kind, shown] of columns) {
                const cell = line.insertCell(), found = value(row);
                cell.textContent = shown ? shown(found) : found ?? '';
                if (kind) cell.className = kind;
                if (kind === 'state' && found !== 'ok') cell.className = 'bad';
            }
        }
        to.tBodies[0].replaceWith(body);
    };

    let answers = [], timer = 0, turn = 0, sent = {};
    const show = () => {
        const now = answers[answers.length - 1];
        const first = answers.find(answer => now.at - answer.at <= 60000) || now;
        const seconds = (now.at - first.at) / 1000;
        // Until there are two answers, everything since the last reset counts.
        const added = seconds > 0 ? since(first, now) : now.requests;
        const per = value => seconds > 0 ? value / seconds : NaN;
        const total = sum(added);
        const figures = {
            'Requests/s': number(per(total.calls), 1), 'Errors': total.calls ? number(100 * total.errors / total.calls, 2) + ' %' : '–', 'Refused by limits/s': number(per(total.limited), 1),
            'p50': milliseconds(quantile(now.bounds, total, 0.5)) + ' ms', 'p95': milliseconds(quantile(now.bounds, total, 0.95)) + ' ms',
            'p99': milliseconds(quantile(now.bounds, total, 0.99)) + ' ms', 'Requests since the reset': number(sum(now.requests).calls),
            'Degraded checks': number(now.checks.filter(check => check.state !== 'ok').length),
        };
        element('database').textContent = now.database;
        element('numbers').replaceChildren(...Object.entries(figures).map(([name, value]) => {
            const box = document.createElement('div'), term = document.createElement('dt'), text = document.createElement('dd');
            term.textContent = name;
            text.textContent = value;
            box.append(term, text);
            return box;
        }));
        element('rate-text').textContent = `In the last ${number(seconds)} s: ${figures['Requests/s']} requests and ${number(per(total.errors), 1)} errors per second.`;
        element('latency-text').textContent = `In the last ${number(seconds)} s: half of the requests took at most ${figures.p50}, 99 of 100 at most ${figures.p99}.`;
        draw();
        const wanted = element('find').value.trim().toLowerCase();
        const found = added.filter(row => `${row.method} ${row.route} ${row.schema}`.toLowerCase().includes(wanted));
        const span = seconds > 0 ? `in the last ${number(seconds)} s` : 'since the reset';
        table('routes', `${found.length} of ${added.length}, ${span}. Times in milliseconds.`, [
            ['Route', row => row.route ?? 'nothing there'], ['Schema', row => row.schema], ['Method', row => row.method], ['Status', row => row.status_class],
            ['Requests', row => row.calls, 'number', number], ['Per second', row => per(row.calls), 'number', value => number(value, 1)],
            ['Time/s', row => seconds > 0 ? row.total_time / seconds : row.total_time, 'number', milliseconds],
            ['p50', row => quantile(now.bounds, row, 0.5), 'number', milliseconds], ['p95', row => quantile(now.bounds, row, 0.95), 'number', milliseconds],
            ['p99', row => quantile(now.bounds, row, 0.99), 'number', milliseconds], ['Rows', row => row.rows, 'number', number],
        ], found);
        table('statements', now.statements.length ? 'Since the reset. The text needs pg_stat_statements.' : 'None: set compute_query_id, or load pg_stat_statements.', [
            ['Route', row => row.route], ['Method', row => row.method], ['Requests', row => row.requests, 'number', number],
            ['Mean time', row => row.mean_exec_time, 'number', milliseconds], ['Query', row => row.query ?? `queryid ${row.queryid}`, 'code'],
        ], now.statements);
        const keys = now.limits.flatMap(limit => limit.busiest.length ? limit.busiest.map(key => ({...limit, ...key})) : [{...limit, key: null}]);
        table('limits', `${now.limits.length} limits. What was refused and taken counts since a key was last idle.`, [
            ['Limit', row => row.name], ['Rate', row => row.rate], ['Unit', row => row.unit], ['Key', row => row.key === '' ? 'all' : row.key ?? 'nobody'],
            ['Refused', row => row.refused ?? 0, 'number', number], ['Taken', row => row.taken ?? 0, 'number', number], ['Running', row => row.running ?? 0, 'number', number],
            ['Free again in s', row => row.free_again_in ?? 0, 'number', value => number(value, 1)],
        ], keys);
        table('checks', `${now.checks.length} checks.`, [['Check', row => row.check], ['State', row => row.state, 'state'], ['Detail', row => row.detail]], now.checks);
    };

    const ask = async () => {
        const asked = turn;
        clearTimeout(timer);
        let answer;
        try {
            const response = await fetch(data, {headers: {...sent, Accept: 'application/json'}, credentials: 'same-origin', cache: 'no-store'});
            const text = await response.text();
            if (response.status === 401 || response.status === 403) throw new Error('This credential may not see the dashboard. Type one of a role that may execute restful.dashboard().');
            if (response.status === 404) throw new Error(`There is no ${data.pathname}. Declare it: SELECT restful.route('GET /dashboard.json', 'restful.dashboard').`);
            if (!response.ok) throw new Error(`${response.status}: ${text.slice(0, 500)}`);
            answer = JSON.parse(text);
        } catch (error) {
            if (asked === turn) { say(error.message, true); again(); }
            return;
        }
        if (asked !== turn) return;
        const before = answers[answers.length - 1];
        answers = [...answers, answer].slice(-KEPT);
        if (before && answer.at > before.at) {
            const total = sum(since(before, answer)), seconds = (answer.at - before.at) / 1000;
            const point = [answer.at / 1000, total.calls / seconds, total.errors / seconds, ...[0.5, 0.95, 0.99].map(share => quantile(answer.bounds, total, share))];
            point.forEach((value, i) => { series[i].push(value); if (series[i].length > KEPT) series[i].shift(); });
        }
        element('main').hidden = false;
        say(`Of ${new Date(answer.at).toLocaleTimeString()}`);
        show();
        again();
    };
    const again = () => {
        const every = Number(element('every').value);
        clearTimeout(timer);
        if (every) timer = setTimeout(ask, every * 1000);
    };
    element('who').addEventListener('submit', event => {
        event.preventDefault();
        turn++;
        answers = [];
        series.forEach(values => { values.length = 0; });
        sent = fields();
        element('main').hidden = true;
        say('Loading …');
        ask();
    });
    element('every').addEventListener('change', again);
    element('find').addEventListener('input', () => { if (answers.length) show(); });
    paint();
    ask();
})();
