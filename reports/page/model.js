'use strict';

// The report in memory. Results are tables of columns: for each column the
// distinct values, and for each row which of them it has.

function unpack({bits, count, data}) {
  const text = atob(data), numbers = bits <= 8 ? new Uint8Array(count) : new Uint32Array(count);
  let held = 0, have = 0, at = 0; // bits that were read and belong to the next number
  for (let i = 0; i < count; i++) {
    while (have < bits) {
      held += text.charCodeAt(at++) * 2 ** have;
      have += 8;
    }
    numbers[i] = held % 2 ** bits;
    held = Math.floor(held / 2 ** bits);
    have -= bits;
  }
  return numbers;
}

class Table {
  constructor(rows, columns) {
    this.rows = rows;
    this.columns = columns;
  }

  static packed(raw) {
    const columns = {};
    for (const [name, c] of Object.entries(raw.columns)) {
      columns[name] = {values: c.values, index: c.index ? unpack(c.index) : null};
    }
    return new Table(raw.rows, columns);
  }

  // listed makes a table of the objects in a report that was written as JSON.
  static listed(objects) {
    const columns = {};
    objects.forEach((object, row) => {
      for (const name of Object.keys(object)) {
        columns[name] ??= {values: [undefined], index: new Uint32Array(objects.length), seen: new Map([[undefined, 0]])};
        const c = columns[name], value = object[name];
        const key = typeof value === 'object' ? JSON.stringify(value) : value;
        let code = c.seen.get(key);
        if (code === undefined) {
          code = c.values.push(value) - 1;
          c.seen.set(key, code);
        }
        c.index[row] = code;
      }
    });
    return new Table(objects.length, columns);
  }

  get(name, row) {
    const c = this.columns[name];
    return c && c.values[c.index ? c.index[row] : 0];
  }

  // values of a column that occur.
  values(name) {
    const c = this.columns[name];
    return c && this.rows ? c.values.filter((v) => v !== undefined) : [];
  }

  row(at) {
    const all = {};
    for (const name of Object.keys(this.columns)) all[name] = this.get(name, at);
    return all;
  }
}

const SETTINGS = ['deny', 'allow', 'secure'];
const DATABASES = ['wingate', 'nt', 'full', 'scram'];
const TRANSPORTS = ['plain', 'starttls', 'tls'];
const MECHANISMS = ['auto', 'USER/PASS', 'PLAIN', 'LOGIN', 'APOP', 'CRAM-MD5', 'DIGEST-MD5', 'NTLM', 'GSSAPI', 'SCRAM-SHA-1',
  'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'XOAUTH2', 'OAUTHBEARER', 'EXTERNAL', 'ANONYMOUS'];
const EXPOSURES = ['none', 'identity', 'verifier', 'token', 'password'];
const CONFIDENCES = ['observed', 'source', 'vendor', 'report', 'assumed'];
const VERDICTS = ['fail', 'broken', 'warn', 'unjudged', 'skip', 'pass'];
const LEVELS = ['MUST', 'SHOULD', 'MAY', 'practice'];

// inOrder sorts what occurs by a known order; what is not in it comes last.
function inOrder(values, order) {
  const place = (v) => (order.includes(v) ? order.indexOf(v) : order.length);
  return [...values].sort((a, b) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0));
}

const AXES = ['target', 'flavour', 'protocol', 'setting', 'override', 'credential'];

