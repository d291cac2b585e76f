// The live page. Names and messages come from tenants: they are shown as text nodes only, never parsed.
'use strict';

(() => {
    const rowHeight = 52;
    const overscan = 6;
    const states = ['Broken', 'Waiting', 'Warning', 'Unseen', 'Ok'];
    const marks = { Ok: '✓', Waiting: '…', Warning: '!', Broken: '✗', Unseen: '?' };
    const words = { Ok: 'ok', Waiting: 'waiting', Warning: 'warning', Broken: 'broken', Unseen: 'not readable' };
    const kinds = ['Tenant', 'Gateway', 'HTTPRoute', 'GRPCRoute', 'Route'];
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
    const storageKey = 'kubelb-key';
    const eventInterval = 10000;
    const minEventInterval = 2000;
    const maxTrafficTenants = 8;
    const trafficDelay = 1000;

    const $ = id => document.getElementById(id);
    const main = document.querySelector('main');

    const rows = new Map();
    let version = 0;
    let shown = [];
    let active = null;
    let selected = null;
    let view = null;
    let events = { events: [], problems: [] };
    let eventsAt = 0;
    let endpoint = null;
    let end = null;
    let stream = null;
    let key = null;
    const traffic = new Map();
    let followed = [];
    let following = null;

    // Elements

    function h(name, properties, ...children) {
        const element = document.createElement(name);
        for (const [property, value] of Object.entries(properties ?? {})) {
            if (property === 'class') {
                element.className = value;
            } else {
                element.setAttribute(property, value);
            }
        }

        element.append(...children.filter(child => child !== null && child !== undefined && child !== ''));
        return element;
    }

    function mark(state) {
        return h('span', { class: `mark ${state}`, role: 'img', 'aria-label': words[state] ?? state }, marks[state] ?? '?');
    }

    function setText(element, text) {
        if (element.textContent !== text) {
            element.textContent = text;
        }
    }

    function age(time) {
        const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(time)) / 1000));
        return Number.isNaN(seconds) ? ''
            : seconds >= 172800 ? `${Math.floor(seconds / 86400)}d`
            : seconds >= 7200 ? `${Math.floor(seconds / 3600)}h`
            : seconds >= 120 ? `${Math.floor(seconds / 60)}m`
            : `${seconds}s`;
    }

    function nameOf(item) {
        return item.namespace ? `${item.namespace}/${item.name}` : item.name;
    }

    // Requests

    async function request(path, options) {
        const response = await fetch(path, {
            ...options,
            headers: { ...(options?.headers ?? {}), ...(key ? { 'X-KubeLB-Key': key } : {}) },
        });
        if (response.status === 401) {
            notice('This page has no access. Open the URL that the command printed; each start of the command has a new one.');
            throw new Error('unauthorized');
        }

        return response;
    }

    function post(path, body) {
        return request(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    }

    function query(item) {
        return new URLSearchParams({ kind: item.kind, namespace: item.namespace, name: item.name, tenant: item.tenant ?? '' });
    }

    function notice(text) {
        $('notice').hidden = !text;
        setText($('notice'), text ?? '');
    }

    function connection(state, text) {
        $('connection').className = state;
        setText($('connection'), text);
    }

    // The key comes with the fragment, which is not sent to a server; a code is exchanged for it.
    async function signIn() {
        const hash = new URLSearchParams(location.hash.slice(1));
        const code = hash.get('code');
        key = hash.get('key') ?? sessionStorage.getItem(storageKey);
        if (code) {
            history.replaceState(null, '', '#');
            const response = await post('/api/session', { code });
            const body = await response.json();
            if (response.ok) {
                key = body.key;
            } else {
                notice(body.problem);
            }
        }

        if (key) {
            sessionStorage.setItem(storageKey, key);
        }

        if (hash.has('key') || code) {
            hash.delete('key');
            hash.delete('code');
            history.replaceState(null, '', `#${hash}`);
        }
    }

    // Stream of changes

    async function load() {
        const overview = await (await request('/api/overview')).json();
        rows.clear();
        overview.rows.forEach(row => rows.set(row.id, row));
        version = overview.version;
        showProblems(overview.problems);
        refresh();
    }

    // A browser opens six connections per host: a tab that is not visible leaves them to the others.
    function connect() {
        stream?.abort();
        if (document.hidden) {
            return;
        }

        stream = new AbortController();
        void follow(stream.signal);
    }

    async function follow(signal) {
        for (let delay = 500; !signal.aborted; delay = Math.min(delay * 2, 8000)) {
            try {
                if (version === 0) {
                    await load();
                }

                const parameters = selected ? query(selected) : new URLSearchParams();
                parameters.set('since', version);
                followed = shownTenants();
                parameters.set('traffic', followed.join(','));
                const response = await request(`/api/stream?${parameters}`, { signal });
                if (!response.ok) {
                    throw new Error((await response.json()).problem);
                }

                connection('live', 'live');
                delay = 500;
                await read(response.body, signal);
            } catch (error) {
                if (signal.aborted) {
                    return;
                }

                if (error.message === 'unauthorized') {
                    connection('lost', 'no access');
                    return;
                }
            }

            if (!signal.aborted) {
                connection('lost', 'not connected; trying again');
                await new Promise(resolve => setTimeout(resolve, delay));
            }
        }
    }

    async function read(body, signal) {
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        let text = '';
        while (!signal.aborted) {
            const { value, done } = await reader.read();
            if (done) {
                return;
            }

            const parts = (text + value).split('\n\n');
            text = parts.pop();
            for (const part of parts) {
                const [type, data] = part.split('\n');
                if (!signal.aborted && data) {
                    await handle(type.slice('event: '.length), JSON.parse(data.slice('data: '.length)));
                }
            }
        }
    }

    async function handle(type, data) {
        if (type === 'rows') {
            data.removed.forEach(id => rows.delete(id));
            data.changed.forEach(row => rows.set(row.id, row));
            version = data.version;
            if (data.changed.length + data.removed.length > 0) {
                refresh();
            }
        } else if (type === 'reload') {
            await load();
        } else if (type === 'problems') {
            showProblems(data);
        } else if (type === 'traffic') {
            traffic.set(data.tenant, {
                ...data,
                routes: new Map(data.routes.map(route => [[route.kind, route.namespace, route.name].join('/'), route.figures])),
            });
            draw();
            showTraffic();
        } else if (type === 'trace') {
            const shape = drawn => JSON.stringify(drawn?.paths[0]?.drawing.data.map(box => box.state));
            if (shape(view) !== shape(data)) {
                end = null;
            }

            view = data;
            showView();
            void loadEvents(minEventInterval);
        }
    }

    // Traffic of the tenants with visible rows, from the metrics of their proxies

    function tenantOf(item) {
        return item.kind === 'Tenant' ? item.name : item.tenant;
    }

    function shownTenants() {
        const items = [...(selected ? [selected] : []), ...[...elements.values()].map(entry => entry.row)];
        return [...new Set(items.map(tenantOf).filter(Boolean))].slice(0, maxTrafficTenants);
    }

    function followTenants() {
        if (following === null && key && shownTenants().some(tenant => !followed.includes(tenant))) {
            following = setTimeout(() => {
                following = null;
                if (shownTenants().some(tenant => !followed.includes(tenant))) {
                    connect();
                }
            }, trafficDelay);
        }
    }

    function hasTraffic(item) {
        return ['Tenant', 'HTTPRoute', 'GRPCRoute'].includes(item.kind);
    }

    function figuresOf(item) {
        const tenant = tenantOf(item);
        const known = tenant && followed.includes(tenant) ? traffic.get(tenant) : null;
        return known ? (item.kind === 'Tenant' ? known.total : known.routes.get([item.kind, item.namespace, item.name].join('/'))) : null;
    }

    function short(number) {
        return number >= 100 ? number.toFixed(0) : String(Math.round(number * 10) / 10);
    }

    function showTraffic() {
        $('traffic').hidden = !selected || !hasTraffic(selected);
        if ($('traffic').hidden) {
            return;
        }

        const figures = figuresOf(selected);
        const problem = traffic.get(tenantOf(selected))?.problem;
        if (!figures) {
            setText($('traffic'), problem ? `Traffic: – (${problem})` : 'Traffic: –');
            return;
        }

        const { latency } = figures;
        setText($('traffic'), [
            `Traffic: ${short(figures.requestsPerSecond)} requests/s`,
            `${short(figures.errorsPerSecond)} errors/s`,
            latency ? `p50 ${short(latency.p50)} ms, p95 ${short(latency.p95)} ms, p99 ${short(latency.p99)} ms` : 'latency –',
            `${figures.connections} connections`,
            figures.failedConnections > 0 ? `${figures.failedConnections} failed connections to nodes` : '',
            problem ?? '',
        ].filter(Boolean).join(' · '));
    }

    function showProblems(problems) {
        $('problems').hidden = problems.length === 0;
        setText($('problems').querySelector('summary'), `${problems.length} not readable: the page shows what it can`);
        $('problems').querySelector('ul').replaceChildren(...problems.map(problem => h('li', null, problem)));
    }

    // Filters, which the fragment of the URL contains

    function filters() {
        return { tenant: $('tenant').value, kind: $('kind').value, state: $('state').value, text: $('text').value.trim().toLowerCase() };
    }

    function matches(row, filter) {
        return (!filter.tenant || row.tenant === filter.tenant)
            && (!filter.kind || row.kind === filter.kind)
            && (!filter.state || (filter.state === 'problems' ? row.state !== 'Ok' : row.state === filter.state))
            && (!filter.text
                || `${row.namespace}/${row.name} ${row.hostnames} ${row.reason ?? ''} ${row.message ?? ''} ${row.tenant ?? ''}`
                    .toLowerCase()
                    .includes(filter.text));
    }

    function order(a, b) {
        return compare(a.tenant ?? '', b.tenant ?? '')
            || kinds.indexOf(a.kind) - kinds.indexOf(b.kind)
            || compare(a.namespace, b.namespace)
            || compare(a.name, b.name);
    }

    function compare(a, b) {
        return a < b ? -1 : a > b ? 1 : 0;
    }

    function options(select, entries) {
        const known = [...select.options].map(option => option.value);
        if (known.length === entries.length && entries.every(([value], index) => known[index] === value)) {
            return;
        }

        const value = select.value || select.dataset.wanted || '';
        select.replaceChildren(...entries.map(([entry, text]) => h('option', { value: entry }, text)));
        select.value = entries.some(([entry]) => entry === value) ? value : '';
    }

    function writeFragment(push) {
        const fragment = new URLSearchParams();
        const { tenant, kind, state } = filters();
        Object.entries({ tenant, kind, state, text: $('text').value.trim() }).forEach(([name, value]) => value && fragment.set(name, value));
        if (selected) {
            fragment.set('select', [selected.kind, selected.tenant ?? '', selected.namespace, selected.name].join('/'));
        }

        const target = `#${fragment}`;
        if (target !== (location.hash || '#')) {
            history[push ? 'pushState' : 'replaceState'](null, '', target);
        }
    }

    function readFragment() {
        const fragment = new URLSearchParams(location.hash.slice(1));
        for (const name of ['tenant', 'kind', 'state']) {
            const value = fragment.get(name) ?? '';
            $(name).dataset.wanted = value;
            $(name).value = value;
        }

        $('text').value = fragment.get('text') ?? '';
        const parts = (fragment.get('select') ?? '').split('/');
        select(parts.length === 4 && parts[3] ? { kind: parts[0], tenant: parts[1] || null, namespace: parts[2], name: parts[3] } : null, false);
        refresh();
    }

    // The list: only visible rows have elements

    function refresh() {
        const tenants = [...new Set([...rows.values()].map(row => row.tenant).filter(Boolean))].sort();
        options($('tenant'), [['', 'All tenants'], ...tenants.map(tenant => [tenant, tenant])]);
        const filter = filters();
        const unrelated = { ...filter, state: '' };
        const counts = {};
        shown = [];
        for (const row of rows.values()) {
            if (matches(row, unrelated)) {
                counts[row.state] = (counts[row.state] ?? 0) + 1;
                if (matches(row, filter)) {
                    shown.push(row);
                }
            }
        }

        shown.sort(order);
        showCounts(counts, filter.state);
        setText($('found'), shown.length === rows.size ? `${rows.size} objects` : `${shown.length} of ${rows.size} objects`);
        $('rows').style.height = `${shown.length * rowHeight}px`;
        if (!shown.some(row => row.id === active)) {
            active = (shown.find(isSelected) ?? shown[0])?.id ?? null;
        }

        draw();
    }

    function showCounts(counts, state) {
        const wanted = states.filter(name => counts[name] || name === state);
        const existing = new Map([...$('counts').children].map(button => [button.dataset.state, button]));
        $('counts').append(
            ...wanted.filter(name => !existing.has(name)).map(name => {
                const button = h('button', { type: 'button', 'data-state': name, class: name });
                button.addEventListener('click', () => {
                    $('state').value = $('state').value === name ? '' : name;
                    filtered();
                });
                return button;
            }),
        );
        const buttons = [...$('counts').children];
        buttons.sort((a, b) => states.indexOf(a.dataset.state) - states.indexOf(b.dataset.state));
        if (buttons.some((button, index) => button !== $('counts').children[index])) {
            $('counts').append(...buttons);
        }

        for (const button of buttons) {
            const name = button.dataset.state;
            if (wanted.includes(name)) {
                setText(button, `${counts[name] ?? 0} ${words[name]}`);
                button.setAttribute('aria-pressed', String(name === state));
            } else {
                button.remove();
            }
        }
    }

    const elements = new Map();

    function draw() {
        const list = $('list');
        const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - overscan);
        const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + overscan);
        const visible = new Set();
        for (let index = first; index < last; index++) {
            const row = shown[index];
            visible.add(row.id);
            let entry = elements.get(row.id);
            if (!entry) {
                entry = create(row);
                elements.set(row.id, entry);
                $('rows').append(entry.element);
            }

            if (entry.row !== row) {
                fill(entry, row);
            }

            entry.element.style.transform = `translateY(${index * rowHeight}px)`;
            entry.element.setAttribute('aria-posinset', index + 1);
            entry.element.setAttribute('aria-setsize', shown.length);
            entry.element.classList.toggle('active', row.id === active);
            entry.element.setAttribute('aria-selected', String(isSelected(row)));
            setText(entry.age, row.created ? age(row.created) : '');
            const figures = figuresOf(row);
            setText(entry.rate, !hasTraffic(row) ? '' : figures ? `${short(figures.requestsPerSecond)} req/s` : '–');
            setText(entry.errors, figures?.errors > 0 ? `${short(figures.errorsPerSecond)} err/s` : '');
        }

        for (const [id, entry] of elements) {
            if (!visible.has(id)) {
                entry.element.remove();
                elements.delete(id);
            }
        }

        followTenants();
        const current = elements.get(active);
        if (current) {
            list.setAttribute('aria-activedescendant', current.element.id);
        } else {
            list.removeAttribute('aria-activedescendant');
        }
    }

    let nextId = 0;

    function create(row) {
        const parts = { name: h('span', { class: 'name' }), age: h('span', { class: 'age' }), more: h('span', { class: 'more' }) };
        parts.reason = h('span', { class: 'reason' });
        parts.mark = h('span');
        parts.rate = h('span');
        parts.errors = h('span', { class: 'errors' });
        const rates = h('span', { class: 'rates' }, parts.rate, parts.errors);
        parts.element = h(
            'div',
            { class: 'row', role: 'option', id: `row-${nextId++}` },
            parts.mark,
            parts.name,
            rates,
            parts.age,
            parts.more,
            parts.reason,
        );
        parts.element.addEventListener('click', () => {
            active = parts.row.id;
            open(parts.row, false);
        });
        return parts;
    }

    function fill(entry, row) {
        entry.row = row;
        const fresh = mark(row.state);
        entry.mark.replaceWith(fresh);
        entry.mark = fresh;
        setText(entry.name, nameOf(row));
        entry.name.dataset.name = row.name;
        setText(entry.more, [row.kind, row.kind === 'Tenant' ? null : row.tenant, row.hostnames].filter(Boolean).join(' · '));
        setText(entry.reason, row.reason ?? '');
        entry.reason.className = `reason ${row.state}`;
        entry.element.title = row.message ?? '';
    }

    function isSelected(row) {
        return selected !== null
            && row.kind === selected.kind
            && row.namespace === selected.namespace
            && row.name === selected.name
            && (row.tenant ?? null) === selected.tenant;
    }

    function move(to) {
        const index = Math.min(Math.max(to, 0), shown.length - 1);
        if (index < 0) {
            return;
        }

        active = shown[index].id;
        const list = $('list');
        if (index * rowHeight < list.scrollTop) {
            list.scrollTop = index * rowHeight;
        } else if ((index + 1) * rowHeight > list.scrollTop + list.clientHeight) {
            list.scrollTop = (index + 1) * rowHeight - list.clientHeight;
        }

        draw();
    }

    // The selected object

    function open(row, focus) {
        select({ kind: row.kind, tenant: row.tenant ?? null, namespace: row.namespace, name: row.name }, true);
        if (focus) {
            $('title').focus();
        }
    }

    function select(item, push) {
        if (JSON.stringify(item) === JSON.stringify(selected)) {
            return;
        }

        selected = item;
        active = shown.find(isSelected)?.id ?? active;
        view = null;
        end = null;
        endpoint = null;
        events = { events: [], problems: [] };
        eventsAt = 0;
        $('detail').hidden = item === null;
        main.classList.toggle('open', item !== null);
        document.title = item ? `${nameOf(item)} - KubeLB dashboard` : 'KubeLB dashboard';
        if (item) {
            setText($('title'), `${item.kind} ${nameOf(item)}`);
            setText($('response'), '');
            $('detail').scrollTop = 0;
            $('headers').value = '';
            showView();
            showTraffic();
            void loadEvents(0);
        }

        if (push) {
            writeFragment(true);
        }

        draw();
        if (key) {
            connect();
        }
    }

    function closeDetail() {
        if (selected) {
            select(null, true);
            $('list').focus();
        }
    }

    function showView() {
        const path = view?.paths[0];
        const trace = path?.trace;
        const tenant = trace?.tenant ?? selected.tenant;
        const subtitle = $('subtitle');
        if (tenant && selected.kind !== 'Tenant') {
            setText(subtitle, `tenant ${tenant}`);
        } else if (selected.kind === 'Tenant') {
            const button = h('button', { type: 'button' }, 'Show its objects');
            const { name } = selected;
            button.addEventListener('click', () => {
                $('tenant').value = name;
                filtered();
                closeDetail();
            });
            subtitle.replaceChildren(button);
        } else {
            setText(subtitle, '');
        }

        for (const id of ['path', 'hop-section', 'name-section']) {
            $(id).hidden = !path;
        }

        showVerdict(trace);
        flow($('data'), path?.drawing.data ?? [], trace?.break);
        flow($('configuration'), path?.drawing.configuration ?? [], null);
        $('hops').replaceChildren(...(trace?.hops ?? []).map(hop => hopItem(hop)));
        showNames(trace);
        showProbe(trace);
        showTime();
    }

    function showVerdict(trace) {
        const verdict = $('verdict');
        const stop = trace?.break;
        const unseen = trace?.unseen ?? [];
        verdict.hidden = view !== null && !trace && !view.problem;
        verdict.className = stop ? stop.state : !trace || unseen.length > 0 ? 'Unseen' : 'Ok';
        if (!view) {
            setText(verdict, 'Reading the path.');
        } else if (stop) {
            verdict.replaceChildren(
                h('strong', null, `${stop.state === 'Broken' ? 'Requests stop at' : 'Waiting at'} ${stop.title}${stop.reason ? ` (${stop.reason})` : ''}`),
                `\n${stop.message ?? ''}`,
            );
        } else {
            setText(
                verdict,
                view.problem
                    ?? (unseen.length > 0 ? 'No problem found on the part of the path that could be read.' : 'No problem found on the path.'),
            );
        }
    }

    // Boxes keep their elements, so that a change of their color is a transition.
    function flow(list, boxes, stop) {
        while (list.children.length > boxes.length) {
            list.lastChild.remove();
        }

        let blocked = false;
        boxes.forEach((box, index) => {
            let item = list.children[index];
            if (!item || item.dataset.key !== box.key) {
                const fresh = h('li', { 'data-key': box.key });
                if (item) {
                    item.replaceWith(fresh);
                } else {
                    list.append(fresh);
                }

                item = fresh;
            }

            const ended = end !== null && end.box === box.key && list.id === 'data';
            const past = blocked;
            blocked ||= stop !== null && (box.state === 'Broken' || box.state === 'Waiting');
            item.className = [box.state, blocked ? 'blocked' : '', past ? 'past' : ''].filter(Boolean).join(' ');
            item.replaceChildren(
                h('span', { class: 'box' }, mark(box.state), h('span', null, box.title)),
                h('span', { class: 'fact' }, box.detail),
                ...(ended ? [h('span', { class: 'end' }, `● request ended here: ${end.text}`)] : []),
            );
        });
    }

    function hopItem(hop) {
        const text = h('div', null, h('span', null, hop.title));
        if (hop.subject?.created) {
            text.append(' ', h('span', { class: 'muted' }, age(hop.subject.created)));
        }

        if (hop.reason) {
            text.append(' ', h('span', { class: `reason ${hop.state}` }, hop.reason));
        }

        if (hop.detail) {
            text.append(' ', h('span', { class: 'muted' }, hop.detail));
        }

        if (hop.message) {
            text.append(h('span', { class: 'message' }, hop.message));
        }

        const item = h('li', null, h('div', { class: 'hop' }, mark(hop.state), text));
        if (hop.parts.length > 0) {
            item.append(h('ol', null, ...hop.parts.map(part => hopItem(part))));
        }

        return item;
    }

    function subjects(hops) {
        return hops.flatMap(hop => [hop.subject, ...subjects(hop.parts)]).filter(Boolean);
    }

    function showNames(trace) {
        const all = trace ? subjects(trace.hops) : [];
        const sides = [['tenant', 'Tenant cluster'], ['management', 'Management cluster']];
        $('names').replaceChildren(
            ...sides.map(([side, title]) => {
                const names = [...new Set(all.filter(s => s.cluster === side).map(s => `${s.kind} ${nameOf(s)}`))];
                return h(
                    'div',
                    null,
                    h('p', { class: 'muted' }, title),
                    h('ul', null, ...(names.length > 0 ? names : ['none']).map(name => h('li', null, name))),
                );
            }),
        );
    }

    // Conditions and Events

    async function loadEvents(minInterval) {
        const item = selected;
        if (!item || Date.now() - eventsAt < minInterval) {
            return;
        }

        eventsAt = Date.now();
        try {
            const response = await request(`/api/events?${query(item)}`);
            if (response.ok && item === selected) {
                events = await response.json();
                showTime();
            }
        } catch {
            // The stream reports that the connection is lost.
        }
    }

    function showTime() {
        const entries = [
            ...(view?.conditions ?? []).map(c => ({ ...c, what: `${c.type} ${c.status}` })),
            ...events.events.map(e => ({ ...e, what: `${e.type} Event${e.count > 1 ? `, ${e.count} times` : ''}` })),
        ];
        entries.sort((a, b) => compare(b.time ?? '', a.time ?? ''));
        $('event-problems').replaceChildren(...events.problems.map(problem => h('li', { class: 'muted' }, `Events: ${problem}`)));
        $('time').replaceChildren(
            ...entries.map(entry =>
                h(
                    'li',
                    null,
                    h('span', { class: 'muted', title: entry.time ?? '' }, entry.time ? `${age(entry.time)} ago` : ''),
                    h(
                        'div',
                        null,
                        h('strong', null, entry.reason),
                        ` ${entry.what}`,
                        h('div', { class: 'message' }, entry.message),
                        h('div', { class: 'about muted' }, `${entry.cluster}: ${entry.object}`),
                    ),
                ),
            ),
        );
        if (entries.length === 0 && view) {
            $('time').append(h('li', { class: 'muted' }, 'none'));
        }
    }

    // Requests through the Gateway

    function showProbe(trace) {
        const next = trace?.endpoint ?? null;
        $('probe').hidden = !next;
        if (next && !endpoint) {
            $('hostname').value = next.hostname;
            $('request-path').value = next.path;
        }

        endpoint = next;
        setText($('address'), next ? addressOf(next) : '');
    }

    function addressOf(target) {
        return `${target.address}:${target.port}`;
    }

    async function send() {
        const item = selected;
        const headers = $('headers').value.split('\n').filter(line => line.trim()).map(line => {
            const colon = line.indexOf(':');
            return { name: line.slice(0, Math.max(colon, 0)).trim(), value: line.slice(colon + 1).trim() };
        });
        $('send').disabled = true;
        end = null;
        setText($('response'), 'sending');
        try {
            const response = await post('/api/probe', {
                selection: item,
                address: addressOf(endpoint),
                method: $('method').value,
                hostname: $('hostname').value.trim(),
                path: $('request-path').value.trim(),
                headers,
            });
            const body = await response.json();
            if (item !== selected) {
                return;
            }

            if (response.ok) {
                end = { box: body.end, text: body.hop.detail ?? 'no response' };
                $('response').replaceChildren(
                    mark(body.hop.state),
                    ` ${body.hop.title}: ${body.hop.detail ?? 'no response'}. ${body.hop.message ?? ''}`,
                );
                flow($('data'), view?.paths[0]?.drawing.data ?? [], view?.paths[0]?.trace.break);
            } else {
                setText($('response'), body.problem);
            }
        } catch {
            setText($('response'), 'The dashboard does not respond.');
        } finally {
            $('send').disabled = false;
        }
    }

    // Controls

    function filtered() {
        $('list').scrollTop = 0;
        writeFragment(false);
        refresh();
    }

    function listKey(event) {
        const index = shown.findIndex(row => row.id === active);
        const page = Math.max(1, Math.floor($('list').clientHeight / rowHeight) - 1);
        const targets = {
            ArrowDown: index + 1,
            ArrowUp: index - 1,
            Home: 0,
            End: shown.length - 1,
            PageDown: index + page,
            PageUp: index - page,
        };
        if (event.key in targets) {
            event.preventDefault();
            move(targets[event.key]);
        } else if (event.key === 'Enter' && index >= 0) {
            event.preventDefault();
            open(shown[index], true);
        }
    }

    function pageKey(event) {
        const isField = ['INPUT', 'TEXTAREA', 'SELECT'].includes(event.target.tagName);
        if (event.key === 'Escape') {
            if (event.target === $('text') && $('text').value) {
                return;
            }

            closeDetail();
        } else if (event.key === '/' && !isField && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            $('text').focus();
        } else if (event.key === 'ArrowDown' && event.target === $('text')) {
            event.preventDefault();
            $('list').focus();
        }
    }

    async function start() {
        options($('kind'), [['', 'All kinds'], ...kinds.map(kind => [kind, kind])]);
        options($('state'), [['', 'All states'], ['problems', 'Problems'], ...states.map(state => [state, words[state]])]);
        options($('method'), methods.map(method => [method, method]));
        $('method').value = 'GET';
        options($('tenant'), [['', 'All tenants']]);
        $('filters').addEventListener('submit', event => event.preventDefault());
        $('text').addEventListener('input', filtered);
        for (const id of ['tenant', 'kind', 'state']) {
            $(id).addEventListener('change', () => {
                $(id).dataset.wanted = $(id).value;
                filtered();
            });
        }

        $('list').addEventListener('scroll', draw, { passive: true });
        $('list').addEventListener('keydown', listKey);
        $('close').addEventListener('click', closeDetail);
        $('request').addEventListener('submit', event => {
            event.preventDefault();
            void send();
        });
        document.addEventListener('keydown', pageKey);
        window.addEventListener('resize', draw);
        window.addEventListener('hashchange', () => void enter());
        window.addEventListener('popstate', readFragment);
        document.addEventListener('visibilitychange', () => {
            if (key) {
                connect();
            }
        });
        setInterval(() => {
            draw();
            if (!document.hidden) {
                void loadEvents(eventInterval);
            }
        }, 5000);
        await enter();
    }

    // Also when a new URL of the command is pasted into the address bar.
    async function enter() {
        const known = key;
        try {
            await signIn();
        } catch {
            connection('lost', 'no access');
        }

        if (key && key !== known) {
            notice(null);
            version = 0;
        }

        readFragment();
        if (!key) {
            connection('lost', 'no access');
            notice('Open the URL that the command printed: its part after # gives access.');
        } else if (key !== known) {
            connect();
        }
    }

    void start();
})();
