// The other views: compliance, experiments, doors, what was not tested, about.

function complianceView(app) {
  const r = app.report, cases = r.cases, rows = [];
  for (let i = 0; i < cases.rows; i++) {
    const c = cases.row(i), area = c.id.split('/').slice(0, 2).join('/');
    const who = c.profile ? r.client.get(c.profile)?.title || c.profile : r.targets[c.target]?.doors?.[c.door]?.protocol;
    rows.push({
      ...c, row: i, area, group: area, who, side: c.profile ? 'clients' : 'servers', shown: c.excused ? 'excused' : c.verdict,
      text: [c.id, c.title, c.profile, who, c.reason, ...(c.refs || [])].join(' ').toLowerCase(),
    });
  }
  rows.sort((a, b) => (a.side !== b.side ? (a.side === 'servers' ? -1 : 1) : a.group < b.group ? -1 : a.group > b.group ? 1 : a.row - b.row));
  return new ResultList(app, {
    rows, noun: 'case', label: 'Compliance cases', groupWord: 'Area', open: (line) => app.openCase(line.row),
    summary: () => levelSummary(r),
    columns: [
      {head: 'Requirement', class: 'long', cell: (c) => [h('span', {class: 'title'}, c.title || c.id), h('span', {class: 'sub'}, c.id, h('span', {class: 'narrow-only'}, ', ' + c.level))]},
      {head: 'Verdict', cell: (c) => badge(c.verdict, c.excused)},
      {head: 'Level', class: 'wide-only', cell: (c) => c.level},
      {head: 'Of', class: 'opt', cell: (c) => (c.profile ? who(c.who, 'client') : who(r.targets[c.target]?.name || '', c.who ? protocolWord(c.who) : ''))},
      {head: 'Says', class: 'opt long', cell: (c) => h('span', {class: 'clip'}, c.reason || c.why || (c.refs || []).join(', '))},
    ],
  });
}

const who = (name, sub) => [h('span', {class: 'title'}, name), h('span', {class: 'sub'}, sub)];

// levelSummary is each level with what became of the servers' cases, and those
// of the clients in one: they are other people's programs.
function levelSummary(r) {
  const worst = [...worstCases(r).values()], [pass, all, excused] = clientCases(r);
  const tile = (n, of, name, sub) => h('div', {class: 'tally'}, h('b', {}, number(n) + ' of ' + number(of)), h('span', {}, name + ' pass'), h('span', {class: 'sub'}, sub));
  return h('div', {class: 'tallies'}, inOrder(new Set(worst.map((c) => c.level)), LEVELS).map((level) => {
    const members = worst.filter((c) => c.level === level), count = (v) => members.filter((c) => c.verdict === v).length;
    const others = VERDICTS.filter((v) => v !== 'pass' && count(v)).map((v) => number(count(v)) + ' ' + v);
    return tile(count('pass'), members.length, level + ' cases', others.join(', ') || 'each over all its doors');
  }), all ? tile(pass, all, 'client cases', [excused && number(excused) + ' known', all - pass - excused && number(all - pass - excused) + ' not'].filter(Boolean).join(', ') || 'each of each client') : '');
}

function experimentsView(app) {
  const r = app.report, s = r.scenarios, rows = [], several = r.targets.length > 1;
  for (let i = 0; i < s.rows; i++) {
    const c = s.row(i);
    const server = r.targets[c.target]?.name || '', client = c.profile && (r.client.get(c.profile)?.title || c.profile);
    rows.push({...c, row: i, group: c.kind, side: server, client, shown: c.excused ? 'excused' : c.verdict, text: [c.id, client, server, c.outcome, c.reason, c.exposure].join(' ').toLowerCase()});
  }
  const order = ['control', 'door', 'posture', 'certificate', 'relay', 'startup', 'contents'];
  rows.sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group) || a.row - b.row);
  return new ResultList(app, {
    rows, noun: 'experiment', label: 'Experiments', groupWord: 'Kind', groupOrder: order, sideWord: 'Server', open: (line) => app.openScenario(line.row),
    columns: [
      {head: 'Experiment', class: 'long', cell: (c) => [h('span', {class: 'title'}, c.id.split('/').slice(2).join(' / ')), h('span', {class: 'sub'}, [c.client || (several ? '' : 'the server'), several && c.side].filter(Boolean).join(', '))]},
      {head: 'Verdict', cell: (c) => badge(c.verdict, c.excused)},
      {head: 'Outcome', cell: (c) => c.outcome || '–'},
      {head: 'Readable', class: 'opt', cell: (c) => (c.exposure && c.exposure !== 'none' ? EXPOSED[c.exposure] : 'nothing')},
      {head: 'Says', class: 'opt long', cell: (c) => h('span', {class: 'clip'}, c.reason || c.why || (c.refs || []).join(', '))},
    ],
  });
}

// doorsView is what is wrong with a server in service, and what it offers, door
// by door.
const doorsView = (app) => ({
  build(main) {
    main.append(drawProblems(app));
    for (const t of app.report.targets) {
      if (t.kind === 'reference') continue;
      main.append(h('h2', {}, t.name), facts([['Addresses', (t.addresses || []).join(', ')], ['Effort', t.effort ? effort(t.effort) : '']]));
      for (const d of t.doors) main.append(drawDoor(d));
    }
  },
});

