// The support matrix: clients down, mechanisms across, and in each place a mark
// for each transport.

const PAPER = 1030; // what is printed is to be no wider: A4 landscape less its margins

class SupportView {
  constructor(app) {
    this.app = app;
    this.at = null;
    this.filter = {q: '', family: '', verdict: '', exposure: '', confidence: ''};
    this.aside = false; // several servers, one below the other
  }

  // start is the slice that is seen first: a server of today, set as it should be.
  start() {
    const r = this.app.report, first = (name, order) => inOrder(r.cells.values(name), order)[0];
    const wanted = {
      target: 0, flavour: first('flavour', ['modern', 'classic']), protocol: first('protocol', ['smtp', 'pop3']),
      setting: first('setting', ['secure', 'allow', 'deny', 'policy', 'unknown']), override: first('override', ['none', 'set']),
      credential: first('credential', ['account', 'override', 'wrong']), database: '',
    };
    this.at = wanted;
    this.settle();
  }

  // settle goes to the nearest slice of the target where there is none here; what
  // was asked for last is kept if it can be.
  settle(asked) {
    const r = this.app.report;
    if (!sliceOf(r, this.at).length && r.cells.rows) this.at = {...nearest(r, this.at, asked), database: ''};
  }

  // go moves to the slice of a cell.
  go(row) {
    const cells = this.app.report.cells;
    this.at = {database: ''};
    for (const axis of AXES) this.at[axis] = cells.get(axis, row);
    if (bestDatabaseHides(this.app.report, row)) this.at.database = cells.get('database', row);
  }

  address() {
    const parts = [...AXES, 'database'].filter((axis) => this.at[axis] !== '' && this.at[axis] !== 0).map((axis) => axis + '=' + encodeURIComponent(this.at[axis]));
    if (this.aside) parts.push('target=all');
    for (const [name, value] of Object.entries(this.filter)) if (value) parts.push(name + '=' + encodeURIComponent(value));
    return parts;
  }

  // restore goes where an address says, and reports whether there is such a slice.
  restore(asked) {
    if (!this.at) this.start();
    for (const axis of [...AXES, 'database']) if (asked.has(axis)) this.at[axis] = axis === 'target' ? Number(asked.get(axis)) || 0 : asked.get(axis);
    this.aside = asked.get('target') === 'all';
    for (const name of Object.keys(this.filter)) this.filter[name] = asked.get(name) || '';
    const found = sliceOf(this.app.report, this.at).length > 0;
    this.settle();
    return found;
  }

  build(main) {
    if (!this.at) this.start();
    this.switches = h('div', {class: 'bar switches'});
    this.bar = h('div', {class: 'bar filters'});
    this.count = h('p', {class: 'count', role: 'status'});
    this.box = h('div', {class: 'box matrix', tabindex: '0', role: 'region', 'aria-label': 'Support matrix'});
    main.append(this.switches, h('div', {class: 'above'}, this.bar, h('div', {class: 'beside'}, this.count, legend())), h('div', {class: 'frame'}, this.box));
    this.app.printed = () => this.list && this.list.render(true);
    this.refresh();
  }

  refresh() {
    this.collect();
    this.drawSwitches();
    this.drawFilters();
    this.apply();
  }

  set(axis, value) {
    this.at[axis] = value;
    this.settle(axis);
    this.app.remember();
    const focused = document.activeElement && [document.activeElement.name, document.activeElement.value];
    this.refresh();
    if (focused && focused[0]) this.switches.querySelector(`[name="${focused[0]}"][value="${CSS.escape(focused[1])}"]`)?.focus();
  }

  drawSwitches() {
    const r = this.app.report, cells = r.cells, at = this.at;
    const choice = (axis, label, order, word) => {
      const values = inOrder(this.offered(axis), order);
      return values.length < 2 ? '' : segments(label, axis, values.map((v) => ({value: v, word: word ? word(v) : v, title: MEANINGS[v]})), at[axis], (v) => this.set(axis, v));
    };
    const pairs = ['none/account', 'none/wrong', 'set/account', 'set/override', 'set/wrong'].filter((pair) => {
      const [override, credential] = pair.split('/');
      return sliceOf(r, {...at, override, credential}).length;
    });
    const words = {
      'none/account': 'its password', 'none/wrong': 'a wrong password', 'set/account': 'its password, override set',
      'set/override': 'the override password', 'set/wrong': 'a wrong password, override set',
    };
    const databases = inOrder(new Set(this.rows.map((i) => cells.get('database', i))), DATABASES);
    this.switches.replaceChildren(
      choice('protocol', 'Protocol', ['smtp', 'pop3'], protocolWord),
      choice('setting', 'Setting', SETTINGS, settingWord),
      choice('flavour', 'Server', ['classic', 'modern']),
      r.targets.length < 2 ? '' : menu('Target', [...r.targets.map((t, i) => ({value: String(i), word: t.name})), {value: 'all', word: 'side by side'}],
        this.aside ? 'all' : String(at.target), (v) => { this.aside = v === 'all'; this.set('target', this.aside ? 0 : Number(v)); }),
      databases.length < 2 && !at.database ? '' : menu('Database', ['', ...databases].map((d) => ({value: d, word: d || 'one that has it', title: MEANINGS[d || 'one that has it']})),
        at.database, (v) => this.set('database', v)),
      pairs.length < 2 ? '' : menu('Presents', pairs.map((p) => ({value: p, word: words[p]})), at.override + '/' + at.credential, (v) => {
        [at.override, at.credential] = v.split('/');
        this.set('override', at.override);
      }),
    );
  }

