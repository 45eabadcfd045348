// The dialog: all that is known of one result.

class Detail {
  constructor(app) {
    this.app = app;
    this.dialog = byID('detail');
    this.dialog.addEventListener('close', () => this.closed());
    this.dialog.addEventListener('click', (e) => { if (e.target === this.dialog) this.dialog.close(); });
  }

  show(address, title, sub, ...parts) {
    const opens = !this.dialog.open;
    if (opens) this.back = document.activeElement;
    this.address = address;
    const close = h('button', {type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => this.dialog.close()}, '×');
    this.dialog.replaceChildren(h('div', {class: 'sheet'}, h('header', {}, h('div', {}, h('h2', {id: 'detail-title'}, title), h('p', {class: 'sub'}, sub)), close),
      h('div', {class: 'content', tabindex: '0', role: 'region', 'aria-label': 'Details'}, parts)));
    if (opens) this.dialog.showModal();
    close.focus();
    const moved = this.app.address(address, opens ? 'push' : '');
    if (opens) this.moved = moved;
  }

  // leave closes it because the address is another already.
  leave() {
    this.moved = false;
    if (this.dialog.open) this.dialog.close();
  }

  closed() {
    if (this.dialog.open) return; // another result took its place at once
    this.dialog.replaceChildren();
    this.address = '';
    this.app.remember(this.moved ? 'spare' : '');
    this.moved = false;
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
        ['Presents', (CREDENTIALS[c.credential] || c.credential) + (c.override === 'set' ? ', the account has an override password' : '')],
        ['Known by', CONFIDENCE_WORDS[c.confidence] || c.confidence], ['Basis', c.basis], ['Sources', (c.refs || []).map((ref) => h('div', {}, ref))],
        ['Took', c.elapsed_ms ? c.elapsed_ms + ' ms' : ''], ['Changed', this.changed(c.target, id)], ['ID', h('code', {}, id)],
      ]),
      this.command(commandFor(r, c.target, id, {client: clientName(cells, row), setting: c.setting})), this.transcript(c.transcript));
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
    this.show('case=' + caseAddress(r, row), c.title || c.id, `${c.id}, ${c.level}`,
      h('div', {class: 'headline'}, badge(c.verdict, c.excused), h('p', {}, c.reason || WHYS[c.why] && capital(WHYS[c.why]) + '.' || 'As required.')),
      facts([['Verdict', verdictLine(c)], ['Excused', c.excused], ['Of', c.profile ? 'client ' + c.profile : `${target?.name}, ${target?.doors?.[c.door]?.address || ''}`],
        ['Sources', (c.refs || []).map((ref) => h('div', {}, ref))], ...advice(c.advice, r.ours), ['Changed', this.changed(c.target, key)], ['ID', h('code', {}, key)]]),
      this.command(commandFor(r, c.target, c.id + '@' + (c.profile || target?.doors?.[c.door]?.protocol), {client: c.profile, test: c.id})), this.transcript(c.transcript));
  }

  scenario(row) {
    const r = this.app.report, s = r.scenarios.row(row), target = r.targets[s.target];
    this.show('scenario=' + scenarioAddress(r, row), s.id.split('/').slice(2).join(' / '), capital(s.kind),
      h('div', {class: 'headline'}, badge(s.verdict, s.excused), h('p', {}, s.reason || capital(s.outcome || 'not tried') + ', as expected.')),
      facts([['Verdict', verdictLine(s)], ['Excused', s.excused], ['Expected', (s.expected || []).join(' or ')], ['Outcome', s.outcome],
        ['Readable', EXPOSED[s.exposure]], ['Server', r.targets.length > 1 ? target?.name : ''], ['Client', s.profile], ['Protocol', s.protocol && protocolWord(s.protocol)], ['Transport', s.transport],
        ['Sources', (s.refs || []).map((ref) => h('div', {}, ref))], ...advice(s.advice, r.ours), ['Changed', this.changed(s.target, s.id)], ['ID', h('code', {}, s.id)]]),
      this.command(commandFor(r, s.target, s.id, {client: s.profile})), this.transcript(s.transcript));
  }

  client(name) {
    const c = this.app.report.client.get(name), manners = c.told?.protocols || [];
    const asTable = (heads, entries, caption) => (entries.length ? plainTable(heads, entries, caption) : '');
    const said = (at) => (at === null || at === undefined ? '–' : h('details', {class: 'said'}, h('summary', {}, 'what was said'), this.transcript(at)));
    this.show('client=' + name, c.title, c.name,
      facts([['Family', c.family], ['Version', c.version], ['Settings', c.state], ['Known by', `${c.known} (${CONFIDENCES.filter((k) => c.facts?.[k]).map((k) => of(c.facts[k], 'fact') + ' ' + k).join(', ') || c.weakest || 'nothing'})`]]),
      manners.flatMap((m) => [h('h3', {}, protocolWord(m.protocol)),
        asTable(['Told to encrypt', 'Gives something up at', 'Gives', 'Said'], inOrder(Object.keys(m.floors || {}), ['required', 'if-available', 'off'])
          .map((e) => [e, RUNGS[m.floors[e].rung] || m.floors[e].rung || 'nowhere', EXPOSED[m.floors[e].gives], said(m.floors[e].transcript)]), 'How far it goes down and still logs in (credential floor), ' + protocolWord(m.protocol)),
        asTable(['When refused with', 'It', 'And shows', 'Said'], Object.keys(m.denials || {}).sort()
          .map((answer) => [answer, DENIALS[m.denials[answer].does] || m.denials[answer].does, EXPOSED[m.denials[answer].shows], said(m.denials[answer].transcript)]), 'Refusals, ' + m.protocol)]));
  }

  // command shows what runs the result again, and copies it.
  command(text) {
    const heading = h('h3', {}, 'Run it again');
    if (!text) {
      return h('div', {class: 'rerun'}, heading, h('p', {class: 'note'}, this.app.report.ours ? 'No command is known that runs exactly this again.' :
        ['This report was opened from elsewhere, and a command of it is not to be trusted. ', h('code', {}, 'mailmatrix report convert'), ' makes a page of it that has them.']));
    }
    const said = h('span', {class: 'quiet', role: 'status'}), code = h('code', {}, text.split(/ (?=--)/).flatMap((part, i) => [i ? ' ' : '', h('span', {}, part)]));
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(text);
        said.textContent = 'Copied';
      } catch { // a browser may keep it from a file
        getSelection().selectAllChildren(code);
        said.textContent = 'Selected: copy it yourself';
      }
    };
    return h('div', {class: 'rerun'}, heading, h('div', {class: 'command'}, code, h('button', {type: 'button', onclick: copy}, 'Copy')), said);
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

const advice = (a, ours) => (a ? [['Fix' + (a.software ? ', ' + a.software : ''), (a.fix || []).map((line) => h('code', {class: 'block'}, line))],
  ['See it without us', ours ? a.command && h('code', {class: 'block'}, a.command) : '']] : []);
