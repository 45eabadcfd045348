// The policy view: a setting for each mechanism, and who then logs in. Each cell
// was measured with its own mechanism permitted, so what a client can do under a
// policy is the sum of its cells.

const SHOWS_PASSWORD = ['PLAIN', 'LOGIN', 'USER/PASS'];

const PRESETS = [
  {name: 'All inside TLS', setting: () => 'secure', about: 'every mechanism, inside TLS only'},
  {name: 'Passwords inside TLS', setting: (m) => (SHOWS_PASSWORD.includes(m) ? 'secure' : 'allow'), about: 'what shows the password inside TLS only, the rest everywhere'},
  {name: 'No readable passwords', setting: (m) => (SHOWS_PASSWORD.includes(m) ? 'deny' : 'allow'), about: 'what shows the password is denied, the rest is allowed'},
  {name: 'All allowed', setting: () => 'allow', about: 'every mechanism, everywhere'},
  {name: 'All denied', setting: () => 'deny', about: 'nobody logs in'},
];

const FATES = {
  keeps: {glyph: '✓', word: 'keeps working', tone: 'good'},
  leaks: {glyph: '▲', word: 'works, readable in clear', tone: 'leak'},
  part: {glyph: '△', word: 'lost in part', tone: 'hash'},
  lost: {glyph: '✖', word: 'lost', tone: 'fail'},
  never: {glyph: '–', word: 'never could', tone: 'off'},
};

class PolicyView {
  constructor(app) {
    this.app = app;
    this.q = '';
    this.fate = '';
    const cells = app.report.cells;
    this.given = cells.values('setting').filter((s) => !SETTINGS.includes(s));
    this.free = SETTINGS.every((s) => cells.values('setting').includes(s));
    this.mechanisms = inOrder(cells.values('mechanism'), MECHANISMS).filter((m) => m !== 'auto');
    this.flavour = inOrder(cells.values('flavour'), ['modern', 'classic'])[0];
    this.target = 0;
    this.choose(this.given.length ? -1 : 0);
  }

  choose(preset) {
    this.preset = preset;
    if (preset >= 0) this.policy = new Map(this.mechanisms.map((m) => [m, PRESETS[preset].setting(m)]));
  }

  build(main) {
    const r = this.app.report, changed = () => this.compute();
    this.presets = h('div', {class: 'presets', role: 'group', 'aria-label': 'Policies'});
    this.editor = h('div', {});
    this.result = h('div', {class: 'result'});
    const side = h('section', {class: 'side', 'aria-label': 'The policy'}, h('h2', {}, 'Pick a policy'), this.presets,
      h('details', {class: 'editor', open: matchMedia('(min-width: 961px)').matches}, h('summary', {}, this.free ? 'Mechanism by mechanism' : 'What this is'), this.editor));
    const flavours = inOrder(r.cells.values('flavour'), ['classic', 'modern']);
    const bar = h('div', {class: 'bar'},
      flavours.length < 2 ? '' : segments('Server', 'policy-flavour', flavours.map((v) => ({value: v, word: v})), this.flavour, (v) => { this.flavour = v; changed(); }),
      r.targets.length < 2 ? '' : menu('Target', r.targets.map((t, i) => ({value: String(i), word: t.name})), String(this.target), (v) => { this.target = Number(v); changed(); }),
      search('Client', this.q, (v) => { this.q = v; this.draw(); }));
    this.tallies = h('div', {class: 'tallies', role: 'group', 'aria-label': 'Show only'});
    this.count = h('p', {class: 'count', role: 'status'});
    const note = h('p', {class: 'note count'}, 'A client keeps working if one of its mechanisms lets it in on one of its links: its user may have to choose them.');
    main.append(h('div', {class: 'columns'}, side, h('section', {'aria-label': 'Who logs in'}, bar, this.tallies, note, this.count, this.result)));
    this.drawPresets();
    this.compute();
  }

