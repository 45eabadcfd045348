// The head of the page: what the report is about, how it ended, and how well the
// clients are known. It says what the other formats say, in their figures.

function drawHead(r, alone) {
  const subject = alone ? r.history.map((each) => each.target) : r.targets.map((t) => (t.kind === 'reference' ? 'the reference server' : t.name));
  byID('subject').textContent = visible(subject.join(', ') || 'no target');
  document.title = visible((alone ? subject : r.targets.map((t) => t.name)).concat('mailmatrix').join(', ').replace(/, mailmatrix$/, ' - mailmatrix'));
  byID('verdict').replaceChildren(...(alone ? [] : drawVerdict(r)).flat());
  byID('proved').replaceChildren(...(alone ? [] : drawProved(r)));
}

const sumOf = (r, name) => [r.totals, r.scenario_totals, r.case_totals].reduce((n, t) => n + (t?.[name] || 0), 0);

function drawVerdict(r) {
  const fails = sumOf(r, 'fail'), end = r.conclusion || concluded(r);
  const [word, tone, glyph] = end.status === 2 ? ['INCOMPLETE', 'hash', '?'] : end.status === 0 ? ['CONFORMING', 'good', '✓'] :
    [fails ? 'NOT CONFORMING' : 'NOT AS EXPECTED', 'fail', '✖'];
  return [h('span', {class: 'badge big tone-' + tone}, h('span', {'aria-hidden': 'true'}, glyph), ' ' + word),
    h('ul', {}, tallies(r).map(([n, what, to]) => h('li', {}, n === '0' ? [h('b', {}, n), ' ' + what] : h('a', {href: '#' + to}, h('b', {}, n), ' ' + what)))),
    end.incomplete ? h('p', {class: 'note'}, capital(end.incomplete)) : '',
    r.targets.map((t, i) => drawNarrowed(r, t, askedOf(r, i).selection || {}))];
}

// drawNarrowed says what the run about a target was narrowed to, or how the
// server was asked: what was not asked for was not looked at.
function drawNarrowed(r, target, selection) {
  const asked = Object.entries(selection).filter(([axis]) => axis !== 'expect'); // which leaves nothing out
  const word = target.kind === 'reference' ? 'narrowed to' : 'asked with';
  return asked.length ? h('p', {class: 'narrowed'}, h('b', {}, r.targets.length > 1 ? `${target.name}: ${word}` : capital(word)), ' ',
    asked.map(([axis, values]) => axis + (values.join() === 'true' ? '' : ' ' + values.join(', '))).join(' · ')) : '';
}

// tallies are numbers with what they count, and the address of what is counted.
function tallies(r) {
  // Of a server in service what is one to the reader counts as one, as in the text.
  const told = isCheck(r) && r.causes, sum = (name) => (!told ? sumOf(r, name) : ['fail', 'warn'].includes(name) ? told.filter((c) => c.verdict === name).length :
    name.startsWith('wrongly') ? 0 : sumOf(r, name)), some = (n, one, several, to, always) => (n || always ? [[number(n), n === 1 ? one : several, to]] : []);
  const found = (verdict, more = '') => `view=findings&group=${verdict}${more}`, check = isCheck(r), wrongly = sum('wrongly_accepted') + sum('wrongly_refused');
  const parts = [...some(sum('wrongly_accepted'), 'wrongly accepted', 'wrongly accepted', found('fail', '&q=wrongly+accepted'), !check),
    ...some(sum('wrongly_refused'), 'wrongly refused', 'wrongly refused', found('fail', '&q=wrongly+refused'), !check),
    ...some(sum('fail') - wrongly, check ? 'failed' : 'failed otherwise', check ? 'failed' : 'failed otherwise', found('fail'), check),
    ...some(sum('broken'), 'broken', 'broken', found('broken')), ...some(sum('warn'), 'warning', 'warnings', found('warn')),
    ...some(sum('unjudged'), 'unjudged', 'unjudged', found('unjudged')), ...some((r.expectations || []).length, 'not as expected', 'not as expected', 'view=untested'),
    ...some(sum('excused'), 'known finding', 'known findings', found('excused'))];
  if (r.targets.length > 1) return parts; // what they share of the rest would be the share of none
  const worst = [...worstCases(r).values()].map((c) => c.verdict), decided = worst.filter((v) => ['pass', 'warn', 'fail'].includes(v)).length;
  if (check) return [...parts, ...some(decided, 'requirement decided', 'requirements decided', 'view=compliance'), ...some(worst.length - decided, 'not tried', 'not tried', 'view=untested')];
  const share = ([pass, all], what, to) => (all ? [[`${number(pass)} of ${number(all)}`, what + (all === 1 ? '' : 's') + ' pass', to]] : []);
  return [...parts, ...some(sum('skip') - notForThem(r), 'skipped', 'skipped', 'view=untested'),
    ...share([r.scenario_totals?.pass || 0, r.scenario_totals?.cells || 0], 'experiment', 'view=experiments'),
    ...share([worst.filter((v) => v === 'pass').length, worst.length], 'RFC case', 'view=compliance&side=servers'),
    ...share(clientCases(r), 'client case', 'view=compliance&side=clients')];
}