const effort = (e) => `${of(e.connections, 'connection')}, ${of(e.trips, 'round trip')}, ${of(e.passwords, 'password')}, ${number(e.auths)} AUTH refused or ` +
  `cancelled, ${number(e.recipients)} RCPT refused` + (e.stopped ? '; left alone: ' + e.stopped : '');

const STAGES = ['dns', 'connect', 'banner', 'hello', 'starttls', 'handshake', 'certificate', 'hello-tls', 'auth'];

function drawDoor(d) {
  const stages = inOrder(Object.keys(d.stages || {}), STAGES).map((stage) => [stage, d.stages[stage]]).map(([stage, status]) =>
    h('span', {class: 'badge tone-' + (status === 'ok' ? 'good' : 'hash')}, h('i', {'aria-hidden': 'true'}, status === 'ok' ? '✓' : '!'), ` ${stage}${status === 'ok' ? '' : ': ' + status}`));
  const c = d.certificate;
  return h('section', {class: 'door'},
    h('h3', {}, protocolWord(d.protocol) + ' ' + d.address, h('span', {class: 'sub'}, [d.host, d.software, d.found && d.found !== 'named' && 'found by ' + d.found].filter(Boolean).join(', '))),
    h('div', {class: 'stages'}, stages),
    facts([['Greeting', d.greeting], ...Object.entries(d.explained || {}).filter(([stage]) => stage !== 'certificate').map(([stage, text]) => [capital(stage), text]),
      ['Certificate', [d.explained?.certificate, c && `${c.names.join(', ')}; by ${c.issuer}; until ${c.until} (${of(c.days, 'day')}); TLS ${c.version}`].filter(Boolean).map((text) => h('div', {}, text))],
      ...['allow', 'secure', 'deny'].map((s) => [capital(s), Object.keys(d.policy || {}).filter((m) => d.policy[m] === s).sort((a, b) => MECHANISMS.indexOf(a) - MECHANISMS.indexOf(b)).join(', ')])]),
    drawLedger(d));
}

const yesNo = (b, yes, no) => (b === null || b === undefined ? h('span', {class: 'quiet'}, 'not tried') :
  h('span', {class: b ? 'is-yes' : ''}, b ? '✓ ' + yes : '× ' + no));

// drawLedger is what the door says of each mechanism; those of which it says the
// same share a row.
function drawLedger(d) {
  const rows = (d.transports || []).flatMap((t) => {
    const alike = new Map();
    for (const m of t.mechanisms) {
      const key = JSON.stringify({...m, mechanism: ''});
      alike.set(key, [...(alike.get(key) || []), m]);
    }
    return [...alike.values()].sort((a, b) => (b[0].offered === true) - (a[0].offered === true)).map((all) => [
      all.map((m) => m.mechanism).join(', '), TRANSPORT_WORDS[t.transport].short, yesNo(all[0].offered, 'offered', 'not listed'),
      yesNo(all[0].starts, 'taken up', 'refused'), yesNo(all[0].completes, 'logs in', 'does not'), all[0].setting,
      h('code', {}, [all[0].evidence, all[0].reply].filter(Boolean).join(' · '))]);
  });
  return rows.length ? h('div', {class: 'ledger'}, plainTable(['Mechanism', 'Link', 'Offered', 'Starts', 'Completes', 'Setting', 'Evidence'], rows, 'Mechanisms of ' + d.address)) :
    h('p', {class: 'note'}, 'Nobody could ask what it offers.');
}

const WHYS = {
  'not-applicable': 'it does not apply here', 'no-credentials': 'no account was given', budget: 'the budget was used up', risk: 'it might harm',
  inconclusive: 'nobody could tell', vantage: 'it cannot be seen from there', cannot: 'the target cannot take this posture', operator: 'left out on purpose',
};