  // offered are the values of an axis of which this target has cells.
  offered(axis) {
    const all = this.app.report.axes.filter((each) => each.target === this.at.target);
    return new Set(all.map((each) => each[axis]));
  }

  // beside is the slice of a target that stands beside ours: another server may
  // have neither our flavour nor our setting, and then has its own.
  beside(target) {
    const r = this.app.report, at = nearest(r, {...this.at, target});
    const owns = (axis) => r.axes.some((each) => each.target === target && each[axis] === this.at[axis]);
    return at && AXES.every((axis) => axis === 'target' || at[axis] === this.at[axis] || ((axis === 'flavour' || axis === 'setting') && !owns(axis))) ? at : null;
  }

  // collect finds the cells of the slice, and of each place the one to show.
  collect() {
    const r = this.app.report, cells = r.cells, at = this.at;
    this.slices = (this.aside ? r.targets.map((_, i) => this.beside(i)) : [at]).filter((each) => each);
    this.rows = this.slices.flatMap((each) => sliceOf(r, each));
    this.places = new Map();
    for (const i of this.rows) {
      if (at.database && cells.get('database', i) !== at.database) continue;
      const name = clientName(cells, i) + '|' + cells.get('target', i), m = cells.get('mechanism', i);
      if (!this.places.has(name)) this.places.set(name, new Map());
      const place = this.places.get(name), key = m + '|' + cells.get('transport', i);
      place.set(key, bestDatabase(r, i, place.get(key)));
    }
    const bare = (name) => name.replace('|', ' '); // so that a client comes before its other settings
    this.names = [...this.places.keys()].sort((a, b) => this.title(a).localeCompare(this.title(b), 'en', {sensitivity: 'base'}) || (bare(a) < bare(b) ? -1 : 1));
    this.shown = [];
    for (const name of this.names) for (const row of this.places.get(name).values()) this.shown.push(row);
    this.transports = inOrder(cells.values('transport'), TRANSPORTS);
  }

  title(name) {
    return this.app.report.client.get(name.split('|')[0]).title;
  }

  // matches: the filters that are about a cell.
  matches(row, but) {
    const f = this.filter, cells = this.app.report.cells;
    return ['verdict', 'exposure', 'confidence'].every((name) => name === but || !f[name] || cells.get(name, row) === f[name]);
  }

  // clientMatches: those that are about who logs in.
  clientMatches(name, but) {
    const c = this.app.report.client.get(name.split('|')[0]), q = this.filter.q.trim().toLowerCase();
    return (!q || but === 'q' || [c.title, c.name, c.family, c.version, c.state].join(' ').toLowerCase().includes(q)) &&
      (but === 'family' || !this.filter.family || c.family === this.filter.family);
  }

  drawFilters() {
    const pick = (name) => (value) => { this.filter[name] = value; this.app.remember(); this.apply(); };
    this.menus = {};
    const add = (name, label) => (this.menus[name] = menu(label, [{value: '', word: 'all'}], '', pick(name)));
    this.bar.replaceChildren(search('Client', this.filter.q, pick('q')), add('family', 'Family'), add('verdict', 'Verdict'),
      add('exposure', 'Readable'), add('confidence', 'Known by'));
  }

  // recount writes behind each option how many cells, or clients, it would leave.
  recount() {
    const cells = this.app.report.cells, orders = {verdict: VERDICTS, exposure: EXPOSURES, confidence: CONFIDENCES, family: []};
    for (const [name, label] of Object.entries(this.menus)) {
      const counts = new Map(), families = new Map(); // a client is one, on several servers too
      let all = 0;
      const count = (value) => { counts.set(value, (counts.get(value) || 0) + 1); all++; };
      for (const client of this.names) {
        if (!this.clientMatches(client, name)) continue;
        const rows = [...this.places.get(client).values()].filter((row) => this.matches(row, name));
        if (name !== 'family') rows.forEach((row) => count(cells.get(name, row)));
        else if (rows.length || !this.narrow()) families.set(client.split('|')[0], this.app.report.client.get(client.split('|')[0]).family);
      }
      families.forEach((family) => count(family));
      refill(label, counts, orders[name], this.filter[name], all);
    }
  }

