// The policy view: a setting for each mechanism, and who then logs in. Each cell
// was measured with its own mechanism permitted, so what a client can do under a
// policy is the sum of its cells.

const SHOWS_SECRET = ['PLAIN', 'LOGIN', 'USER/PASS', 'XOAUTH2', 'OAUTHBEARER'];

// GENERIC are rules of thumb beside the policies that have a name.
const GENERIC = [
  {name: 'Passwords inside TLS', of: (m) => (SHOWS_SECRET.includes(m) ? 'secure' : 'allow'), about: 'what shows a password or a token inside TLS only, the rest everywhere'},
  {name: 'No readable passwords', of: (m) => (SHOWS_SECRET.includes(m) ? 'deny' : 'allow'), about: 'what shows a password or a token is denied, the rest is allowed'},
  {name: 'Everything allowed', of: () => 'allow', about: 'every mechanism, everywhere: what the others are compared with'},
];

const FATES = {
  keeps: {glyph: '✓', word: 'keeps working', several: 'keep working', tone: 'good'},
  leaks: {glyph: '▲', word: 'works, readable in clear', several: 'work, readable in clear', tone: 'leak'},
  part: {glyph: '△', word: 'lost in part', tone: 'hash'},
  lost: {glyph: '✖', word: 'lost', tone: 'fail'},
  never: {glyph: '–', word: 'never could', tone: 'off'},
};

// SHOWING counts across the fates: a password that was sent is known, whatever
// the server answers.
const SHOWING = {glyph: '▲', word: 'shows a password or token in clear, let in or not', several: 'show a password or token in clear, let in or not', tone: 'leak'};

// PARTIAL are the flags of a run that leave out ways in: whom it calls lost may
// have one.
const PARTIAL = ['mechanism', 'transport', 'setting', 'database', 'override', 'credential', 'only', 'shard', 'rerun-failed'];

// What is said of a policy that was given as a whole: of a run by its name, and of
// a server that is not ours how it stands, which is no policy of anybody's choice.
const explaining = (name) => (typeable(name) ? 'mailmatrix policy explain ' + quote(name) : '');
const itsOwn = (named) => ({name: named ? 'This run’s policy: ' + named : 'This run’s policy', about: 'what the report is about'});
const asItIs = (named) => ({
  name: 'As the server is' + (named ? ` (judged against ${named})` : ''), about: 'each client as it is installed, foretold from what the server was seen to offer' + (named ? ', and not from the policy' : ''),
  stands: 'As it is', foretells: ' asks who is lost if the server keeps to that policy.',
});

class PolicyView {
  constructor(app) {
    this.app = app;
    const r = app.report;
    this.targets = r.targets.map((_, i) => i).filter((i) => r.axes.some((a) => a.target === i));
    this.restore(new URLSearchParams());
  }

  // goTo takes what can be asked of a target from its own cells.
  goTo(target) {
    const r = this.app.report, named = policyOf(r, target), remote = r.targets[target]?.kind !== 'reference';
    const values = (axis, order) => inOrder(new Set(r.axes.filter((a) => a.target === target).map((a) => a[axis])), order);
    const settings = values('setting', SETTINGS);
    this.target = target;
    this.flavours = values('flavour', ['classic', 'modern']);
    this.flavour = this.flavours.includes(this.flavour) ? this.flavour : this.flavours[this.flavours.length - 1];
    this.protocols = values('protocol', ['smtp', 'pop3']);
    this.mechanisms = inOrder(r.cells.values('mechanism'), MECHANISMS).filter((m) => m !== 'auto');
    this.given = settings.filter((s) => !SETTINGS.includes(s));
    this.free = SETTINGS.every((s) => settings.includes(s));
    this.presets = [
      ...(this.given.length ? [{given: true, ...(remote ? asItIs(named) : itsOwn(named)), explain: remote ? r.explain?.[target] : named && explaining(named)}] : []),
      ...(this.free ? [...this.app.policies.map((p) => ({
        name: p.name, about: p.about, explain: explaining(p.name), of: (m, protocol) => p.own?.[protocol]?.[m] ?? p.common?.[m] ?? 'deny',
      })), ...GENERIC] : []),
    ];
    this.choose(this.presets.find((p) => p.name === this.preset?.name) || this.presets[0]);
  }