// isCheck: it is about servers in service only.
const isCheck = (r) => r.targets.length > 0 && r.targets.every((t) => t.kind !== 'reference');

// worstCases is what became of each case of a server over all its doors. Of a
// server in service what was not tried at one door may have been decided at
// another, and what does not apply to it is left out.
function worstCases(r) {
  const check = isCheck(r), order = check ? ['unjudged', 'skip', 'broken', 'pass', 'warn', 'fail'] : WORSE, worst = new Map();
  for (let i = 0; i < r.cases.rows; i++) {
    const c = (name) => r.cases.get(name, i), key = c('target') + '|' + c('id');
    if (c('profile') || (check && c('verdict') === 'skip' && c('why') === 'not-applicable')) continue;
    if (!worst.has(key) || order.indexOf(c('verdict')) > order.indexOf(worst.get(key).verdict)) worst.set(key, {level: c('level'), verdict: c('verdict')});
  }
  return worst;
}

// clientCases is how many of the clients' cases pass, of how many, and how many
// are excused: a client has no part in many, and those are left out.
function clientCases(r) {
  let pass = 0, all = 0, excused = 0;
  for (let i = 0; i < r.cases.rows; i++) {
    if (!r.cases.get('profile', i) || r.cases.get('verdict', i) === 'skip') continue;
    all++;
    if (r.cases.get('verdict', i) === 'pass') pass++;
    else if (r.cases.get('excused', i)) excused++;
  }
  return [pass, all, excused];
}

// notForThem counts the clients' cases that mean nothing to the client: nobody
// has left anything out.
function notForThem(r) {
  let n = 0;
  for (let i = 0; i < r.cases.rows; i++) if (r.cases.get('profile', i) && r.cases.get('verdict', i) === 'skip' && r.cases.get('why', i) === 'not-applicable') n++;
  return n;
}

// drawProved says how well the clients are known: it stands over every view.
function drawProved(r) {
  const clients = [...r.client.values()].filter((c) => c.name !== 'probe');
  if (!clients.length) return [];
  if (!clients.some((c) => c.told)) return [h('span', {}, h('b', {}, of(clients.length, 'client')), '; how many are proved by recordings was not looked at in this run')];
  const by = (known) => clients.filter((c) => c.known === known).length, facts = {};
  for (const c of clients) for (const [k, n] of Object.entries(c.facts || {})) facts[k] = (facts[k] || 0) + n;
  const all = Object.values(facts).reduce((a, b) => a + b, 0), proven = (facts.observed || 0) + (facts.source || 0);
  const meter = h('span', {class: 'meter', 'aria-hidden': 'true'}, h('i', {}), h('i', {}));
  meter.children[0].style.width = (100 * by('recordings')) / clients.length + '%';
  meter.children[1].style.width = (100 * by('source')) / clients.length + '%';
  return [meter, h('span', {}, h('b', {}, `${by('recordings')} of ${of(clients.length, 'client')}`),
    ` proved by recordings (${percent(by('recordings'), clients.length)}), ${by('source')} read in their source, ${by('papers')} from papers` +
    (all ? `; ${percent(proven, all)} of ${of(all, 'fact')} observed or read` : '; each by the least certain of the facts that were used here'))];
}

// concluded is the exit status of a report that does not bring it: JSON leaves it
// to the program.
function concluded(r) {
  let control = false;
  for (let i = 0; i < r.scenarios.rows; i++) {
    control ||= r.scenarios.get('kind', i) === 'control' && !['pass', 'skip'].includes(r.scenarios.get('verdict', i));
  }
  if (!r.complete || control) return {status: 2, incomplete: control ? 'a control failed, so the rest proves nothing' : 'interrupted: what follows is only what was done'};
  if (sumOf(r, 'fail') || (r.expectations || []).some((e) => e.problem !== 'unused')) return {status: 1};
  const open = sumOf(r, 'broken') + sumOf(r, 'unjudged') || !(sumOf(r, 'pass') + sumOf(r, 'warn') + sumOf(r, 'excused')) || r.expectations?.length;
  return {status: open ? 2 : 0};
}
