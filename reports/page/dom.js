// Small tools for the document. Text is always set as text: what a server said
// is never read as markup.

function h(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return e;
}

const byID = (id) => document.getElementById(id);

// badge is a verdict with glyph and word.
function badge(verdict, excused) {
  const name = excused ? 'excused' : verdict, look = VERDICT_LOOKS[name] || VERDICT_LOOKS.unjudged;
  return h('span', {class: 'badge tone-' + look.tone}, h('span', {'aria-hidden': 'true'}, look.glyph), ' ' + name);
}

// segments are a choice of few, all of them seen.
function segments(label, name, options, chosen, choose) {
  const box = h('fieldset', {class: 'segments'}, h('legend', {}, label));
  options.forEach(({value, word, title}) => {
    const input = h('input', {type: 'radio', name, value, checked: value === chosen, onchange: () => choose(value)});
    box.append(h('label', {title}, input, h('span', {}, word)));
  });
  return box;
}

// menu is a choice of many; each option may have a count.
function menu(label, options, chosen, choose) {
  const select = h('select', {onchange: (e) => choose(e.target.value)});
  select.append(...options.map(({value, word, count}) =>
    h('option', {value, selected: value === chosen}, word + (count === undefined ? '' : ' (' + number(count) + ')'))));
  return h('label', {class: 'field'}, h('span', {}, label), select);
}

function search(label, value, choose) {
  return h('label', {class: 'field search'}, h('span', {}, label),
    h('input', {type: 'search', value, autocomplete: 'off', spellcheck: 'false', oninput: (e) => choose(e.target.value)}));
}

// tally is a number with what it counts.
function tally(n, word, tone) {
  return h('div', {class: 'tally' + (tone ? ' is-' + tone : '')}, h('b', {}, number(n)), h('span', {}, word));
}

function facts(pairs) {
  const list = h('dl', {class: 'facts'});
  for (const [term, text] of pairs) {
    if (text === '' || text === null || text === undefined || (Array.isArray(text) && !text.length)) continue;
    list.append(h('div', {}, h('dt', {}, term), h('dd', {}, text)));
  }
  return list;
}

function plainTable(heads, rows, caption) {
  return h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
    h('table', {class: 'plain'}, h('caption', {class: 'away'}, caption),
      h('thead', {}, h('tr', {}, heads.map((t) => h('th', {scope: 'col'}, t)))),
      h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell, i) => h(i ? 'td' : 'th', i ? {} : {scope: 'row'}, cell)))))));
}
