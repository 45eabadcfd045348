// How a cell looks: a glyph, a word and a colour, which say the same; a corner
// where something could be read, and hatching where the client is only guessed.

const LOOKS = {
  yes: {glyph: '✓', word: 'yes', tone: 'good', says: 'logs in, nothing can be read'},
  leaks: {glyph: '▲', word: 'leaks', tone: 'leak', says: 'logs in, and the password can be read'},
  token: {glyph: '▲', word: 'token', tone: 'leak', says: 'logs in, and the token can be read'},
  hash: {glyph: '△', word: 'hash', tone: 'hash', says: 'logs in, and a hash can be read that can be cracked'},
  no: {glyph: '×', word: 'no', tone: 'no', says: 'refused, or not offered'},
  rejected: {glyph: '⊘', word: 'reject', tone: 'no', says: 'refused after the secret was asked for'},
  none: {glyph: '∅', word: 'n/a', tone: 'off', says: 'the server has it not'},
  closed: {glyph: '○', word: 'no TLS', tone: 'off', says: 'no TLS to be had, and the client insists on it'},
  cert: {glyph: '⊗', word: 'cert', tone: 'no', says: 'the client refuses the certificate'},
  cut: {glyph: '‖', word: 'cut', tone: 'hash', says: 'the connection ended without an answer'},
  fail: {glyph: '✖', word: 'FAIL', tone: 'fail', says: 'not as expected'},
  warn: {glyph: '!', word: 'warn', tone: 'hash', says: 'as expected, but for a detail'},
  broken: {glyph: '⚙', word: 'broken', tone: 'ours', says: 'our failure, not the server’s'},
  skip: {glyph: '?', word: 'skip', tone: 'off', says: 'not tried'},
  known: {glyph: '✖', word: 'known', tone: 'hash', says: 'not as expected, and excused'},
  lacks: {glyph: '–', word: 'lacks', tone: 'off', says: 'the client has it not'},
};

function lookOf(r, row) {
  const cells = r.cells;
  const verdict = cells.get('verdict', row), outcome = cells.get('outcome', row), exposure = cells.get('exposure', row);
  if (cells.get('excused', row)) return LOOKS.known;
  if (verdict === 'fail') return LOOKS.fail;
  if (verdict === 'broken' || outcome === 'error') return LOOKS.broken;
  if (verdict === 'skip' || outcome === '') return LOOKS.skip;
  if (verdict === 'warn') return LOOKS.warn;
  if (outcome !== 'no-tls' && serverLacks(r, row)) return LOOKS.none;
  switch (outcome) {
    case 'logged-in':
      return {password: LOOKS.leaks, token: LOOKS.token, verifier: LOOKS.hash}[exposure] || LOOKS.yes;
    case 'no-tls': return LOOKS.closed;
    case 'cert-rejected': return LOOKS.cert;
    case 'refused-unavailable': return LOOKS.none;
    case 'refused-credentials': return LOOKS.rejected;
    case 'dropped': return LOOKS.cut;
    default: return LOOKS.no;
  }
}

const OUTCOMES = {
  'logged-in': 'It logs in.',
  'no-tls': 'It insists on encryption and cannot get it.',
  'cert-rejected': 'It refuses the server’s certificate.',
  'not-offered': 'It looks, does not find the mechanism offered, and does not try.',
  'refused-policy': 'It tries, and is refused because of the setting or the transport.',
  'refused-unavailable': 'It tries, and is refused because this server cannot do the mechanism.',
  'refused-credentials': 'It is refused after the server asked for the secret.',
  refused: 'It is refused, and nobody knows why.',
  dropped: 'The connection ends without an answer.',
  error: 'The harness failed. This says nothing of the server.',
};

const EXPOSED = {
  none: 'nothing', identity: 'the user name', verifier: 'a hash that can be cracked', token: 'the token', password: 'the PASSWORD',
};

