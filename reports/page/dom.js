// Small tools for the document. Text is always set as text: what a server said
// is never read as markup.

function h(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else e.setAttribute(name, value === true ? '' : name === 'value' ? value : visible(value));
  }
  e.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false).map((c) => (c instanceof Node ? c : visible(c))));
  return e;
}

// UNSEEN are the characters that nobody sees, or that show others in another
// order: controls, directions, separators, and those without width.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

// visible writes them out, so that a text says what it seems to say.
function visible(text) {
  return String(text).replace(UNSEEN, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
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
  select.append(...options.map(({value, word, count, title}) =>
    h('option', {value, title, selected: value === chosen}, word + (count === undefined ? '' : ' (' + number(count) + ')'))));
  return h('label', {class: 'field'}, h('span', {}, label), select);
}

// refill writes the options of a menu anew, each with how many it would leave.
function refill(label, counts, order, chosen, all) {
  if (chosen && !counts.has(chosen)) counts.set(chosen, 0);
  const options = inOrder(counts.keys(), order).filter((value) => value).map((value) => [value, counts.get(value)]);
  label.querySelector('select').replaceChildren(...[['', all], ...options].map(([value, n]) =>
    h('option', {value, selected: value === chosen}, (value || 'all') + ' (' + number(n) + ')')));
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
