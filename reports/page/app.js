// The whole: what is shown, and the address of it.

class App {
  constructor(own) {
    this.own = own;
    this.policies = own.policies || [];
    this.detail = new Detail(this);
    byID('theme').addEventListener('click', () => this.theme());
    byID('file').addEventListener('change', (e) => this.file(e.target));
    window.addEventListener('hashchange', () => this.follow());
    window.addEventListener('beforeprint', () => this.printed && this.printed());
    document.addEventListener('keydown', (e) => this.key(e));
    this.theme(stored('mailmatrix-theme') || 'auto');
  }

  // open shows a report: the address is about it, unless another was open before.
  open(report) {
    const r = openReport(report, report === this.own);
    if (this.report) this.address('');
    this.report = r;
    this.findings = findingsOf(this);
    // A history alone is shown without a report: there is nothing else to say.
    this.alone = r.history.length > 0 && !r.targets.length;
    this.views = [
      ['support', 'Support', r.cells.rows, () => new SupportView(this)],
      ['policy', 'Policy', r.cells.rows, () => new PolicyView(this)],
      ['findings', 'Findings', this.findings.length, () => findingsView(this, this.findings)],
      ['doors', 'Doors', r.targets.some((t) => t.kind !== 'reference'), () => doorsView(this)],
      ['compliance', 'Compliance', r.cases.rows, () => complianceView(this)],
      ['experiments', 'Experiments', r.scenarios.rows, () => experimentsView(this)],
      ['history', 'History', r.history.length, () => historyView(this)],
      ['untested', 'Not tested', !this.alone, () => notTestedView(this)],
      ['about', 'About', !this.alone, () => aboutView(this)],
    ].filter(([, , has]) => has).map(([id, word, , make]) => ({id, word, make}));
    if (r.targets.some((t) => t.kind !== 'reference')) { // what is asked first of a server in service
      const doors = this.views.findIndex((v) => v.id === 'doors');
      this.views.unshift(...this.views.splice(doors, 1));
    }
    this.current = this.here = null; // the address is followed anew
    drawHead(r, this.alone);
    this.tabs();
    this.follow();
  }

  tabs() {
    byID('tabs').replaceChildren(...this.views.map((v, i) => h('button', {
      type: 'button', role: 'tab', id: 'tab-' + v.id, 'aria-controls': 'view', 'aria-selected': 'false', tabindex: '-1',
      onclick: () => this.view(v.id), onkeydown: (e) => {
        const to = {ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: this.views.length - 1}[e.key];
        if (to === undefined) return;
        e.preventDefault();
        const next = this.views[(to + this.views.length) % this.views.length];
        this.view(next.id);
        byID('tab-' + next.id).focus();
      },
    }, v.word)));
  }

  view(id) {
    const v = this.views.find((each) => each.id === id) || this.views[0], moves = this.current && this.current !== v;
    if (this.current !== v) {
      this.current = v;
      this.printed = null;
      v.made ??= v.make();
      const panel = byID('view');
      panel.replaceChildren();
      panel.setAttribute('aria-labelledby', 'tab-' + v.id);
      v.made.build(panel);
      for (const each of this.views) {
        const tab = byID('tab-' + each.id);
        tab.setAttribute('aria-selected', String(each === v));
        tab.setAttribute('tabindex', each === v ? '0' : '-1');
      }
      byID('tab-' + v.id).scrollIntoView({block: 'nearest', inline: 'nearest'});
    }
    this.remember(moves ? 'push' : '');
    return v.made;
  }

  // remember writes down where we are, so that the address can be shared.
  remember(how) {
    if (!this.current || this.detail.dialog.open) return;
    this.address(['view=' + this.current.id, ...(this.current.made.address?.() || [])].join('&'), how);
  }

  // address writes an address, and reports whether the reader comes back from it
  // to the one before. What is followed comes after another already; so does a
  // spare one, which stands where a dialog was closed: the next takes its place.
  address(text, how) {
    const moves = how === 'push' && !this.following, push = moves && !history.state?.spare;
    this.here = '#' + text;
    try {
      history[push ? 'pushState' : 'replaceState'](how === 'spare' ? {spare: true} : null, '', this.here);
    } catch { // some browsers keep files from it
      location.hash = text;
    }
    return moves;
  }

  // say tells the reader what is not to be seen in the view itself.
  say(text, role) {
    byID('said').replaceChildren(text ? h('p', {class: 'note', role}, text) : '');
  }

  // follow goes where the address says.
  follow() {
    if (location.hash === this.here || !this.report) return;
    const hash = location.hash.slice(1);
    this.say('');
    this.following = true;
    this.detail.leave();
    const [kind, id] = [hash.slice(0, hash.indexOf('=')), hash.slice(hash.indexOf('=') + 1)];
    try {
      if (!this.followResult(kind, safeDecode(id))) this.followView(new URLSearchParams(hash), hash);
    } finally {
      this.following = false;
    }
  }