  // restore goes where an address says: by default to this run's policy, or the
  // first. It reports whether there is all that was asked for.
  restore(asked) {
    const target = Number(asked.get('target')) || 0, found = this.targets.includes(target);
    this.preset = null;
    this.flavour = asked.get('flavour');
    this.q = asked.get('q') || '';
    this.fate = asked.get('fate') || '';
    this.goTo(found ? target : this.targets[0]);
    const name = asked.get('policy'), preset = this.presets.find((p) => p.name === name);
    if (preset) this.choose(preset);
    if (asked.has('own') && this.free) this.chooseOwn(asked.get('own'));
    return (found || !asked.has('target')) && (!!preset || !name) && (!asked.has('flavour') || this.flavour === asked.get('flavour'));
  }

  address() {
    const parts = [['target', this.target], ['policy', this.preset && this.preset !== this.presets[0] && this.preset.name], ['own', !this.preset && this.free && this.own()],
      ['flavour', this.flavour], ['fate', this.fate], ['q', this.q]];
    return parts.filter(([, v]) => v).map(([name, v]) => name + '=' + encodeURIComponent(v));
  }

  // choose takes a setting of each mechanism in each protocol from a preset.
  choose(preset) {
    this.preset = preset;
    this.policy = new Map(this.protocols.map((p) => [p, new Map(this.mechanisms.map((m) => [m, preset?.of?.(m, p) || 'deny']))]));
  }

  // own writes down a policy of the reader's own, such as
  // "PLAIN:secure,pop3/APOP:allow"; what is not in it is denied.
  own() {
    return this.mechanisms.flatMap((m) => {
      const set = this.protocols.map((p) => [p, this.policy.get(p).get(m)]), alike = set.every(([, s]) => s === set[0][1]);
      return (alike ? [[m, set[0][1]]] : set.map(([p, s]) => [p + '/' + m, s])).filter(([, s]) => s !== 'deny').map((pair) => pair.join(':'));
    }).join() || 'nothing';
  }

  chooseOwn(text) {
    this.choose(null);
    for (const entry of text.split(',')) {
      const [named, setting] = entry.split(':'), protocol = this.protocols.find((p) => named.startsWith(p + '/')), m = protocol ? named.slice(protocol.length + 1) : named;
      if (!SETTINGS.includes(setting) || !this.mechanisms.includes(m)) continue;
      for (const p of protocol ? [protocol] : this.protocols) this.policy.get(p).set(m, setting);
    }
  }

  build(main) {
    const r = this.app.report;
    this.picks = h('div', {class: 'presets', role: 'group', 'aria-label': 'Policies'});
    this.about = h('div', {class: 'about sub'});
    this.editor = h('div', {});
    this.result = h('div', {class: 'result'});
    this.what = h('summary', {});
    const side = h('section', {class: 'side', 'aria-label': 'The policy'}, h('h2', {}, 'Pick a policy'), this.picks, this.about,
      h('details', {class: 'editor', open: matchMedia('(min-width: 961px)').matches}, this.what, this.editor));
    this.flavourBox = h('span', {});
    const bar = h('div', {class: 'bar'}, this.flavourBox,
      this.targets.length < 2 ? '' : menu('Target', this.targets.map((i) => ({value: String(i), word: r.targets[i].name})), String(this.target), (v) => {
        this.goTo(Number(v));
        this.refresh();
        this.app.remember();
      }),
      search('Client', this.q, (v) => { this.q = v; this.draw(); this.app.remember(); }));
    this.tallies = h('div', {class: 'tallies', role: 'group', 'aria-label': 'Show only'});
    this.count = h('p', {class: 'count', role: 'status'});
    this.note = h('p', {class: 'note count'});
    this.heading = h('h2', {});
    main.append(h('div', {class: 'columns'}, side, h('section', {'aria-label': 'Who logs in'}, this.heading, bar, this.tallies, this.note, this.count, this.result)));
    this.refresh();
  }

