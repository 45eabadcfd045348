// What is not as it should be, of every sort of result: what somebody asks for
// first.

const FOUND = ['fail', 'broken', 'warn', 'unjudged', 'excused'];
const SORTS = ['case', 'experiment', 'cell'];

// findingsOf are the results that did not pass, the worst first.
function findingsOf(app) {
  const r = app.report, rows = [];
  const take = (sort, table, title, open) => {
    for (let i = 0; i < table.rows; i++) {
      const verdict = table.get('verdict', i), foretold = table.get('basis', i) === 'predicted';
      if (verdict === 'pass' || verdict === 'skip' || (verdict === 'unjudged' && foretold)) continue;
      const group = table.get('excused', i) ? 'excused' : verdict, target = r.targets[table.get('target', i)], name = title(i);
      const wrongly = table.get('wrongly_accepted', i) ? 'wrongly accepted' : table.get('wrongly_refused', i) ? 'wrongly refused' : '';
      const who = sort === 'cell' ? '' : r.client.get(table.get('profile', i))?.title || table.get('profile', i) || '';
      const row = {row: i, sort, who, shown: sort, group, level: '', side: r.targets.length > 1 ? target?.name || '' : '', verdict, excused: table.get('excused', i), title: name, wrongly,
        remote: target && target.kind !== 'reference', reason: table.get('reason', i) || '', advice: table.get('advice', i), refs: table.get('refs', i) || [], open: () => open(i)};
      row.text = [name, who, table.get('id', i), row.reason, wrongly, row.side, ...row.refs, ...(row.advice?.fix || [])].join(' ').toLowerCase();
      rows.push(row);
    }
  };
  take('case', r.cases, (i) => r.cases.get('title', i) || r.cases.get('id', i), (i) => app.openCase(i));
  take('experiment', r.scenarios, (i) => r.scenarios.get('id', i).split('/').slice(2).join(' / '), (i) => app.openScenario(i));
  take('cell', r.cells, (i) => changeTitle(r, cellID(r.cells, i)), (i) => app.openCell(i));
  return rows.sort((a, b) => FOUND.indexOf(a.group) - FOUND.indexOf(b.group));
}

function findingsView(app, rows) {
  return new ResultList(app, {
    rows, noun: 'finding', label: 'Findings', groupWord: 'Verdict', groupOrder: FOUND, shownWord: 'Sort', shownOrder: SORTS, sideWord: 'Server', open: (line) => line.open(),
    summary: () => (app.report.causes?.length ? h('p', {class: 'note'}, 'Each result is listed: several may have one cause, and count as one above.') : []),
    columns: [
      {head: 'What is wrong', class: 'long', cell: (c) => [h('span', {class: 'title'}, c.reason || c.title), h('span', {class: 'sub'}, [c.who || c.side, c.wrongly, c.reason && c.title].filter(Boolean).join(', '))]},
      {head: 'Verdict', cell: (c) => badge(c.verdict, c.excused)},
      {head: 'Sort', class: 'wide-only', cell: (c) => c.sort},
      {head: 'What to change, or why it is excused', class: 'opt long', cell: (c) => h('span', {class: 'clip'}, c.advice?.fix?.join('; ') || c.excused || c.refs.join(', '))},
    ],
  });
}

const SHOWN_FIRST = 12; // findings that stand above the doors in full

// drawProblems is what is wrong with servers in service, and what to change: told
// as the program tells it, where the report is its own, and else one by one.
function drawProblems(app) {
  const all = app.findings, told = app.report.causes?.map((c) => ({...all.find((f) => f.sort === c.sort && f.row === c.row), said: c.text, sources: c.sources})) ||
    all.filter((c) => c.remote && (c.group === 'fail' || c.group === 'warn')).map((c) => ({...c, said: c.reason || c.title, sources: c.refs.join(', ')}));
  if (!told.length) return h('p', {class: 'note problems'}, 'Of what was decided nothing failed.');
  return h('section', {class: 'problems'}, h('h2', {}, 'What is wrong'), h('ul', {}, told.slice(0, SHOWN_FIRST).map((c) => h('li', {}, badge(c.verdict, c.excused),
    h('div', {}, h('p', {}, h('button', {type: 'button', class: 'client', onclick: c.open}, c.said)),
      h('p', {class: 'sub'}, [c.side, c.sources].filter(Boolean).join(', ')),
      c.advice?.fix?.length ? h('p', {class: 'fix'}, 'Fix' + (c.advice.software ? ', ' + c.advice.software : '') + ': ',
        c.advice.fix.map((line) => h('code', {class: c.advice.fix.length > 1 ? 'block' : ''}, line))) : '')))),
  told.length > SHOWN_FIRST ? h('p', {}, h('a', {href: '#view=findings'}, 'and ' + of(told.length - SHOWN_FIRST, 'more finding'))) : '');
}