const notTestedView = (app) => ({
  build(main) {
    const r = app.report, skips = new Map();
    for (const [noun, table] of [['cell', r.cells], ['experiment', r.scenarios], ['case', r.cases]]) {
      for (let i = 0; i < table.rows; i++) {
        if (table.get('verdict', i) !== 'skip') continue;
        const key = noun + '|' + table.get('why', i);
        skips.set(key, (skips.get(key) || 0) + 1);
      }
    }
    const section = (title, note, body) => main.append(h('section', {class: 'text'}, h('h2', {}, title), note ? h('p', {class: 'note'}, note) : '', body || ''));
    section('Left out', r.not_tested.length ? 'What would decide it stands in the last column.' : 'Nothing was left out on the way.',
      r.not_tested.length ? plainTable(['What', 'Why', 'What decides it'], r.not_tested.map((n) => [n.what, WHYS[n.why] || n.why, n.flag ? h('code', {}, n.flag) : '–']), 'Left out') : '');
    section('Skipped', skips.size ? '' : 'Nothing was skipped.',
      skips.size ? plainTable(['What', 'How many', 'Why'], [...skips].sort((a, b) => b[1] - a[1]).map(([key, n]) => [capital(key.split('|')[0]) + 's', number(n), WHYS[key.split('|')[1]] || key.split('|')[1]]), 'Skipped') : '');
    r.targets.forEach((t, i) => {
      const {selection} = askedOf(r, i);
      if (!Object.keys(selection || {}).length) return;
      section('The run was about' + (r.targets.length > 1 ? ': ' + t.name : ''), 'Only what was asked for was looked at.', facts(Object.entries(selection).map(([axis, values]) => [axis, values.join(', ')])));
    });
    if (r.expectations?.length) {
      section('Expectations that do not hold', '', plainTable(['Entry', 'What is wrong', 'In words'], r.expectations.map((e) => [h('code', {}, e.entry || e.pattern), e.problem, e.reason]), 'Expectations'));
    }
    if (r.flaky.length) {
      section('Differed between repetitions', '', plainTable(['Result', 'Came to'], r.flaky.map((f) => [h('code', {}, f.id), Object.entries(f.verdicts).map(([v, n]) => n + ' × ' + v).join(', ')]), 'Flaky'));
    }
    section('What clients lack', r.lacks.rows ? 'A mechanism or transport that a client has not makes no cell.' : 'Nothing is said of that.', drawLacks(r));
  },
});

function drawLacks(r) {
  const by = new Map();
  for (let i = 0; i < r.lacks.rows; i++) {
    const l = r.lacks.row(i), key = l.profile;
    if (!by.has(key)) by.set(key, {});
    const of = (by.get(key)[l.protocol] ??= []);
    of.push(l.mechanism || 'transport ' + l.transport);
  }
  if (!by.size) return '';
  const protocols = inOrder(new Set(r.lacks.values('protocol')), ['smtp', 'pop3']);
  return plainTable(['Client', ...protocols.map(protocolWord)], [...by].map(([profile, lacks]) => [r.client.get(profile)?.title || profile,
    ...protocols.map((p) => (TRANSPORTS.every((t) => lacks[p]?.includes('transport ' + t)) ? 'does not speak it' : (lacks[p] || []).join(', ') || 'nothing'))]), 'What clients lack');
}

const aboutView = (app) => ({
  build(main) {
    const r = app.report, total = (t) => Object.entries(t || {}).filter(([k, n]) => k !== 'cells' && n).map(([k, n]) => number(n) + ' ' + k.replaceAll('_', ' ')).join(', ');
    main.append(h('section', {class: 'text'}, h('h2', {}, 'This report'), facts([
      ['Tool', r.tool], ['Catalogue', r.catalogue], ['Schema', r.schema], ['Started', String(r.started).replace('T', ' ').replace(/\.\d+/, '')],
      ['Took', r.elapsed_ms ? (r.elapsed_ms / 1000).toFixed(1) + ' s' : ''], ['Seed', String(r.seed)], ['Seen from', r.vantage],
      ['Complete', r.complete ? 'yes' : 'no: it was interrupted'], ['Targets', r.targets.map((t) => `${t.name} (${t.kind})`).join(', ')],
    ])));
    main.append(h('section', {class: 'text'}, h('h2', {}, 'Totals'), plainTable(['Results', 'All', 'Of these'],
      [['Cells', r.totals, r.cells.rows], ['Experiments', r.scenario_totals, r.scenarios.rows], ['Compliance cases', r.case_totals, r.cases.rows]]
        .map(([name, t, n]) => [name, number(n), total(t) || '–']), 'Totals'),
    h('p', {class: 'note'}, of(r.conversations, 'conversation') + ' of ' + of(r.lines.length, 'distinct line') + '. A foretold cell is in no total.')));
    const marks = ['yes', 'leaks', 'token', 'hash', 'no', 'rejected', 'none', 'closed', 'cert', 'cut', 'fail', 'warn', 'known', 'broken', 'skip', 'lacks'];
    main.append(h('section', {class: 'text'}, h('h2', {}, 'Legend'), h('div', {class: 'marks-legend'}, marks.map((name) => h('div', {},
      h('span', {class: 'mark tone-' + LOOKS[name].tone}, h('i', {'aria-hidden': 'true'}, LOOKS[name].glyph), LOOKS[name].word), h('span', {}, LOOKS[name].says)))),
    h('p', {class: 'note'}, 'A corner of a mark says that something could be read: red a password or token, amber a hash, grey the user name. Hatching says that what the client does is assumed. ' +
      'Deny refuses everywhere, allow permits everywhere, secure permits inside TLS only.')));
    main.append(h('section', {class: 'text'}, h('h2', {}, 'Words'), facts(Object.entries(MEANINGS).map(([word, meaning]) => [word, meaning]))));
    main.append(h('section', {class: 'text'}, h('h2', {}, 'Keys'), facts([['Tab', 'from part to part'], ['Arrows, Home, End, Page Up and Down', 'inside a table'],
      ['Enter', 'opens what is under it'], ['Esc', 'closes'], ['1 to 9', 'the views']])));
  },
});