  // refresh draws what depends on the target, and all the rest.
  refresh() {
    this.flavourBox.replaceChildren(this.flavours.length < 2 ? '' : segments('Server', 'policy-flavour', this.flavours.map((v) => ({value: v, word: v})), this.flavour, (v) => {
      this.flavour = v;
      this.compute();
      this.app.remember();
    }));
    this.flavourBox.hidden = this.flavours.length < 2;
    this.what.textContent = this.free ? 'Mechanism by mechanism' : 'What this is';
    const left = PARTIAL.filter((axis) => askedOf(this.app.report, this.target).selection?.[axis]);
    this.note.replaceChildren(...(this.free ? ['A client keeps working if one of its mechanisms lets it in on one of its links: its user may have to choose them. It is taken with a database that has the mechanism. ' +
      'Who has no way in would have one with everything allowed; who never could, not even then.'] :
      this.given.length ? ['Each client chooses as it is installed, and is lost where that does not let it in. What its user could set instead was not measured: ', h('code', {}, 'mailmatrix policy explain'), ' foretells it.'] :
        ['Not every setting was tried here, so nobody can say who is kept under a policy.']),
    left.length ? h('b', {}, ' This run was narrowed by ' + left.join(', ') + ': who is lost may have a way in that was not tried.') : '');
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
    this.drawAbout();
    const p = this.preset;
    if (!this.free) {
      this.editor.replaceChildren(h('p', {class: 'note'}, this.app.report.targets[this.target]?.kind === 'reference' ?
        'A run without --policy measures every setting of every mechanism, and here lets you pick among them.' :
        'A server in service is looked at as it stands: nobody has put it under other policies.'));
      return;
    }
    if (p?.given) {
      this.editor.replaceChildren(h('p', {class: 'note'}, 'Measured, each client choosing as it is installed.'));
      return;
    }
    this.editor.replaceChildren(...this.mechanisms.flatMap((m) => {
      const alike = this.protocols.every((p) => this.policy.get(p).get(m) === this.policy.get(this.protocols[0]).get(m));
      return alike ? [this.drawSetting(m, this.protocols)] : this.protocols.map((p) => this.drawSetting(m, [p]));
    }));
  }

