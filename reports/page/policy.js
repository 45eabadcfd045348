// The policy view: a setting for each mechanism, and who then logs in. Each cell
// was measured with its own mechanism permitted, so what a client can do under a
// policy is the sum of its cells.

const SHOWS_PASSWORD = ['PLAIN', 'LOGIN', 'USER/PASS'];

// GENERIC are rules of thumb beside the policies that have a name.
const GENERIC = [
  {name: 'Passwords inside TLS', of: (m) => (SHOWS_PASSWORD.includes(m) ? 'secure' : 'allow'), about: 'what shows the password inside TLS only, the rest everywhere'},
  {name: 'No readable passwords', of: (m) => (SHOWS_PASSWORD.includes(m) ? 'deny' : 'allow'), about: 'what shows the password is denied, the rest is allowed'},
  {name: 'Everything allowed', of: () => 'allow', about: 'every mechanism, everywhere: what the others are compared with'},
];

const FATES = {
  keeps: {glyph: '✓', word: 'keeps working', several: 'keep working', tone: 'good'},
  leaks: {glyph: '▲', word: 'works, readable in clear', several: 'work, readable in clear', tone: 'leak'},
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
    this.protocols = inOrder(cells.values('protocol'), ['smtp', 'pop3']);
    this.mechanisms = inOrder(cells.values('mechanism'), MECHANISMS).filter((m) => m !== 'auto');
    this.target = 0;
    this.presets = [
      ...(this.given.length ? [this.givenPreset()] : []),
      ...(this.free ? [...app.policies.map((p) => ({name: p.name, about: p.about, flag: p.name, of: (m, protocol) => p.own?.[protocol]?.[m] ?? p.common?.[m] ?? 'deny'})), ...GENERIC] : []),
    ];
    this.restore();
  }

  // givenPreset is what the report is about: a policy given as a whole, or a
  // server as it stands.
  givenPreset() {
    const named = this.app.report.selection?.policy?.[0];
    return {given: true, name: named ? 'This run’s policy: ' + named : this.given.includes('policy') ? 'This run’s policy' : 'As the server is', about: 'what the report is about', flag: named};
  }

  // restore picks what an address asks for: by default this run's policy, or the first.
  restore(name, flavour) {
    const flavours = inOrder(this.app.report.cells.values('flavour'), ['modern', 'classic']);
    this.flavour = flavours.includes(flavour) ? flavour : flavours[0];
    this.choose(this.presets.find((p) => p.name === name) || this.presets[0]);
  }

  address() {
    return [...(this.preset && this.preset !== this.presets[0] ? ['policy=' + encodeURIComponent(this.preset.name)] : []), ...(this.flavour ? ['flavour=' + this.flavour] : [])];
  }

  // choose takes a setting of each mechanism in each protocol from a preset.
  choose(preset) {
    this.preset = preset;
    this.policy = new Map(this.protocols.map((p) => [p, new Map(this.mechanisms.map((m) => [m, preset?.of?.(m, p) || 'deny']))]));
  }

  build(main) {
    const r = this.app.report, changed = () => { this.compute(); this.app.remember(); };
    this.picks = h('div', {class: 'presets', role: 'group', 'aria-label': 'Policies'});
    this.about = h('div', {class: 'about sub'});
    this.editor = h('div', {});
    this.result = h('div', {class: 'result'});
    const side = h('section', {class: 'side', 'aria-label': 'The policy'}, h('h2', {}, 'Pick a policy'), this.picks, this.about,
      h('details', {class: 'editor', open: matchMedia('(min-width: 961px)').matches}, h('summary', {}, this.free ? 'Mechanism by mechanism' : 'What this is'), this.editor));
    const flavours = inOrder(r.cells.values('flavour'), ['classic', 'modern']);
    const bar = h('div', {class: 'bar'},
      flavours.length < 2 ? '' : segments('Server', 'policy-flavour', flavours.map((v) => ({value: v, word: v})), this.flavour, (v) => { this.flavour = v; changed(); }),
      r.targets.length < 2 ? '' : menu('Target', r.targets.map((t, i) => ({value: String(i), word: t.name})), String(this.target), (v) => { this.target = Number(v); changed(); }),
      search('Client', this.q, (v) => { this.q = v; this.draw(); }));
    this.tallies = h('div', {class: 'tallies', role: 'group', 'aria-label': 'Show only'});
    this.count = h('p', {class: 'count', role: 'status'});
    const note = h('p', {class: 'note count'}, this.free ?
      'A client keeps working if one of its mechanisms lets it in on one of its links: its user may have to choose them. Who has no way in would have one with everything allowed; who never could, not even then.' :
      ['Each client chooses as it is installed, and is lost where that does not let it in. What its user could set instead was not measured: ', h('code', {}, 'mailmatrix policy explain'), ' foretells it.']);
    this.heading = h('h2', {});
    main.append(h('div', {class: 'columns'}, side, h('section', {'aria-label': 'Who logs in'}, this.heading, bar, this.tallies, note, this.count, this.result)));
    this.drawPresets();
    this.compute();
  }

  drawPresets() {
    this.picks.replaceChildren(...this.presets.map((preset) => h('button', {
      type: 'button', 'aria-pressed': String(this.preset === preset), title: preset.about,
      onclick: () => {
        this.choose(preset);
        this.drawPresets();
        this.compute();
        this.app.remember();
        this.picks.querySelector('[aria-pressed="true"]')?.focus();
      },
    }, preset.name)));
    const p = this.preset;
    this.about.replaceChildren(p ? h('p', {}, capital(p.about) + '.') : h('p', {}, 'A policy of your own.'), p?.flag ? h('p', {}, h('code', {}, 'mailmatrix policy explain ' + p.flag),
      p.given ? '' : ' foretells the same of the modern server. Whom it calls lost is here lost, lost in part, or never could; it tells as well who needs a setting.') : '');
    if (p?.given) {
      this.editor.replaceChildren(h('p', {class: 'note'}, this.free ? 'Measured, each client choosing as it is installed.' :
        'A run without --policy measures every setting of every mechanism, and here lets you pick among them.'));
      return;
    }
    this.editor.replaceChildren(...this.mechanisms.flatMap((m) => {
      const alike = this.protocols.every((p) => this.policy.get(p).get(m) === this.policy.get(this.protocols[0]).get(m));
      return alike ? [this.drawSetting(m, this.protocols)] : this.protocols.map((p) => this.drawSetting(m, [p]));
    }));
  }

  // drawSetting is the choice for a mechanism, in all protocols or in one.
  drawSetting(m, protocols) {
    const of = protocols.length === this.protocols.length ? '' : protocols[0];
    return h('fieldset', {class: 'setting'}, h('legend', {}, m + (of ? ', ' + protocolWord(of) : '')), SETTINGS.map((s) => h('label', {}, h('input', {
      type: 'radio', name: 'set-' + m + of, value: s, checked: this.policy.get(protocols[0]).get(m) === s,
      onchange: () => {
        for (const p of protocols) this.policy.get(p).set(m, s);
        this.preset = null;
        this.picks.querySelectorAll('button').forEach((b) => b.setAttribute('aria-pressed', 'false'));
        this.about.replaceChildren(h('p', {}, 'A policy of your own.'));
        this.compute();
        this.app.remember();
      },
    }), h('span', {}, s))));
  }

  // waysIn are the cells in which somebody logs in, by client and protocol.
  waysIn(settingOf) {
    const r = this.app.report, cells = r.cells, best = new Map();
    for (const protocol of cells.values('protocol')) {
      for (const setting of cells.values('setting')) {
        const slice = sliceOf(r, {target: this.target, flavour: this.flavour, protocol, setting, override: 'none', credential: 'account'});
        for (const i of slice) {
          if (cells.get('profile', i) === 'probe' || !settingOf(cells.get('mechanism', i), setting, protocol)) continue;
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
      if (cells.get('outcome', row) === 'logged-in' || (this.preset?.given && cells.get('basis', row) === 'predicted' && cells.get('expected', row)?.[0] === 'logged-in')) {
        ways.get(client).get(protocol).push(row);
      }
    }
    return ways;
  }

  compute() {
    const several = this.app.report.cells.values('flavour').length > 1;
    this.heading.textContent = (this.preset?.given ? this.preset.name : 'Under ' + (this.preset?.name || 'a policy of your own')) + (several ? ', server ' + this.flavour : '');
    const free = (m, s) => m !== 'auto' && SETTINGS.includes(s);
    const under = this.preset?.given ? this.waysIn((m, s) => m === 'auto' && this.given.includes(s)) :
      this.waysIn((m, s, p) => free(m, s) && this.policy.get(p).get(m) === s);
    const could = this.free ? this.waysIn((m, s) => free(m, s) && s === 'allow') : under;
    this.clients = [...new Set([...could.keys(), ...under.keys()])].map((name) => {
      const protocols = inOrder(new Set([...(could.get(name)?.keys() || []), ...(under.get(name)?.keys() || [])]), ['smtp', 'pop3']);
      const states = protocols.map((p) => ({protocol: p, ways: under.get(name)?.get(p) || [], could: !this.free || (could.get(name)?.get(p) || []).length > 0}));
      return {client: this.app.report.client.get(name), states, fate: this.fateOf(states)};
    }).sort((a, b) => a.client.title.localeCompare(b.client.title, 'en', {sensitivity: 'base'}));
    this.draw();
  }

  fateOf(states) {
    const works = states.filter((s) => s.ways.length);
    if (!works.length) return states.some((s) => s.could) ? 'lost' : 'never';
    if (works.length < states.length) return 'part';
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
      }, h('b', {}, number(n)), h('span', {}, h('i', {'aria-hidden': 'true'}, look.glyph), ' ' + (n !== 1 && look.several || look.word)));
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
    const name = (row) => (cells.get('mechanism', row) === 'auto' ? cells.get('used', row) || 'own choice' : cells.get('mechanism', row));
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
