// The whole: what is shown, and the address of it.

class App {
  constructor(policies) {
    this.policies = policies;
    this.detail = new Detail(this);
    byID('theme').addEventListener('click', () => this.theme());
    byID('file').addEventListener('change', (e) => this.file(e.target.files[0]));
    window.addEventListener('hashchange', () => this.follow());
    window.addEventListener('beforeprint', () => this.printed && this.printed());
    document.addEventListener('keydown', (e) => this.key(e));
    this.theme(stored('mailmatrix-theme') || 'auto');
  }

  open(report) {
    this.report = openReport(report);
    const r = this.report;
    // A history alone is shown without a report: there is nothing else to say.
    this.alone = r.history.length > 0 && !r.targets.length;
    this.views = [
      ['support', 'Support', r.cells.rows, () => new SupportView(this)],
      ['policy', 'Policy', r.cells.rows, () => new PolicyView(this)],
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
    this.head();
    this.tabs();
    this.follow();
  }

  head() {
    const r = this.report, sum = (name) => [r.totals, r.scenario_totals, r.case_totals].reduce((n, t) => n + (t?.[name] || 0), 0);
    if (this.alone) {
      byID('subject').textContent = r.history.map((each) => each.target).join(', ');
      byID('verdict').replaceChildren();
      return byID('proved').replaceChildren();
    }
    byID('subject').textContent = r.targets.length ? r.targets.map((t) => (t.kind === 'reference' ? 'the reference server' : t.name)).join(', ') : 'no target';
    const fails = sum('fail'), end = r.conclusion || concluded(r, sum);
    const [word, tone, glyph] = end.status === 2 ? ['INCOMPLETE', 'hash', '?'] : end.status === 0 ? ['CONFORMING', 'good', '✓'] :
      [fails ? 'NOT CONFORMING' : 'NOT AS EXPECTED', 'fail', '✖'];
    const parts = [[sum('wrongly_accepted'), 'wrongly accepted'], [sum('wrongly_refused'), 'wrongly refused'], [fails, 'failed'], [sum('warn'), sum('warn') === 1 ? 'warning' : 'warnings'],
      [sum('broken'), 'broken'], [sum('excused'), 'excused'], [sum('skip'), 'skipped'], [sum('pass'), 'passed']];
    byID('verdict').replaceChildren(h('span', {class: 'badge big tone-' + tone}, h('span', {'aria-hidden': 'true'}, glyph), ' ' + word),
      h('ul', {}, parts.filter(([n], i) => n || i < 2).map(([n, what]) => h('li', {}, h('b', {}, number(n)), ' ' + what))),
    end.incomplete ? h('p', {class: 'note'}, capital(end.incomplete)) : '');
    this.proved();
  }

  // proved says how well the clients are known: it stands over every view.
  proved() {
    const r = this.report, clients = [...r.client.values()].filter((c) => c.name !== 'probe');
    if (!clients.length) return byID('proved').replaceChildren();
    const by = (known) => clients.filter((c) => c.known === known).length, facts = {};
    for (const c of clients) for (const [k, n] of Object.entries(c.facts || {})) facts[k] = (facts[k] || 0) + n;
    const all = Object.values(facts).reduce((a, b) => a + b, 0), proven = (facts.observed || 0) + (facts.source || 0);
    const meter = h('span', {class: 'meter', 'aria-hidden': 'true'}, h('i', {}), h('i', {}));
    meter.children[0].style.width = (100 * by('recordings')) / clients.length + '%';
    meter.children[1].style.width = (100 * by('source')) / clients.length + '%';
    byID('proved').replaceChildren(meter, h('span', {}, h('b', {}, `${by('recordings')} of ${of(clients.length, 'client')}`),
      ` proved by recordings (${percent(by('recordings'), clients.length)}), ${by('source')} read in their source, ${by('papers')} from papers` +
      (all ? `; ${percent(proven, all)} of ${of(all, 'fact')} observed or read` : '; each by the least certain of the facts that were used here')));
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
    const v = this.views.find((each) => each.id === id) || this.views[0];
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
    this.remember();
    return v.made;
  }

  // remember writes down where we are, so that the address can be shared.
  remember() {
    if (!this.current || this.detail.dialog.open) return;
    const parts = ['view=' + this.current.id], made = this.current.made;
    if (made instanceof SupportView && made.at) {
      for (const axis of [...AXES, 'database']) if (made.at[axis] !== '' && made.at[axis] !== 0) parts.push(axis + '=' + encodeURIComponent(made.at[axis]));
      if (made.aside) parts.push('target=all');
      for (const [name, value] of Object.entries(made.filter)) if (value) parts.push(name + '=' + encodeURIComponent(value));
    }
    if (made instanceof PolicyView) parts.push(...made.address());
    this.address(parts.join('&'));
  }

  address(text) {
    this.here = '#' + text;
    try { history.replaceState(null, '', this.here); } catch { location.hash = text; } // some browsers keep files from it
  }

  // follow goes where the address says.
  follow() {
    if (location.hash === this.here || !this.report) return;
    const hash = safeDecode(location.hash.slice(1)), [kind, id] = [hash.slice(0, hash.indexOf('=')), hash.slice(hash.indexOf('=') + 1)];
    if (this.detail.dialog.open) this.detail.dialog.close();
    if (kind === 'cell' && this.cellAt(id)) return;
    if (kind === 'client' && this.report.client.has(id)) { this.view('support'); return this.openClient(id); }
    for (const [name, table, view, key] of [['case', this.report.cases, 'compliance', (i) => caseKey(this.report, i)],
      ['scenario', this.report.scenarios, 'experiments', (i) => this.report.scenarios.get('id', i)]]) {
      if (kind !== name) continue;
      for (let i = 0; i < table.rows; i++) {
        if (key(i) !== id && table.get('id', i) !== id) continue;
        this.view(view);
        return name === 'case' ? this.openCase(i) : this.openScenario(i);
      }
    }
    const past = kind === 'past' && this.report.history.find((each) => id.startsWith(each.target + '/'));
    if (past) { this.view('history'); return this.openChange(past, id.slice(past.target.length + 1)); }
    const asked = new URLSearchParams(location.hash.slice(1)), v = this.views.find((each) => each.id === asked.get('view')) || this.views[0];
    if (v.id === 'support') this.restore(v, asked);
    if (v.id === 'policy') this.restorePolicy(v, asked);
    this.view(v.id);
  }

  restore(v, asked) {
    v.made ??= v.make();
    if (!v.made.at) v.made.start();
    for (const axis of [...AXES, 'database']) if (asked.has(axis)) v.made.at[axis] = axis === 'target' ? Number(asked.get(axis)) || 0 : asked.get(axis);
    v.made.aside = asked.get('target') === 'all';
    for (const name of Object.keys(v.made.filter)) v.made.filter[name] = asked.get(name) || '';
    if (!sliceOf(this.report, v.made.at).length) v.made.start();
    this.current = null; // draw it anew
  }

  restorePolicy(v, asked) {
    v.made ??= v.make();
    v.made.restore(asked.get('policy'), asked.get('flavour'));
    this.current = null;
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

  async file(file) {
    if (!file) return;
    this.address(''); // which was about another report
    await this.load(() => file.text().then(JSON.parse));
  }

  // load opens a report, or says why it cannot.
  async load(read) {
    try {
      this.open(await read());
    } catch (e) {
      byID('view').replaceChildren(h('p', {class: 'note', role: 'alert'}, 'This report cannot be shown: ' + e.message));
    }
  }
}

// concluded is the exit status of a report that does not bring it: JSON leaves it
// to the program.
function concluded(r, sum) {
  let control = false;
  for (let i = 0; i < r.scenarios.rows; i++) {
    control ||= r.scenarios.get('kind', i) === 'control' && !['pass', 'skip'].includes(r.scenarios.get('verdict', i));
  }
  if (!r.complete || control) return {status: 2, incomplete: control ? 'a control failed, so the rest proves nothing' : 'interrupted: what follows is only what was done'};
  if (sum('fail') || (r.expectations || []).some((e) => e.problem !== 'unused')) return {status: 1};
  const open = sum('broken') + sum('unjudged') || !(sum('pass') + sum('warn') + sum('excused')) || r.expectations?.length;
  return {status: open ? 2 : 0};
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
new App(own.policies || []).load(() => (elsewhere ? fetched(elsewhere) : own));
