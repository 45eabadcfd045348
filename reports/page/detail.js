// The dialog: all that is known of one result.

class Detail {
  constructor(app) {
    this.app = app;
    this.dialog = byID('detail');
    this.dialog.addEventListener('close', () => this.closed());
    this.dialog.addEventListener('click', (e) => { if (e.target === this.dialog) this.dialog.close(); });
  }

  show(address, title, sub, ...parts) {
    if (!this.dialog.open) this.back = document.activeElement;
    this.address = address;
    const close = h('button', {type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => this.dialog.close()}, '×');
    this.dialog.replaceChildren(h('div', {class: 'sheet'}, h('header', {}, h('div', {}, h('h2', {id: 'detail-title'}, title), h('p', {class: 'sub'}, sub)), close),
      h('div', {class: 'content', tabindex: '0', role: 'region', 'aria-label': 'Details'}, parts)));
    if (!this.dialog.open) this.dialog.showModal();
    close.focus();
    this.app.address(address);
  }

  closed() {
    if (this.dialog.open) return; // another result took its place at once
    this.dialog.replaceChildren();
    this.address = '';
    this.app.remember();
    if (document.activeElement !== document.body) return; // the browser has put it back
    const back = this.back && this.back !== document.body && this.back.isConnected ? this.back : byID('main');
    back.focus({preventScroll: true});
  }

  cell(row) {
    const r = this.app.report, cells = r.cells, c = cells.row(row), client = r.client.get(clientName(cells, row)), look = lookOf(r, row), id = cellID(cells, row);
    const says = (OUTCOMES[c.outcome] || (c.basis === 'predicted' ? 'Foretold, not tried.' : 'Not tried.')) +
      (c.exposure && c.exposure !== 'none' ? ` Somebody who listens can read ${EXPOSED[c.exposure]}.` : ' Somebody who listens can read nothing.');
    this.show('cell=' + cellAddress(r, row), `${client.title}: ${mechanismWord(c.mechanism)} ${TRANSPORT_WORDS[c.transport].long}`,
      `${protocolWord(c.protocol)}, setting ${c.setting}, ${c.flavour === 'remote' ? r.targets[c.target]?.name : 'flavour ' + c.flavour + ', database ' + c.database}`,
      h('div', {class: 'headline'}, h('span', {class: 'mark big tone-' + look.tone}, h('i', {'aria-hidden': 'true'}, look.glyph), look.word), h('p', {}, says)),
      facts([
        ['Verdict', verdictLine(c)], ['Reason', c.reason], ['Excused', c.excused],
        ['Expected', (c.expected || []).join(' or ')], ['Outcome', c.outcome],
        ['Offered', c.offered === null || c.offered === undefined ? 'it did not look' : c.offered ? 'yes' : 'no'], ['Tried', c.attempted ? 'yes, ' + (c.used || c.mechanism) : 'no'],
        ['Readable', (c.exposures || []).map((e) => h('div', {}, `${EXPOSED[e.class]} (${e.secret}), by ${e.mechanism}, ${e.when.replace('-', ' ')}, ${TRANSPORT_WORDS[e.transport].short}`))],
        ['Presents', c.credential + (c.override === 'set' ? ', the account has an override password' : '')],
        ['Known by', CONFIDENCE_WORDS[c.confidence] || c.confidence], ['Basis', c.basis], ['Sources', (c.refs || []).map((ref) => h('div', {}, ref))],
        ['Took', c.elapsed_ms ? c.elapsed_ms + ' ms' : ''], ['Changed', this.changed(c.target, id)], ['ID', h('code', {}, id)],
      ]),
      this.command(cellCommand(r, c)), this.transcript(c.transcript));
  }

