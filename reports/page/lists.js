// Rows draws a table of any length: what is in sight is in the document, and
// rows of the table's own height stand for the rest. One of its marks can be
// reached with Tab, the others with the arrow keys.

class Rows {
  constructor(box, table) {
    this.box = box;
    this.body = table.tBodies[0];
    this.head = table.tHead;
    this.table = table;
    this.height = 0;
    const spacer = () => h('tr', {class: 'spacer', 'aria-hidden': 'true'}, h('td', {}));
    this.above = spacer();
    this.below = spacer();
    this.body.append(this.above, this.below);
    this.drawn = new Map();
    this.count = 0;
    box.addEventListener('scroll', () => this.render(), {passive: true});
    this.body.addEventListener('keydown', (e) => this.key(e));
    this.body.addEventListener('focusin', (e) => this.stop(e.target.closest('[data-col]')));
    this.resized = new ResizeObserver(() => this.render());
    this.resized.observe(box);
  }

  // show draws count rows anew, from the top.
  show(count, draw) {
    this.count = count;
    this.draw = draw;
    for (const tr of this.drawn.values()) tr.remove();
    this.drawn.clear();
    this.table.setAttribute('aria-rowcount', count + 1);
    this.box.scrollTop = 0;
    this.render();
  }

  // render draws what is in sight. Paper does not scroll, so there it is all.
  render(all = matchMedia('print').matches) {
    if (!this.draw || !this.box.isConnected) return;
    if (!this.height && this.count) { // as high as the style makes it
      this.put(0);
      this.height = this.drawn.get(0).getBoundingClientRect().height || 44;
    }
    // The box grows with its rows, so what counts is how high it may become.
    const room = Math.max(this.box.clientHeight, parseFloat(getComputedStyle(this.box).maxHeight) || 0), height = this.height || 1;
    const first = all ? 0 : Math.max(0, Math.floor(this.box.scrollTop / height) - 4);
    const last = all ? this.count : Math.min(this.count, Math.ceil((this.box.scrollTop + room) / height) + 4);
    let before = first, after = this.count - last; // rows that are not in the document
    for (const [i, tr] of this.drawn) {
      if (i >= first && i < last) continue;
      if (tr.contains(document.activeElement)) { // it keeps the keyboard while it is out of sight
        if (i < first) before--;
        else after--;
        continue;
      }
      tr.remove();
      this.drawn.delete(i);
    }
    for (let i = first; i < last; i++) if (!this.drawn.has(i)) this.put(i);
    this.above.firstChild.style.height = before * this.height + 'px';
    this.below.firstChild.style.height = after * this.height + 'px';
    this.above.hidden = before === 0;
    this.below.hidden = after === 0;
    this.box.parentElement.classList.toggle('more', this.box.scrollLeft + this.box.clientWidth < this.box.scrollWidth - 2);
    if (!this.body.querySelector('[data-col][tabindex="0"]')) this.stop(this.body.querySelector('[data-col]'));
  }

  put(i) {
    const tr = this.draw(i);
    tr.dataset.row = i;
    tr.setAttribute('aria-rowindex', i + 2);
    let next = this.count;
    for (const k of this.drawn.keys()) if (k > i && k < next) next = k;
    this.body.insertBefore(tr, this.drawn.get(next) || this.below);
    this.drawn.set(i, tr);
  }

  // stop makes a mark the one that Tab comes to.
  stop(mark) {
    if (!mark) return;
    this.body.querySelectorAll('[data-col][tabindex="0"]').forEach((m) => m.setAttribute('tabindex', '-1'));
    mark.setAttribute('tabindex', '0');
  }

  // reveal scrolls to a row, clear of the heading above and the names beside it.
  reveal(i) {
    const top = i * this.height, room = this.box.clientHeight - this.head.offsetHeight;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + this.height > this.box.scrollTop + room) this.box.scrollTop = top + this.height - room;
    this.render();
    return this.drawn.get(i);
  }

  focus(i, column) {
    const marks = [...this.reveal(i).querySelectorAll('[data-col]')];
    if (!marks.length) return false;
    const nearest = marks.reduce((a, b) => (Math.abs(b.dataset.col - column) < Math.abs(a.dataset.col - column) ? b : a));
    nearest.focus({preventScroll: true});
    const name = nearest.closest('tr').firstElementChild, at = nearest.getBoundingClientRect(), box = this.box.getBoundingClientRect();
    const left = getComputedStyle(name).position === 'sticky' ? box.left + name.offsetWidth : box.left;
    if (nearest !== name && !name.contains(nearest)) {
      if (at.left < left) this.box.scrollLeft -= left - at.left + 8;
      else if (at.right > box.right) this.box.scrollLeft += at.right - box.right + 16;
    }
    return true;
  }

  key(e) {
    const mark = e.target.closest('[data-col]');
    if (!mark || e.altKey || e.metaKey) return;
    const row = Number(mark.closest('tr').dataset.row), column = Number(mark.dataset.col);
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 2);
    const siblings = [...mark.closest('tr').querySelectorAll('[data-col]')], place = siblings.indexOf(mark);
    const beside = (to) => siblings[to] && this.focus(row, Number(siblings[to].dataset.col));
    const moves = {
      ArrowRight: () => beside(place + 1), ArrowLeft: () => beside(place - 1), ArrowDown: () => this.step(row, 1, column),
      ArrowUp: () => this.step(row, -1, column), PageDown: () => this.step(row, page, column), PageUp: () => this.step(row, -page, column),
      Home: () => (e.ctrlKey ? this.step(0, 0, 0) : beside(0)),
      End: () => (e.ctrlKey ? this.step(this.count - 1, 0, Infinity) : beside(siblings.length - 1)),
    };
    if (!moves[e.key]) return;
    e.preventDefault();
    moves[e.key]();
  }

  // step goes to the next row in that direction that has a mark.
  step(from, by, column) {
    let to = Math.min(this.count - 1, Math.max(0, from + by));
    const on = by < 0 ? -1 : 1;
    while (to >= 0 && to < this.count && !this.focus(to, Math.min(column, 1e6))) to += on;
  }
}