  drawPresets() {
    const r = this.app.report, named = r.selection?.policy?.[0];
    const button = (word, about, preset) => h('button', {
      type: 'button', 'aria-pressed': String(this.preset === preset), title: about,
      onclick: (e) => {
        this.choose(preset);
        this.drawPresets();
        this.compute();
        this.presets.querySelector('[aria-pressed="true"]')?.focus();
        e.preventDefault();
      },
    }, word);
    this.presets.replaceChildren(
      this.given.length ? button(named ? 'This run’s policy: ' + named : this.given.includes('policy') ? 'This run’s policy' : 'As the server is', 'what the report is about', -1) : '',
      ...(this.free ? PRESETS.map((p, i) => button(p.name, p.about, i)) : []));
    if (this.preset === -1) {
      this.editor.replaceChildren(h('p', {class: 'note'}, this.free ? 'Measured, each client choosing as it is installed.' :
        'Each client chooses as it is installed. A run without --policy measures every setting of every mechanism, and here lets you pick among them.'));
      return;
    }
    this.editor.replaceChildren(...this.mechanisms.map((m) => h('fieldset', {class: 'setting'}, h('legend', {}, m),
      SETTINGS.map((s) => h('label', {}, h('input', {
        type: 'radio', name: 'set-' + m, value: s, checked: this.policy.get(m) === s,
        onchange: () => {
          this.policy.set(m, s);
          this.preset = -2;
          this.presets.querySelectorAll('button').forEach((b) => b.setAttribute('aria-pressed', 'false'));
          this.compute();
        },
      }), h('span', {}, s))))));
  }

  // waysIn are the cells in which somebody logs in, by client and protocol.
  waysIn(settingOf) {
    const r = this.app.report, cells = r.cells, best = new Map();
    for (const protocol of cells.values('protocol')) {
      for (const setting of cells.values('setting')) {
        const slice = sliceOf(r, {target: this.target, flavour: this.flavour, protocol, setting, override: 'none', credential: 'account'});
        for (const i of slice) {
          if (cells.get('profile', i) === 'probe' || !settingOf(cells.get('mechanism', i), setting)) continue;
          const key = clientName(cells, i) + '|' + protocol + '|' + cells.get('mechanism', i) + '|' + cells.get('transport', i);
          best.set(key, bestDatabase(r, i, best.get(key)));
        }
      }
    }
    const ways = new Map();
    for (const [key, row] of best) {
      const [client, protocol] = key.split('|');
      if (!ways.has(client)) ways.set(client, new Map());
      if (!ways.get(client).has(protocol)) ways.get(client).set(protocol, []);
      if (cells.get('outcome', row) === 'logged-in' || (this.preset === -1 && cells.get('basis', row) === 'predicted' && cells.get('expected', row)?.[0] === 'logged-in')) {
        ways.get(client).get(protocol).push(row);
      }
    }
    return ways;
  }

  compute() {
    const free = (m, s) => m !== 'auto' && SETTINGS.includes(s);
    const under = this.preset === -1 ? this.waysIn((m, s) => m === 'auto' && this.given.includes(s)) :
      this.waysIn((m, s) => free(m, s) && this.policy.get(m) === s);
    const could = this.free ? this.waysIn((m, s) => free(m, s) && s === 'allow') : under;
    this.clients = [...new Set([...could.keys(), ...under.keys()])].map((name) => {
      const protocols = inOrder(new Set([...(could.get(name)?.keys() || []), ...(under.get(name)?.keys() || [])]), ['smtp', 'pop3']);
      const states = protocols.map((p) => ({protocol: p, ways: under.get(name)?.get(p) || [], could: (could.get(name)?.get(p) || []).length > 0}));
      return {client: this.app.report.client.get(name), states, fate: this.fateOf(states)};
    }).sort((a, b) => a.client.title.localeCompare(b.client.title, 'en', {sensitivity: 'base'}));
    this.draw();
  }