// openReport reads both forms: the page's own, and mailmatrix/1 as JSON. Where it
// is not ours, a report brings no command and no conclusion: whoever wrote it
// would speak for the program.
function openReport(raw, ours) {
  if (raw?.schema !== 'mailmatrix/1') throw new Error('this is no report of the schema mailmatrix/1');
  for (const list of ['targets', 'lines', 'cells', 'scenarios', 'cases', 'lacks', 'transcripts']) {
    if (typeof (raw[list] ?? '') !== 'object') throw new Error('it has no ' + list);
  }
  const table = (t) => (Array.isArray(t) ? Table.listed(t) : Table.packed(t));
  const r = {
    ...raw, cells: table(raw.cells), scenarios: table(raw.scenarios), cases: table(raw.cases), lacks: table(raw.lacks),
    clients: raw.clients || [], not_tested: raw.not_tested || [], flaky: raw.flaky || [], history: raw.history || [],
    ours, commands: ours ? raw.commands : undefined, explain: ours ? raw.explain : undefined, causes: ours ? raw.causes : undefined, conclusion: ours ? raw.conclusion : undefined,
  };
  openTranscripts(r, raw);
  openClients(r);
  openLacks(r);
  indexCells(r);
  let titles = null; // made when somebody asks
  r.caseTitles = () => (titles ??= new Map(Array.from({length: r.cases.rows}, (_, i) => [r.cases.get('id', i), r.cases.get('title', i)])));
  return r;
}

function openTranscripts(r, raw) {
  let rows = raw.transcripts;
  if (!Array.isArray(rows)) {
    const lengths = unpack(rows.lengths), items = unpack(rows.items), starts = new Uint32Array(lengths.length + 1);
    lengths.forEach((n, i) => { starts[i + 1] = starts[i] + n; });
    rows = {at: (i) => items.subarray(starts[i], starts[i + 1]), length: lengths.length};
  }
  r.conversations = rows.length;
  r.transcript = (at) => (at === null || at === undefined || at < 0 || at >= rows.length ? [] : Array.from(rows.at(at), (i) => r.lines[i]));
}

function clientName(cells, row) {
  const variant = cells.get('variant', row);
  return cells.get('profile', row) + (variant ? '+' + variant : '');
}

// openClients knows each client by its profile: its title, how well it is known,
// its version, and its family. Where the report does not tell the family, it is
// the name that the client shares with others.
function openClients(r) {
  const names = new Set();
  for (let i = 0; i < r.cells.rows; i++) names.add(clientName(r.cells, i));
  r.clients.forEach((c) => names.add(c.profile));
  const shared = new Map(), head = (name) => name.split('+')[0].split('-')[0];
  names.forEach((n) => shared.set(head(n), (shared.get(head(n)) || 0) + 1));
  const known = new Map(r.clients.map((c) => [c.profile, c]));
  r.client = new Map();
  names.forEach((name) => {
    const profile = name.split('+')[0], told = known.get(name) || known.get(profile);
    r.client.set(name, {
      name, title: told ? told.title : name === 'probe' ? 'the probe' : profile, told, facts: (told && told.facts) || null,
      state: name.split('+')[1] || 'as installed', version: told?.version || '', family: told?.family || (shared.get(head(name)) > 1 ? head(name) : profile),
    });
  });
  lowestConfidence(r);
  for (const c of r.client.values()) c.known = knownBy(c);
}

// lowestConfidence is how well a client is known by its cells, for reports that
// say nothing of its facts.
function lowestConfidence(r) {
  for (let i = 0; i < r.cells.rows; i++) {
    const c = r.client.get(clientName(r.cells, i)), confidence = r.cells.get('confidence', i);
    if (!c.weakest || CONFIDENCES.indexOf(confidence) > CONFIDENCES.indexOf(c.weakest)) c.weakest = confidence;
  }
}

// knownBy is the best that a client is known by: a recording, its source, papers.
function knownBy(client) {
  const has = (confidence) => (client.facts ? client.facts[confidence] > 0 : client.weakest === confidence);
  return has('observed') ? 'recordings' : has('source') ? 'source' : 'papers';
}

// indexCells makes slices: the cells that differ in client, mechanism, transport
// and database only. A view looks at one of them.
function indexCells(r) {
  r.slices = new Map();
  r.axes = []; // where each slice is
  r.homes = new Set(); // where somebody logs in: what the server has
  r.byID = null; // made when somebody asks for an address
  const cells = r.cells;
  for (let i = 0; i < cells.rows; i++) {
    const key = AXES.map((axis) => cells.get(axis, i)).join('|');
    if (!r.slices.has(key)) {
      r.slices.set(key, []);
      r.axes.push(Object.fromEntries(AXES.map((axis) => [axis, cells.get(axis, i)])));
    }
    r.slices.get(key).push(i);
    if (cells.get('credential', i) !== 'account' || cells.get('setting', i) === 'deny') continue;
    if (cells.get('outcome', i) === 'logged-in' || cells.get('expected', i)?.includes('logged-in')) {
      const at = [cells.get('flavour', i), cells.get('protocol', i), cells.get('mechanism', i)];
      r.homes.add(homeKey(...at)).add(homeKey(...at, cells.get('database', i)));
    }
  }
}