// ResultList is a view of cases or scenarios: filters, counts, and a row each
// under the heading of its group.
class ResultList {
  constructor(app, options) {
    Object.assign(this, {app, ...options});
    this.filter = {q: '', group: '', level: '', side: '', verdict: ''};
  }

  address() {
    return Object.entries(this.filter).filter(([, value]) => value).map(([name, value]) => name + '=' + encodeURIComponent(value));
  }

  restore(asked) {
    for (const name of Object.keys(this.filter)) this.filter[name] = asked.get(name) || '';
  }

  build(main) {
    this.bar = h('div', {class: 'bar'});
    this.count = h('p', {class: 'count', role: 'status'});
    const heads = this.columns.map((c) => h('th', {scope: 'col', role: 'columnheader', class: c.class}, c.head));
    this.tableElement = h('table', {class: 'results', role: 'grid', 'aria-label': this.label, 'aria-colcount': this.columns.length},
      h('thead', {}, h('tr', {role: 'row', 'aria-rowindex': 1}, heads)), h('tbody', {}));
    this.box = h('div', {class: 'box', tabindex: '0', role: 'region', 'aria-label': this.label}, this.tableElement);
    main.append(...(this.summary ? [this.summary()].flat() : []), this.bar, this.count, this.box);
    this.list = new Rows(this.box, this.tableElement);
    this.app.printed = () => this.list.render(true);
    this.controls();
    this.apply();
    if (!this.rows.length) [this.bar, this.box].forEach((e) => e.remove()); // there is nothing to choose from
  }

  controls() {
    const pick = (name) => (value) => { this.filter[name] = value; this.app.remember(); this.apply(); };
    const differ = (name) => this.rows.some((r) => r[name] !== this.rows[0][name]);
    this.menus = {};
    const add = (name, label) => (this.menus[name] = menu(label, [], '', pick(name)));
    this.bar.replaceChildren(search('Find', this.filter.q, pick('q')), add('group', this.groupWord), this.rows.some((r) => r.level) ? add('level', 'Level') : '',
      differ('side') ? add('side', this.sideWord || 'Of') : '', add('verdict', this.shownWord || 'Verdict'));
  }

  // value is what a menu asks of a row.
  value(row, name) {
    return row[name === 'verdict' ? 'shown' : name];
  }

  matches(row, but) {
    const q = this.filter.q.trim().toLowerCase();
    return ['group', 'level', 'side', 'verdict'].every((name) => name === but || !this.filter[name] || this.value(row, name) === this.filter[name]) && (!q || row.text.includes(q));
  }

  // recount writes behind each option how many rows it would leave.
  recount() {
    const orders = {group: this.groupOrder || [], level: LEVELS, side: [], verdict: this.shownOrder || [...VERDICTS, 'excused']};
    for (const [name, label] of Object.entries(this.menus)) {
      const counts = new Map(), left = this.rows.filter((row) => this.matches(row, name));
      for (const row of left) counts.set(this.value(row, name), (counts.get(this.value(row, name)) || 0) + 1);
      refill(label, counts, orders[name], this.filter[name], left.length);
    }
  }

  apply() {
    const found = this.rows.filter((row) => this.matches(row));
    this.recount();
    this.lines = [];
    let group = null;
    for (const row of found) {
      if (row.group !== group) {
        group = row.group;
        const members = found.filter((r) => r.group === group);
        this.lines.push({head: group, members: members.length, wrong: members.filter((r) => r.shown === 'fail').length});
      }
      this.lines.push(row);
    }
    this.count.textContent = !found.length ? (this.rows.length ? 'Nothing matches: take a filter back.' : this.none || 'Nothing is here.') :
      number(found.length) + ' of ' + of(this.rows.length, this.noun);
    this.list.show(this.lines.length, (i) => this.drawLine(this.lines[i]));
  }

  drawLine(line) {
    if (line.head !== undefined) {
      return h('tr', {class: 'group', role: 'row'}, this.columns.map((c, k) => (k ? h('td', {role: 'gridcell', class: c.class}) : h('th', {role: 'rowheader', scope: 'row'}, line.head,
        h('span', {}, of(line.members, this.noun) + (line.wrong ? ', ' + number(line.wrong) + ' failed' : ''))))));
    }
    return h('tr', {class: 'line', role: 'row', onclick: () => this.open(line)}, this.columns.map((c, k) => h('td', {role: 'gridcell', class: c.class},
      k === 0 ? h('button', {type: 'button', class: 'row-link', 'data-col': 0, tabindex: '-1'}, c.cell(line)) : c.cell(line))));
  }
}