  // past is a result of which there is no more than what was kept.
  past(history, id) {
    this.show('past=' + history.target + '/' + id, changeTitle(this.app.report, id), history.target,
      facts([['Target', history.target], ['ID', h('code', {}, id)]]),
      plainTable(['In', 'Change', 'Before', 'Now'], pastOf(history, id).map((c) => [runName(keptRun(history, c.run)), directionBadge(c),
        factText(c.was) + lastSeen(history, c), factText(c.is)]), 'Changes of this result'));
  }

  // changed says when a result last came to something else.
  changed(target, id) {
    const history = this.app.report.history.find((each) => each.target === this.app.report.targets[target]?.name);
    if (!history?.runs.length) return '';
    const changes = pastOf(history, id);
    if (!changes.length) return `not in the ${of(history.runs.length, 'run')} that were kept since ${runDay(history.runs[0])}`;
    const [last] = changes, more = changes.length - 1;
    return [h('div', {}, directionBadge(last), ` in ${runName(keptRun(history, last.run))}`), h('div', {}, `before: ${factText(last.was)}${lastSeen(history, last)}; since: ${factText(last.is)}`),
      more ? h('button', {type: 'button', class: 'way', onclick: () => this.past(history, id)}, `and ${of(more, 'change')} before`) : ''];
  }

  case(row) {
    const r = this.app.report, c = r.cases.row(row), key = caseKey(r, row), target = r.targets[c.target];
    this.show('case=' + key, c.title || c.id, `${c.id}, ${c.level}`,
      h('div', {class: 'headline'}, badge(c.verdict, c.excused), h('p', {}, c.reason || WHYS[c.why] && capital(WHYS[c.why]) + '.' || 'As required.')),
      facts([['Verdict', verdictLine(c)], ['Excused', c.excused], ['Of', c.profile ? 'client ' + c.profile : `${target?.name}, ${target?.doors?.[c.door]?.address || ''}`],
        ['Sources', (c.refs || []).map((ref) => h('div', {}, ref))], ...advice(c.advice), ['Changed', this.changed(c.target, key)], ['ID', h('code', {}, key)]]),
      this.command(target?.kind === 'reference' ? `mailmatrix run --cases ${c.id}${c.profile ? ' --profile ' + c.profile : ''} --transcripts all -v` : checkCommand(r, c.target)),
      this.transcript(c.transcript));
  }

  scenario(row) {
    const r = this.app.report, s = r.scenarios.row(row), target = r.targets[s.target];
    const flags = [['profile', s.profile], ['protocol', s.protocol], ['transport', s.transport]].filter(([, v]) => v).map(([k, v]) => ` --${k} ${v}`).join('');
    this.show('scenario=' + s.id, s.id.split('/').slice(2).join(' / '), capital(s.kind),
      h('div', {class: 'headline'}, badge(s.verdict, s.excused), h('p', {}, s.reason || capital(s.outcome || 'not tried') + ', as expected.')),
      facts([['Verdict', verdictLine(s)], ['Excused', s.excused], ['Expected', (s.expected || []).join(' or ')], ['Outcome', s.outcome],
        ['Readable', EXPOSED[s.exposure]], ['Client', s.profile], ['Protocol', s.protocol && protocolWord(s.protocol)], ['Transport', s.transport],
        ['Sources', (s.refs || []).map((ref) => h('div', {}, ref))], ...advice(s.advice), ['Changed', this.changed(s.target, s.id)], ['ID', h('code', {}, s.id)]]),
      this.command(target?.kind === 'reference' ? `mailmatrix run${flags} --transcripts all -v` : checkCommand(r, s.target)), this.transcript(s.transcript));
  }