  drawAbout() {
    const p = this.preset, said = p ? capital(p.about) + '.' : this.free ? 'A policy of your own.' : 'No policy was measured.';
    this.about.replaceChildren(h('p', {}, said), p?.explain ? h('p', {}, h('code', {}, p.explain),
      p.given ? p.foretells || '' : ' foretells the same of the modern server. Whom it calls lost is here lost, lost in part, or never could; it tells as well who needs a setting.') : '');
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
        this.drawAbout();
        this.compute();
        this.app.remember();
      },
    }), h('span', {}, s))));
  }

  // waysIn are the cells under a policy, by client and protocol: those in which
  // somebody logs in, with a database that has the mechanism, and those in which a
  // listener reads a secret, whatever comes of it.
  waysIn(settingOf) {
    const r = this.app.report, cells = r.cells, best = new Map(), all = new Map();
    for (const {target, flavour, protocol, setting, override, credential} of r.axes) {
      if (target !== this.target || flavour !== this.flavour || override !== 'none' || credential !== 'account') continue;
      for (const i of sliceOf(r, {target, flavour, protocol, setting, override, credential})) {
        const mechanism = cells.get('mechanism', i), client = clientName(cells, i);
        if (cells.get('profile', i) === 'probe' || !settingOf(mechanism, setting, protocol)) continue;
        if (!all.has(client)) all.set(client, new Map());
        if (!all.get(client).has(protocol)) all.get(client).set(protocol, {ways: [], shown: []});
        if (this.shows(i)) all.get(client).get(protocol).shown.push(i);
        const key = [client, protocol, mechanism, cells.get('transport', i)].join('|');
        best.set(key, bestDatabase(r, i, best.get(key)));
      }
    }
    for (const row of best.values()) {
      if (cells.get('outcome', row) === 'logged-in' || (this.preset?.given && cells.get('basis', row) === 'predicted' && cells.get('expected', row)?.[0] === 'logged-in')) {
        all.get(clientName(cells, row)).get(cells.get('protocol', row)).ways.push(row);
      }
    }
    return all;
  }

  compute() {
    const name = this.preset?.name || (this.free ? 'a policy of your own' : 'no policy');
    this.heading.textContent = [this.preset?.given ? name : 'Under ' + name, this.targets.length > 1 && this.app.report.targets[this.target].name,
      this.flavours.length > 1 && 'server ' + this.flavour].filter(Boolean).join(', ');
    const free = (m, s) => m !== 'auto' && SETTINGS.includes(s);
    const under = this.preset?.given ? this.waysIn((m, s) => m === 'auto' && this.given.includes(s)) :
      this.free ? this.waysIn((m, s, p) => free(m, s) && this.policy.get(p).get(m) === s) : new Map();
    const could = this.free ? this.waysIn((m, s) => free(m, s) && s === 'allow') : under;
    this.clients = [...new Set([...could.keys(), ...under.keys()])].map((name) => {
      const at = (all, p) => all.get(name)?.get(p), protocols = this.protocols.filter((p) => at(could, p) || at(under, p));
      const states = protocols.map((p) => ({protocol: p, ways: at(under, p)?.ways || [], shown: at(under, p)?.shown || [], could: !this.free || at(could, p)?.ways.length > 0}));
      return {client: this.app.report.client.get(name), states, fate: this.fateOf(states), shows: states.some((s) => s.shown.length > 0)};
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
    const q = this.q.trim().toLowerCase(), tiles = {...FATES, shows: SHOWING}, of_ = (fate) => (c) => (fate === 'shows' ? c.shows : c.fate === fate);
    const named = this.clients.filter((c) => !q || (c.client.title + ' ' + c.client.name).toLowerCase().includes(q)), found = this.fate in tiles ? named.filter(of_(this.fate)) : named;
    this.tallies.replaceChildren(...Object.entries(tiles).map(([name, look]) => {
      const n = named.filter(of_(name)).length;
      return h('button', {
        type: 'button', class: 'tally tone-edge-' + look.tone, 'aria-pressed': String(this.fate === name),
        onclick: () => {
          this.fate = this.fate === name ? '' : name;
          this.draw();
          this.app.remember();
          this.tallies.children[Object.keys(tiles).indexOf(name)].focus();
        },
      }, h('b', {}, number(n)), h('span', {}, h('i', {'aria-hidden': 'true'}, look.glyph), ' ' + (n !== 1 && look.several || look.word)));
    }));
    this.count.textContent = found.length ? of(found.length, 'client') + (found.length < this.clients.length ? ' of ' + number(this.clients.length) : '') :
      this.clients.length ? 'No client matches: take a filter back.' : 'No client was tried here.';
    this.result.replaceChildren(found.length ? plainTable(['Client', this.preset?.stands || 'Under this policy', ...this.protocols.map(protocolWord)], found.map((c) => [
      h('button', {type: 'button', class: 'client', onclick: () => this.app.openClient(c.client.name)}, c.client.title),
      h('span', {class: 'badge tone-' + FATES[c.fate].tone}, h('i', {'aria-hidden': 'true'}, FATES[c.fate].glyph), ' ' + FATES[c.fate].word),
      ...this.protocols.map((p) => this.drawWays(c.states.find((s) => s.protocol === p))),
    ]), 'Clients, and their ways in') : '');
  }

  drawWays(state) {
    if (!state) return h('span', {class: 'quiet'}, 'does not speak it');
    const cells = this.app.report.cells, by = new Map(), alike = new Map();
    const name = (row) => (cells.get('mechanism', row) === 'auto' ? cells.get('used', row) || 'own choice' : cells.get('mechanism', row));
    const way = (row, word) => h('button', {type: 'button', class: 'way' + (this.shows(row) ? ' tone-leak' : ''), onclick: () => this.app.openCell(row)}, (this.shows(row) ? '▲ ' : '') + word);
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
    const inVain = new Map(state.shown.filter((row) => cells.get('outcome', row) !== 'logged-in').map((row) => [cells.get('transport', row) + name(row), row]));
    return h('div', {class: 'ways'}, state.ways.length ? '' : h('span', {class: state.could ? 'lost' : 'quiet'}, state.could ? 'no way in' : 'never could'),
      [...alike.values()].map(({links, rows}) => h('div', {}, h('span', {class: 'leg'}, links.join(', ')), h('div', {}, rows.map((row) => way(row, name(row)))))),
      [...inVain.values()].map((row) => h('div', {}, h('span', {class: 'leg'}, TRANSPORT_WORDS[cells.get('transport', row)].short), h('div', {}, way(row, name(row) + ', shown in vain')))));
  }
}