  // narrow: a client without a cell that matches is not shown.
  narrow() {
    return this.filter.verdict || this.filter.exposure || this.filter.confidence;
  }

  apply() {
    const cellsOf = (name) => [...this.places.get(name).values()].filter((row) => this.matches(row)).length;
    this.visible = this.names.filter((name) => this.clientMatches(name) && (cellsOf(name) > 0 || !this.narrow()));
    const apart = this.apart(this.visible);
    if (apart) this.visible = apart;
    const found = this.visible.reduce((n, name) => n + cellsOf(name), 0);
    this.recount();
    const clients = (names) => new Set(names.map((name) => name.split('|')[0])).size, seen = clients(this.visible), all = clients(this.names);
    this.count.textContent = this.visible.length ?
      of(seen, 'client') + (seen < all ? ' of ' + number(all) : '') + ', ' +
        of(found, 'cell') + (found < this.shown.length ? ' of ' + number(this.shown.length) : '') + ' here, of ' + number(this.app.report.cells.rows) + (apart ? '; the probe is seen if you look for it alone' : '') :
      this.names.length ? 'No client matches: take a filter back.' : 'This report has no such cells.';
    this.drawMatrix();
  }

  // apart: where each client makes its own choice only the probe tries mechanisms
  // one by one. It is seen if it is looked at alone.
  apart(names) {
    const others = SETTINGS.includes(this.at.setting) ? [] : names.filter((name) => !name.startsWith('probe|'));
    return others.length && others.length < names.length ? others : null;
  }

  // columns are the mechanisms of who is in sight.
  columns() {
    const mechanisms = new Set();
    for (const name of this.apart(this.names) ? this.visible : this.names) {
      for (const key of this.places.get(name).keys()) mechanisms.add(key.split('|')[0]);
    }
    return inOrder(mechanisms, MECHANISMS);
  }

  drawMatrix() {
    this.mechanisms = this.columns();
    const shape = this.mechanisms.join() + this.transports.join();
    if (!this.list || this.shape !== shape || !this.box.contains(this.list.table)) {
      this.shape = shape;
      const legs = this.transports.map((t) => h('span', {title: TRANSPORT_WORDS[t].long}, TRANSPORT_WORDS[t].short));
      const heads = this.mechanisms.map((m) => h('th', {scope: 'col', role: 'columnheader'}, h('div', {class: 'mech'}, mechanismWord(m)),
        h('div', {class: 'legs'}, legs.map((l) => l.cloneNode(true)))));
      const table = h('table', {role: 'grid', 'aria-label': 'Clients and mechanisms', 'aria-colcount': this.mechanisms.length + 1},
        h('thead', {}, h('tr', {role: 'row', 'aria-rowindex': 1}, h('th', {scope: 'col', role: 'columnheader', class: 'who'}, 'Client'), heads)), h('tbody', {}));
      table.style.setProperty('--fit', Math.min(1, PAPER / (220 + 150 * this.mechanisms.length)));
      this.box.replaceChildren(table);
      this.list = new Rows(this.box, table);
    }
    this.list.show(this.visible.length, (i) => this.drawRow(this.visible[i]));
  }

  drawRow(name) {
    const [id, target] = name.split('|'), client = this.app.report.client.get(id), place = this.places.get(name);
    const below = [this.aside ? this.server(Number(target)) : '', [client.family, client.version].filter(Boolean).join(' '), client.state].filter(Boolean).join(', ');
    const who = h('th', {scope: 'row', role: 'rowheader', class: 'who'}, h('button', {
      type: 'button', class: 'client', 'data-col': -1, tabindex: '-1', onclick: () => this.app.openClient(id),
    }, client.title), h('span', {class: 'sub', title: below}, below));
    return h('tr', {role: 'row'}, who, this.mechanisms.map((m, k) => this.drawPlace(client, place, m, k)));
  }

  // server is a target, with what is its own in its slice.
  server(target) {
    const at = this.slices.find((each) => each.target === target), own = ['flavour', 'setting'].filter((axis) => at[axis] !== this.at[axis] && at[axis] !== 'remote');
    return [this.app.report.targets[target].name, ...own.map((axis) => settingWord(at[axis]))].join(' ');
  }