  // followResult opens the one result that an address names.
  followResult(kind, id) {
    const r = this.report;
    if (kind === 'cell') return this.cellAt(id);
    if (kind === 'client' && r.client.has(id)) {
      this.view('support');
      this.openClient(id);
      return true;
    }
    for (const [name, table, view, key, open] of [['case', r.cases, 'compliance', (i) => caseAddress(r, i), (i) => this.openCase(i)],
      ['scenario', r.scenarios, 'experiments', (i) => scenarioAddress(r, i), (i) => this.openScenario(i)]]) {
      if (kind !== name) continue;
      const rows = Array.from({length: table.rows}, (_, i) => i), at = rows.find((i) => key(i) === id) ?? rows.find((i) => table.get('id', i) === id);
      if (at === undefined) return false;
      this.view(view);
      open(at);
      return true;
    }
    const past = kind === 'past' && r.history.find((each) => id.startsWith(each.target + '/'));
    if (!past) return false;
    this.view('history');
    this.openChange(past, id.slice(past.target.length + 1));
    return true;
  }

  // followView shows a view as the address has it, and says where it has not.
  followView(asked, hash) {
    const named = this.views.find((each) => each.id === asked.get('view')), v = named || this.views[0];
    v.made ??= v.make();
    const found = v.made.restore?.(asked) ?? true;
    this.current = null; // draw it anew
    this.view(v.id);
    if (!named && hash) this.say('This report has no such result: ' + safeDecode(hash));
    else if (!found && hash) this.say('This report has no such cells; these are the nearest.');
  }

  cellAt(id) {
    const row = findCell(this.report, id);
    if (row === undefined) return false;
    const v = this.views.find((each) => each.id === 'support');
    v.made ??= v.make();
    v.made.go(row);
    for (const name of Object.keys(v.made.filter)) v.made.filter[name] = '';
    this.current = null;
    this.view('support').focusCell(row);
    this.openCell(row);
    return true;
  }

  openCell(row) { this.detail.cell(row); }
  openCase(row) { this.detail.case(row); }
  openScenario(row) { this.detail.scenario(row); }
  openClient(name) { this.detail.client(name); }

  // openChange opens the result that changed, or what was kept of it.
  openChange(history, id) {
    const r = this.report, target = r.targets.findIndex((t) => t.name === history.target);
    const cell = findCell(r, id + (target > 0 ? '@' + history.target : ''));
    if (cell !== undefined && r.cells.get('target', cell) === target) return this.openCell(cell);
    for (const [table, key, open] of [[r.cases, (i) => caseKey(r, i), (i) => this.openCase(i)], [r.scenarios, (i) => r.scenarios.get('id', i), (i) => this.openScenario(i)]]) {
      for (let i = 0; i < table.rows; i++) if (table.get('target', i) === target && key(i) === id) return open(i);
    }
    return this.detail.past(history, id);
  }

  key(e) {
    if (e.ctrlKey || e.altKey || e.metaKey || this.detail.dialog.open || !this.views) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName) && e.target.type !== 'radio') return;
    const v = this.views[Number(e.key) - 1];
    if (v && /^[1-9]$/.test(e.key)) {
      this.view(v.id);
      byID('tab-' + v.id).focus();
    }
  }

  theme(to) {
    const all = ['auto', 'light', 'dark'];
    this.scheme = to || all[(all.indexOf(this.scheme) + 1) % all.length];
    document.documentElement.dataset.theme = this.scheme;
    byID('theme').textContent = 'Theme: ' + this.scheme;
    if (!to) try { localStorage.setItem('mailmatrix-theme', this.scheme); } catch { /* a file has no store everywhere */ }
  }

  async file(input) {
    const [file] = input.files;
    input.value = ''; // so that the same can be chosen again, when it was mended
    if (file) await this.load(() => file.text().then(JSON.parse));
  }

  // load opens a report, or says why it cannot: then what was open stays.
  async load(read) {
    const shown = this.report, before = this.raw;
    try {
      const raw = await read();
      this.say('');
      this.open(raw);
      this.raw = raw;
    } catch (e) {
      if (!before) byID('view').replaceChildren();
      if (before && this.report !== shown) this.open(before);
      this.say('This report cannot be shown: ' + e.message, 'alert');
    }
  }
}

function stored(name) {
  try { return localStorage.getItem(name); } catch { return null; }
}

function safeDecode(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

async function fetched(address) {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) throw new Error('a report is taken from where the page itself is from');
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  return answer.json();
}

const own = JSON.parse(byID('report').textContent), elsewhere = new URLSearchParams(location.search).get('data');
new App(own).load(() => (elsewhere ? fetched(elsewhere) : own));
