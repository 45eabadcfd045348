// The support matrix: clients down, mechanisms across, and in each place a mark
// for each transport.

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
    if (!sliceOf(r, wanted).length && r.cells.rows) this.go(0);
  }

  // go moves to the slice of a cell.
  go(row) {
    const cells = this.app.report.cells;
    this.at = {database: ''};
    for (const axis of AXES) this.at[axis] = cells.get(axis, row);
    if (bestDatabaseHides(this.app.report, row)) this.at.database = cells.get('database', row);
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
    this.app.remember();
    const focused = document.activeElement && [document.activeElement.name, document.activeElement.value];
    this.refresh();
    if (focused && focused[0]) this.switches.querySelector(`[name="${focused[0]}"][value="${CSS.escape(focused[1])}"]`)?.focus();
  }

  drawSwitches() {
    const r = this.app.report, cells = r.cells, at = this.at;
    const choice = (axis, label, order, word) => {
      const values = inOrder(cells.values(axis), order);
      return values.length < 2 ? '' : segments(label, axis, values.map((v) => ({value: v, word: word ? word(v) : v})), at[axis], (v) => this.set(axis, v));
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
      choice('setting', 'Setting', SETTINGS),
      choice('flavour', 'Server', ['classic', 'modern']),
      r.targets.length < 2 ? '' : menu('Target', [...r.targets.map((t, i) => ({value: String(i), word: t.name})), {value: 'all', word: 'side by side'}],
        this.aside ? 'all' : String(at.target), (v) => { this.aside = v === 'all'; this.set('target', this.aside ? 0 : Number(v)); }),
      databases.length < 2 && !at.database ? '' : menu('Database', [{value: '', word: 'one that has it'}, ...databases.map((d) => ({value: d, word: d}))],
        at.database, (v) => this.set('database', v)),
      pairs.length < 2 ? '' : menu('Presents', pairs.map((p) => ({value: p, word: words[p]})), at.override + '/' + at.credential, (v) => {
        [at.override, at.credential] = v.split('/');
        this.set('override', at.override);
      }),
    );
  }

  // collect finds the cells of the slice, and of each place the one to show.
  collect() {
    const r = this.app.report, cells = r.cells, at = this.at;
    const targets = this.aside ? r.targets.map((_, i) => i) : [at.target];
    this.rows = targets.flatMap((target) => sliceOf(r, {...at, target}));
    this.places = new Map();
    const mechanisms = new Set();
    for (const i of this.rows) {
      if (at.database && cells.get('database', i) !== at.database) continue;
      const name = clientName(cells, i) + '|' + cells.get('target', i), m = cells.get('mechanism', i);
      mechanisms.add(m);
      if (!this.places.has(name)) this.places.set(name, new Map());
      const place = this.places.get(name), key = m + '|' + cells.get('transport', i);
      place.set(key, bestDatabase(r, i, place.get(key)));
    }
    this.mechanisms = inOrder(mechanisms, MECHANISMS);
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

  // recount writes behind each option how many cells it would leave.
  recount() {
    const cells = this.app.report.cells, orders = {verdict: VERDICTS, exposure: EXPOSURES, confidence: CONFIDENCES, family: []};
    for (const name of Object.keys(this.menus)) {
      const counts = new Map();
      let all = 0;
      for (const client of this.names) {
        if (!this.clientMatches(client, name)) continue;
        const family = this.app.report.client.get(client.split('|')[0]).family;
        for (const row of this.places.get(client).values()) {
          if (!this.matches(row, name)) continue;
          const value = name === 'family' ? family : cells.get(name, row);
          counts.set(value, (counts.get(value) || 0) + 1);
          all++;
        }
      }
      if (this.filter[name] && !counts.has(this.filter[name])) counts.set(this.filter[name], 0);
      const select = this.menus[name].querySelector('select');
      select.replaceChildren(...[{value: '', n: all}, ...inOrder(counts.keys(), orders[name]).map((value) => ({value, n: counts.get(value)}))]
        .map(({value, n}) => h('option', {value, selected: value === this.filter[name]}, (value || 'all') + ' (' + number(n) + ')')));
    }
  }

  apply() {
    const narrow = this.filter.verdict || this.filter.exposure || this.filter.confidence;
    let found = 0;
    this.visible = this.names.filter((name) => {
      if (!this.clientMatches(name)) return false;
      let n = 0;
      for (const row of this.places.get(name).values()) if (this.matches(row)) n++;
      found += n;
      return n > 0 || !narrow;
    });
    this.recount();
    this.count.textContent = this.visible.length ?
      of(this.visible.length, 'client') + (this.visible.length < this.names.length ? ' of ' + number(this.names.length) : '') + ', ' +
        of(found, 'cell') + (found < this.shown.length ? ' of ' + number(this.shown.length) : '') + ' here, of ' + number(this.app.report.cells.rows) :
      this.names.length ? 'No client matches: take a filter back.' : 'This report has no such cells.';
    this.drawMatrix();
  }

  drawMatrix() {
    const shape = this.mechanisms.join() + this.transports.join();
    if (!this.list || this.shape !== shape || !this.box.contains(this.list.table)) {
      this.shape = shape;
      const legs = this.transports.map((t) => h('span', {title: TRANSPORT_WORDS[t].long}, TRANSPORT_WORDS[t].short));
      const heads = this.mechanisms.map((m) => h('th', {scope: 'col', role: 'columnheader'}, h('div', {class: 'mech'}, mechanismWord(m)),
        h('div', {class: 'legs'}, legs.map((l) => l.cloneNode(true)))));
      const table = h('table', {role: 'grid', 'aria-label': 'Clients and mechanisms', 'aria-colcount': this.mechanisms.length + 1},
        h('thead', {}, h('tr', {role: 'row', 'aria-rowindex': 1}, h('th', {scope: 'col', role: 'columnheader', class: 'who'}, 'Client'), heads)), h('tbody', {}));
      this.box.replaceChildren(table);
      this.list = new Rows(this.box, table);
    }
    this.list.show(this.visible.length, (i) => this.drawRow(this.visible[i]));
  }

  drawRow(name) {
    const [id, target] = name.split('|'), client = this.app.report.client.get(id), place = this.places.get(name);
    const below = [this.aside ? this.app.report.targets[target].name : '', [client.family, client.version].filter(Boolean).join(' '), client.state].filter(Boolean).join(', ');
    const who = h('th', {scope: 'row', role: 'rowheader', class: 'who'}, h('button', {
      type: 'button', class: 'client', 'data-col': -1, tabindex: '-1', onclick: () => this.app.openClient(id),
    }, client.title), h('span', {class: 'sub', title: below}, below));
    return h('tr', {role: 'row'}, who, this.mechanisms.map((m, k) => this.drawPlace(client, place, m, k)));
  }

  drawPlace(client, place, m, k) {
    const rows = this.transports.map((t) => place.get(m + '|' + t));
    if (rows.every((row) => row === undefined)) {
      return h('td', {role: 'gridcell', class: 'lacking'}, h('span', {}, '– lacks'));
    }
    return h('td', {role: 'gridcell'}, h('div', {class: 'marks'}, rows.map((row, i) => {
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
