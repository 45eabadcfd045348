// The commands that run a result again. They are pasted into somebody's shell, so
// what is in them is quoted; and where a part of one is nothing that a person
// types, or nobody knows how the run was asked, there is none.

const typeable = (text) => /^[\x20-\x7e]+$/.test(text);

const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'");

// listed is a value of a flag that takes several with commas between them.
const listed = (text) => (/[",]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text);

// commandFor runs one experiment again as it was run, and no other: of the
// reference server by its ID, of any other server as it was asked. A case is in
// the plan only if cases were asked for, or nothing was narrowed.
function commandFor(r, target, id, {client = '', setting = '', test = ''}) {
  if (r.targets[target]?.kind !== 'reference') return r.commands?.[target] || '';
  const {seed, selection} = askedOf(r, target);
  if (!selection || !Number.isSafeInteger(seed) || (setting === 'policy' && !selection.policy)) return '';
  const flags = [['only', listed(id)], ['policy', selection.policy?.[0]], ['cases', test && selection.cases ? test : ''], ['catalog', test && r.catalogue],
    ['profile', client.includes('+') && !selection.full ? client : ''],
    ...(selection['profile-file'] || []).map((file) => ['profile-file', listed(file)])].filter(([, value]) => value);
  if (!flags.every(([, value]) => typeable(String(value)))) return '';
  return 'mailmatrix run' + flags.map(([name, value]) => ` --${name} ${quote(String(value))}`).join('') + (selection.full ? ' --full' : '') + ` --seed ${seed} --transcripts all -v`;
}