  client(name) {
    const c = this.app.report.client.get(name), manners = c.told?.protocols || [];
    const asTable = (heads, entries, caption) => (entries.length ? plainTable(heads, entries, caption) : '');
    const said = (at) => (at === null || at === undefined ? '–' : h('details', {class: 'said'}, h('summary', {}, 'what was said'), this.transcript(at)));
    this.show('client=' + name, c.title, c.name,
      facts([['Family', c.family], ['Version', c.version], ['Settings', c.state], ['Known by', `${c.known} (${CONFIDENCES.filter((k) => c.facts?.[k]).map((k) => of(c.facts[k], 'fact') + ' ' + k).join(', ') || c.weakest || 'nothing'})`]]),
      manners.flatMap((m) => [h('h3', {}, protocolWord(m.protocol)),
        asTable(['Told to encrypt', 'Gives something up at', 'Gives', 'Said'], inOrder(Object.keys(m.floors || {}), ['required', 'if-available', 'off'])
          .map((e) => [e, m.floors[e].rung || 'no rung', EXPOSED[m.floors[e].gives], said(m.floors[e].transcript)]), 'Credential floor, ' + m.protocol),
        asTable(['When refused with', 'It', 'And shows', 'Said'], Object.keys(m.denials || {}).sort()
          .map((answer) => [answer, m.denials[answer].does, EXPOSED[m.denials[answer].shows], said(m.denials[answer].transcript)]), 'Refusals, ' + m.protocol)]));
  }

  command(text) {
    const copy = h('button', {type: 'button', onclick: () => navigator.clipboard?.writeText(text).then(() => { copy.textContent = 'Copied'; }, () => { copy.textContent = 'Select and copy'; })}, 'Copy');
    return h('div', {class: 'rerun'}, h('h3', {}, 'Run it again'), h('div', {class: 'command'}, h('code', {}, text.split(/ (?=--)/).flatMap((part) => [h('span', {}, part), ' '])), copy));
  }

  transcript(at) {
    const lines = this.app.report.transcript(at);
    if (!lines.length) return h('p', {class: 'note'}, 'No conversation was kept. --transcripts all keeps every one.');
    return h('div', {class: 'transcript'}, h('h3', {}, 'What was said'), h('ol', {}, lines.map((line) => {
      const from = line.charAt(0), inside = line.charAt(1) === '+', text = line.slice(line.indexOf(' ') + 1);
      return h('li', {class: (from === 'C' ? 'client-line' : 'server-line') + (inside ? ' inside' : '')},
        h('span', {class: 'dir'}, from === 'C' ? 'C →' : '← S'), h('span', {class: 'tls'}, inside ? 'TLS' : 'clear'), h('code', {}, text || ' '));
    })));
  }
}

const verdictLine = (c) => [badge(c.verdict, c.excused), c.why ? ' ' + (WHYS[c.why] || c.why) : ''];

const advice = (a) => (a ? [['Fix' + (a.software ? ', ' + a.software : ''), (a.fix || []).map((line) => h('code', {class: 'block'}, line))],
  ['See it without us', a.command && h('code', {class: 'block'}, a.command)]] : []);

// checkCommand checks a target once more. A report as JSON leaves it to the program.
const checkCommand = (r, target) => r.commands?.[target] || 'mailmatrix check ' + r.targets[target]?.name;

// cellCommand runs one cell and no other.
function cellCommand(r, c) {
  const target = r.targets[c.target];
  if (target && target.kind !== 'reference') return checkCommand(r, c.target);
  const policy = c.setting === 'policy', client = c.profile + (c.variant ? '+' + c.variant : '');
  const flags = [['flavour', c.flavour], ['protocol', c.protocol], ['transport', c.transport], ['mechanism', policy && c.mechanism === 'auto' ? '' : c.mechanism],
    policy ? ['policy', r.selection?.policy?.[0] || 'FILE'] : ['setting', c.setting], ['profile', client], ['database', c.database], ['override', c.override],
    ['credential', c.credential], ['profile-file', (r.selection?.['profile-file'] || []).join(',')]];
  return 'mailmatrix run' + flags.filter(([, v]) => v).map(([k, v]) => ` --${k} ${quote(v)}`).join('') + (r.selection?.full ? ' --full' : '') + ` --seed ${r.seed} --transcripts all -v`;
}

const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'");