  // drawPlace says that a client lacks what the report says that it lacks. What
  // else is not there was not run.
  drawPlace(client, place, m, k) {
    const r = this.app.report, rows = this.transports.map((t) => place.get(m + '|' + t)), lacks = (what) => r.lacking.has([client.name.split('+')[0], this.at.protocol, what].join('|'));
    if (rows.every((row) => row === undefined)) {
      return h('td', {role: 'gridcell', class: 'lacking'}, lacks(m) ? h('span', {}, '– lacks') : h('span', {class: 'unrun'}, 'not run'));
    }
    return h('td', {role: 'gridcell'}, h('div', {class: 'marks'}, rows.map((row, i) => {
      if (row === undefined && !lacks(this.transports[i])) return h('span', {class: 'mark tone-off', title: 'not run'}, 'not run');
      if (row === undefined) return h('span', {class: 'mark tone-off', title: 'the client has no such transport'}, h('i', {'aria-hidden': 'true'}, '–'), 'lacks');
      if (!this.matches(row)) return h('span', {class: 'mark hidden-mark', 'aria-hidden': 'true'});
      return this.drawMark(client, row, m, this.transports[i], k * this.transports.length + i);
    })));
  }

  drawMark(client, row, m, t, column) {
    const cells = this.app.report.cells, look = lookOf(this.app.report, row), exposure = cells.get('exposure', row);
    const corner = exposure === 'none' ? '' : ' corner-' + exposure, hatched = cells.get('confidence', row) === 'assumed' ? ' assumed' : '',
      foretold = cells.get('basis', row) === 'predicted' ? ' foretold' : '';
    const says = `${look.word}: ${client.title}, ${mechanismWord(m)} ${TRANSPORT_WORDS[t].long}: ${look.says}` +
      (exposure === 'none' ? '' : `; readable: ${EXPOSED[exposure]}`) + (hatched ? '; the client is assumed' : '') + (foretold ? '; foretold, not tried' : '');
    return h('button', {
      type: 'button', class: 'mark tone-' + look.tone + corner + hatched + foretold, 'data-col': column, tabindex: '-1', 'aria-label': says, title: says.slice(look.word.length + 2),
      onclick: () => this.app.openCell(row),
    }, h('i', {'aria-hidden': 'true'}, look.glyph), look.word);
  }

  // focusCell puts the keyboard where a cell is.
  focusCell(row) {
    const cells = this.app.report.cells, name = clientName(cells, row) + '|' + cells.get('target', row), i = this.visible.indexOf(name);
    if (i < 0) return false;
    return this.list.focus(i, this.mechanisms.indexOf(cells.get('mechanism', row)) * this.transports.length + this.transports.indexOf(cells.get('transport', row)));
  }
}

// bestDatabaseHides: another cell stands in this one's place unless its database
// is asked for.
function bestDatabaseHides(r, row) {
  const cells = r.cells, same = ['profile', 'variant', 'mechanism', 'transport'];
  const at = Object.fromEntries(AXES.map((axis) => [axis, cells.get(axis, row)]));
  return sliceOf(r, at).filter((i) => same.every((name) => cells.get(name, i) === cells.get(name, row)))
    .reduce((best, i) => bestDatabase(r, i, best), undefined) !== row;
}

function legend() {
  const items = ['yes', 'leaks', 'hash', 'no', 'rejected', 'none', 'closed'].map((name) => {
    const look = LOOKS[name];
    return h('span', {}, h('span', {class: 'mark tone-' + look.tone + (name === 'leaks' ? ' corner-password' : name === 'hash' ? ' corner-verifier' : '')},
      h('i', {'aria-hidden': 'true'}, look.glyph), look.word), ' ' + look.says);
  });
  return h('details', {class: 'legend'}, h('summary', {}, 'Legend'), h('div', {}, items,
    h('span', {}, h('span', {class: 'mark tone-no corner-password'}, ' '), ' a corner: something could be read (red: password or token; amber: a hash; grey: the user name)'),
    h('span', {}, h('span', {class: 'mark tone-no assumed'}, ' '), ' hatched: what the client does is assumed'),
    h('span', {}, h('span', {class: 'mark tone-no foretold'}, ' '), ' dashed: foretold from what the server offers, not tried')));
}

// nearest is the slice of a target that is most like another: of the same
// protocol before all, and of the same server last.
function nearest(r, at, asked) {
  const weights = {protocol: 32, credential: 16, override: 8, flavour: 4, setting: 2, ...(asked && asked !== 'target' ? {[asked]: 64} : {})};
  const likeness = (each) => Object.entries(weights).reduce((sum, [axis, weight]) => sum + (each[axis] === at[axis] ? weight : 0), 0) + (preferred(each) ? 1 : 0);
  const own = r.axes.filter((each) => each.target === at.target);
  return (own.length ? own : r.axes).reduce((best, each) => (best && likeness(best) >= likeness(each) ? best : each), null);
}

// preferred: what a server of today ought to be, seen as it is mostly used.
const preferred = (each) => each.flavour !== 'classic' && !['allow', 'deny'].includes(each.setting) && each.override === 'none';