const homeKey = (...parts) => parts.join('|');

// askedOf is how the run about a target was asked: its number, and what narrowed
// it. Of several servers in a report that does not say it for each, nobody knows.
function askedOf(r, target) {
  return r.targets[target]?.asked || (r.targets.length === 1 ? {seed: r.seed, selection: r.selection || {}} : {});
}

const policyOf = (r, target) => askedOf(r, target).selection?.policy?.[0];

// WIDENING are the flags in a selection that leave nothing out.
const WIDENING = ['full', 'profile-file', 'expect', 'baseline', 'fail-on'];

// serverLacks: of all that was run nobody logs in with the mechanism, whatever
// the database. Only a run that left nothing out can say so.
function serverLacks(r, row) {
  const c = r.cells, mechanism = c.get('mechanism', row), {selection} = askedOf(r, c.get('target', row));
  return selection && Object.keys(selection).every((axis) => WIDENING.includes(axis)) && mechanism !== 'auto' && SETTINGS.includes(c.get('setting', row)) &&
    !r.homes.has(homeKey(c.get('flavour', row), c.get('protocol', row), mechanism));
}

// openLacks knows what each client has not: a mechanism or a transport.
function openLacks(r) {
  r.lacking = new Set();
  for (let i = 0; i < r.lacks.rows; i++) {
    const l = r.lacks.row(i);
    r.lacking.add([l.profile, l.protocol, l.mechanism || l.transport].join('|'));
  }
}

function sliceOf(r, at) {
  return r.slices.get(AXES.map((axis) => at[axis]).join('|')) || [];
}

// bestDatabase puts a database that has the mechanism before one that has not.
function bestDatabase(r, row, other) {
  const rank = (i) => {
    const c = r.cells, d = c.get('database', i);
    return (r.homes.has(homeKey(c.get('flavour', i), c.get('protocol', i), c.get('mechanism', i), d)) ? 0 : 10) + DATABASES.indexOf(d);
  };
  return other === undefined || rank(row) < rank(other) ? row : other;
}

function cellID(cells, row) {
  const told = cells.get('id', row);
  if (told) return told;
  const part = (name) => cells.get(name, row);
  return [part('flavour'), part('protocol'), part('transport'), part('mechanism').replaceAll('/', '-'), part('setting'),
    clientName(cells, row), part('database'), part('override'), part('credential')].join('/');
}

// cellAddress is the ID, with the target behind it where another has the cell too.
function cellAddress(r, row) {
  return cellID(r.cells, row) + behind(r, r.cells.get('target', row));
}

function findCell(r, address) {
  if (!r.byID) {
    r.byID = new Map();
    for (let i = r.cells.rows - 1; i >= 0; i--) r.byID.set(cellAddress(r, i), i);
  }
  return r.byID.get(address);
}

function caseKey(r, row) {
  const c = r.cases, profile = c.get('profile', row), id = c.get('id', row);
  if (profile) return id + '@' + profile;
  const doors = r.targets[c.get('target', row)]?.doors || [], door = doors[c.get('door', row)];
  if (!door) return id;
  const several = doors.filter((d) => d.protocol === door.protocol).length > 1, port = door.address.split(':').pop();
  return id + '@' + door.protocol + (several && /^\d+$/.test(port) ? ':' + port : '');
}

// caseAddress and scenarioAddress have the target behind them, as cellAddress has.
const behind = (r, target) => (target > 0 ? '@' + r.targets[target]?.name : '');
const caseAddress = (r, row) => caseKey(r, row) + behind(r, r.cases.get('target', row));
const scenarioAddress = (r, row) => r.scenarios.get('id', row) + behind(r, r.scenarios.get('target', row));
