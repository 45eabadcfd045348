// What became of each result from run to run, where runs were kept.

const DIRECTIONS = {
  worse: {glyph: '↓', tone: 'fail'}, other: {glyph: '→', tone: 'off'}, better: {glyph: '↑', tone: 'good'},
};
const WORSE = ['unjudged', 'pass', 'skip', 'warn', 'broken', 'fail']; // as the program orders them

const runDay = (run) => new Date(run.started).toISOString().slice(0, 10);
const runTime = (run) => new Date(run.started).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
const runName = (run) => `run ${run.id}, ${runTime(run)}`;

const factText = (f) => [f.verdict === 'unjudged' ? '' : f.verdict, f.outcome, f.exposure === 'none' ? '' : f.exposure + ' readable'].filter(Boolean).join(', ') || 'unjudged';

// direction: worse is what may have to be put right, or what shows more.
function direction({was, is}) {
  const worse = (a, b) => (WORSE.indexOf(b.verdict) > WORSE.indexOf(a.verdict) && WORSE.indexOf(b.verdict) >= WORSE.indexOf('warn')) ||
    EXPOSURES.indexOf(b.exposure) > EXPOSURES.indexOf(a.exposure);
  return worse(was, is) ? 'worse' : worse(is, was) ? 'better' : 'other';
}

function directionBadge(change) {
  const name = direction(change), look = DIRECTIONS[name];
  return h('span', {class: 'badge tone-' + look.tone}, h('i', {'aria-hidden': 'true'}, look.glyph), ' ' + name);
}

// pastOf are the changes of a result, the newest first.
const pastOf = (history, id) => history.changes.filter((c) => c.id === id).reverse();

const keptRun = (history, id) => history.runs.find((run) => run.id === id);

// lastSeen says that a result was missing in the runs between.
function lastSeen(history, change) {
  const at = history.runs.findIndex((run) => run.id === change.run);
  return at > 0 && history.runs[at - 1].id !== change.before ? ` (last seen in run ${change.before})` : '';
}

// askedText is what a run was asked, less what leaves nothing out.
const askedText = (run) => Object.entries(run.selection).filter(([axis]) => axis !== 'expect').sort()
  .map(([axis, values]) => [axis, values.join(',')].join(' ').trim()).join(', ') || 'no flags';

// otherwise is what else differs from the run before: it may be the cause.
function otherwise(was, is) {
  const notes = !was ? [] : [['catalogue', 'catalogue'], ['seen from', 'vantage'], ['tool', 'tool']].filter(([, name]) => was[name] !== is[name])
    .map(([what, name]) => `${what} ${is[name] || '(unknown)'}, before ${was[name] || '(unknown)'}`);
  if (was?.selection && is.selection && askedText(was) !== askedText(is)) notes.push(`asked with ${askedText(is)}; before with ${askedText(was)}`);
  if (was && was.facts !== is.facts) notes.push(`${of(is.facts, 'result')}, before ${number(was.facts)}`);
  return is.complete ? notes : [...notes, 'the run was interrupted'];
}

// changeTitle puts an ID into words.
function changeTitle(r, id) {
  const parts = id.split('/');
  if (parts[0] === 'door' && parts.length >= 5) return `port ${parts[2]} (${protocolWord(parts[1])}): ${parts.slice(4).join('/').replace('USER-', 'USER/')} ${TRANSPORT_WORDS[parts[3]]?.long || parts[3]}`;
  if (parts[0] === 'scenario') return parts.slice(2).join(' / ');
  if (parts.length === 9) return `${r.client.get(parts[5])?.title || parts[5]}: ${mechanismWord(parts[3].replace('USER-', 'USER/'))}, ${protocolWord(parts[1])} ${TRANSPORT_WORDS[parts[2]]?.long || parts[2]}`;
  return r.caseTitles().get(id.split('@')[0]) || id;
}

function historyHead({runs, changes}) {
  if (!runs.length) return 'no runs';
  const [first, last] = [runDay(runs[0]), runDay(runs[runs.length - 1])];
  return `${of(runs.length, 'run')}, ${first}${first === last ? '' : ' to ' + last}, ${of(changes.length, 'change')}`;
}

function historyView(app) {
  const r = app.report, order = ['worse', 'other', 'better'], rows = [];
  for (const history of r.history) {
    for (const c of history.changes) {
      const title = changeTitle(r, c.id), run = keptRun(history, c.run);
      rows.push({...c, history, title, group: runName(run), side: history.target, shown: direction(c), began: Date.parse(run.started),
        text: [c.id, title, factText(c.was), factText(c.is)].join(' ').toLowerCase()});
    }
  }
  rows.sort((a, b) => b.began - a.began || b.run - a.run || order.indexOf(a.shown) - order.indexOf(b.shown) || (a.id < b.id ? -1 : 1));
  return new ResultList(app, {
    rows, noun: 'change', label: 'Changes', groupWord: 'Run', groupOrder: [...new Set(rows.map((row) => row.group))], shownWord: 'Change', shownOrder: order,
    none: 'Nothing has changed from run to run in the results that they share.', open: (line) => app.openChange(line.history, line.id), summary: () => r.history.map(drawRuns),
    columns: [
      {head: 'Result', class: 'long', cell: (c) => [h('span', {class: 'title'}, c.title), h('span', {class: 'sub'}, r.history.length > 1 ? c.side + ': ' : '', h('span', {class: 'wide-only'}, c.id),
        h('span', {class: 'narrow-only'}, factText(c.was) + ' → ' + factText(c.is)))]},
      {head: 'Change', cell: directionBadge},
      {head: 'Before', class: 'opt said', cell: (c) => h('span', {class: 'clip', title: factText(c.was)}, factText(c.was), lastSeen(c.history, c))},
      {head: 'Now', class: 'opt said', cell: (c) => h('span', {class: 'clip', title: factText(c.is)}, factText(c.is))},
    ],
  });
}

// drawRuns are the runs of a target, the newest first.
function drawRuns(history) {
  const {runs, changes} = history, counts = new Map();
  for (const c of changes) counts.set(c.run, (counts.get(c.run) || 0) + 1);
  return h('section', {class: 'runs'}, h('h2', {}, history.target), h('p', {class: 'note'}, historyHead(history) + (runs.some((run) => run.facts !== runs[0].facts) ?
    '. The runs have not the same results: what one has and the run before has not is no change, and is not listed here. It may be new, or asked for by another policy or flag.' : '')),
    h('details', {open: runs.length <= 6 && matchMedia('(min-width: 561px)').matches}, h('summary', {}, 'The runs'), plainTable(['Run', 'Began', 'Changes', 'Results', 'By', 'Catalogue', 'Seen from', 'Not as the run before'],
      runs.map((run, i) => [String(run.id), runTime(run), number(counts.get(run.id) || 0), number(run.facts), run.tool, run.catalogue, run.vantage || '(unknown)',
        otherwise(runs[i - 1], run).join('; ') || '–']).reverse(), 'Runs of ' + history.target)));
}