  fateOf(states) {
    const works = states.filter((s) => s.ways.length), wanted = this.free ? states.filter((s) => s.could) : states;
    if (!wanted.length) return 'never';
    if (!works.length) return 'lost';
    if (works.length < wanted.length) return 'part';
    return works.some((s) => s.ways.some((row) => this.shows(row))) ? 'leaks' : 'keeps';
  }

  shows(row) {
    return ['password', 'token'].includes(this.app.report.cells.get('exposure', row));
  }

  draw() {
    const q = this.q.trim().toLowerCase();
    const found = this.clients.filter((c) => (!this.fate || c.fate === this.fate) && (!q || (c.client.title + ' ' + c.client.name).toLowerCase().includes(q)));
    this.tallies.replaceChildren(...Object.entries(FATES).map(([name, look]) => {
      const n = this.clients.filter((c) => c.fate === name).length;
      return h('button', {
        type: 'button', class: 'tally tone-edge-' + look.tone, 'aria-pressed': String(this.fate === name),
        onclick: () => {
          this.fate = this.fate === name ? '' : name;
          this.draw();
          this.tallies.children[Object.keys(FATES).indexOf(name)].focus();
        },
      }, h('b', {}, number(n)), h('span', {}, h('i', {'aria-hidden': 'true'}, look.glyph), ' ' + look.word));
    }));
    this.count.textContent = found.length ? of(found.length, 'client') + (found.length < this.clients.length ? ' of ' + number(this.clients.length) : '') :
      'No client matches: take a filter back.';
    const protocols = inOrder(this.app.report.cells.values('protocol'), ['smtp', 'pop3']);
    this.result.replaceChildren(found.length ? plainTable(['Client', 'Under this policy', ...protocols.map(protocolWord)], found.map((c) => [
      h('button', {type: 'button', class: 'client', onclick: () => this.app.openClient(c.client.name)}, c.client.title),
      h('span', {class: 'badge tone-' + FATES[c.fate].tone}, h('i', {'aria-hidden': 'true'}, FATES[c.fate].glyph), ' ' + FATES[c.fate].word),
      ...protocols.map((p) => this.drawWays(c.states.find((s) => s.protocol === p))),
    ]), 'Who logs in under the policy') : '');
  }

  drawWays(state) {
    if (!state) return h('span', {class: 'quiet'}, 'does not speak it');
    if (!state.ways.length) return h('span', {class: state.could ? 'lost' : 'quiet'}, state.could ? 'no way in' : 'never could');
    const cells = this.app.report.cells, by = new Map(), alike = new Map();
    const name = (row) => (cells.get('mechanism', row) === 'auto' ? cells.get('used', row) || 'as installed' : cells.get('mechanism', row));
    for (const row of state.ways) {
      const t = cells.get('transport', row);
      if (!by.has(t)) by.set(t, []);
      by.get(t).push(row);
    }
    for (const t of inOrder(by.keys(), TRANSPORTS)) { // links with the same ways are told together
      const rows = by.get(t).sort((a, b) => MECHANISMS.indexOf(name(a)) - MECHANISMS.indexOf(name(b)));
      const key = rows.map((row) => name(row) + this.shows(row)).join();
      if (alike.has(key)) alike.get(key).links.push(TRANSPORT_WORDS[t].short);
      else alike.set(key, {links: [TRANSPORT_WORDS[t].short], rows});
    }
    return h('div', {class: 'ways'}, [...alike.values()].map(({links, rows}) => h('div', {}, h('span', {class: 'leg'}, links.join(', ')),
      h('div', {}, rows.map((row) => h('button', {type: 'button', class: 'way' + (this.shows(row) ? ' tone-leak' : ''), onclick: () => this.app.openCell(row)},
        (this.shows(row) ? '▲ ' : '') + name(row)))))));
  }
}