const TRANSPORT_WORDS = {
  plain: {short: 'clear', long: 'without encryption'},
  starttls: {short: 'StartTLS', long: 'over STARTTLS'},
  tls: {short: 'TLS', long: 'over TLS from the first octet'},
};

const CONFIDENCE_WORDS = {
  observed: 'observed: recorded from the real client', source: 'source: read in the client’s own source',
  vendor: 'vendor: said by who makes it, or by the document', report: 'report: said by somebody who ought to know',
  assumed: 'assumed: our guess',
};

const VERDICT_LOOKS = {
  pass: {glyph: '✓', tone: 'good'}, warn: {glyph: '!', tone: 'hash'}, fail: {glyph: '✖', tone: 'fail'}, skip: {glyph: '?', tone: 'off'},
  broken: {glyph: '⚙', tone: 'ours'}, unjudged: {glyph: '·', tone: 'off'}, excused: {glyph: '✖', tone: 'hash'},
};

// MEANINGS are the words of the tool: said where they are to be chosen, and all
// together under About.
const MEANINGS = {
  classic: 'a server of about 2004: TLS 1.0 and up, no ports for TLS alone', modern: 'a server of today: TLS 1.2 and up, NTLMv2 alone, ports 465 and 995',
  deny: 'the mechanism is refused everywhere', allow: 'the mechanism is permitted everywhere', secure: 'the mechanism is permitted inside TLS only',
  policy: 'all mechanisms have a setting at once, by the policy that was given', unknown: 'the server as it stands: nobody has told how it is set',
  wingate: 'accounts of the server’s own, with passwords that can be recovered: challenges can be checked, NTLM cannot',
  nt: 'accounts of the operating system: a password in clear or NTLM can be checked, nothing else',
  full: 'has passwords, tokens, certificates and a Kerberos key: everything can be checked', scram: 'has the keys of SCRAM in place of passwords',
  'one that has it': 'of the databases, one that can check the mechanism', 'own choice': 'the mechanism that the client chooses as it is installed',
  lacks: 'the client has no such mechanism or transport', 'not run': 'the run left it out: nothing is said of it',
  'override password': 'a second password for POP3 alone, which an account may have',
  'credential floor': 'how far a client goes down, from a bad certificate to no TLS at all, and still gives up a password, token or hash',
};

const CREDENTIALS = {account: 'its password', override: 'the override password', wrong: 'a wrong password'};

// RUNGS are the steps down to the credential floor.
const RUNGS = {
  certificate: 'a certificate that nobody vouches for', handshake: 'a broken TLS handshake', refused: 'STARTTLS offered, and refused', stripped: 'no STARTTLS offered',
  weak: 'no STARTTLS, and no mechanism that hides the password', hello: 'EHLO refused',
};

// DENIALS are what clients do when they are refused.
const DENIALS = {
  'not-tried': 'was not tried', 'gives-up': 'gives up', 'next-mechanism': 'tries the next mechanism', retries: 'tries the same once more', loops: 'tries again and again',
  unauthenticated: 'hands in the mail without a login', 'takes-for-login': 'takes the refusal for a login', waits: 'waits', starttls: 'encrypts, and tries again',
};

const settingWord = (s) => ({policy: 'by the policy', unknown: 'as it is'})[s] || s;

const PROTOCOL_WORDS = {smtp: 'SMTP', pop3: 'POP3'};
const protocolWord = (p) => PROTOCOL_WORDS[p] || String(p).toUpperCase();
const mechanismWord = (m) => (m === 'auto' ? 'own choice' : m === 'GSSAPI' ? 'GSSAPI (Kerberos)' : m);

const number = (n) => n.toLocaleString('en-US');
const of = (n, noun) => number(n) + ' ' + noun + (n === 1 ? '' : 's');
const percent = (part, whole) => (whole ? Math.round((100 * part) / whole) + '%' : '–');
const capital = (s) => s.charAt(0).toUpperCase() + s.slice(1);
