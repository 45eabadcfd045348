package interop

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// standingEximConfig is Exim with its own authenticators. Whoever has not logged
// in may write to the server's own people at most, and no mail leaves the machine.
// It delivers as itself, for a configuration that is not its compiled-in one
// costs it root's rights.
const standingEximConfig = `
exim_path = PROGRAM
primary_hostname = IDENTITY
qualify_domain = DOMAIN
spool_directory = FOLDER/spool
log_file_path = FOLDER/spool/%slog
pid_file_path = FOLDER/spool/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = CLEAR : IMPLICIT
log_selector = +received_recipients +smtp_protocol_error
tls_on_connect_ports = IMPLICIT
tls_advertise_hosts = *
tls_certificate = FOLDER/server.pem
tls_privatekey = FOLDER/server.key
auth_advertise_hosts = *
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 0
deliver_drop_privilege = true
domainlist local_domains = DOMAIN
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt

begin acl

check_mail:
  MAIL

check_rcpt:
  accept authenticated = *
  deny message = relay not permitted
    !domains = +local_domains
  require verify = recipient
  accept

begin routers

people:
  driver = accept
  domains = +local_domains
  local_parts = lsearch;FOLDER/boxes
  transport = maildir

postmaster:
  driver = redirect
  domains = +local_domains
  local_parts = postmaster
  data = :blackhole:

elsewhere:
  driver = redirect
  domains = ! +local_domains
  data = :blackhole:

begin transports

maildir:
  driver = appendfile
  maildir_format
  directory = FOLDER/home/$local_part_data/Maildir
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add

begin authenticators

`

const (
	// eximPlain is as Exim's manual has it: PLAIN's first name, for whom somebody
	// asks to act, is overlooked (chapter 34).
	eximPlain = `
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{${lookup{$auth2}lsearch{FOLDER/users}{$value}fail}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if eq{$auth2}{${lookup{$auth1}lsearch{FOLDER/users}{$value}fail}}}
  server_set_id = $auth1
`
	eximPlainInTLS = `
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_advertise_condition = ${if def:tls_in_cipher}
  server_condition = ${if and{\
    {or{{eq{$auth1}{}}{eq{$auth1}{$auth2}}}}\
    {eq{$auth3}{${lookup{$auth2}lsearch{FOLDER/users}{$value}fail}}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_advertise_condition = ${if def:tls_in_cipher}
  server_condition = ${if eq{$auth2}{${lookup{$auth1}lsearch{FOLDER/users}{$value}fail}}}
  server_set_id = $auth1
`
	eximCRAM = `
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${lookup{$auth1}lsearch{FOLDER/users}{$value}fail}
  server_set_id = $auth1
`
	eximOthers = `
spa:
  driver = spa
  public_name = NTLM
  server_password = ${lookup{$auth1}lsearch{FOLDER/users}{$value}fail}
  server_set_id = $auth1

external:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = ${if eq{$tls_in_certificate_verified}{1}}
  server_param2 = ${certextract{subject,CN}{$tls_in_peercert}}
  server_condition = ${if and{{eq{$tls_in_certificate_verified}{1}}{or{{eq{$auth1}{}}{eq{$auth1}{$auth2}}}}}}
  server_set_id = $auth2
`
)

// eximAs is one configuration of Exim.
type eximAs struct {
	servesAs
	mail           string // what is thought of MAIL
	authenticators string
}

// eximServesAs: everything, in clear too; and what a careful administrator
// permits. The config comes before Exim's sections.
var eximServesAs = map[string]eximAs{
	"open": {
		servesAs: servesAs{
			config: `
tls_verify_certificates = FOLDER/clients.pem
tls_try_verify_hosts = *
`,
			policy: login.Policy{Common: map[login.Mechanism]login.Setting{
				login.PLAIN: login.Allow, login.LOGIN: login.Allow, login.CRAMMD5: login.Allow, login.NTLM: login.Allow,
				login.EXTERNAL: login.Secure,
			}},
		},
		mail:           "accept",
		authenticators: eximPlain + eximCRAM + eximOthers,
	},
	"strict": {
		servesAs: servesAs{
			config: `
tls_require_ciphers = SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:\
  -CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE
`,
			policy: login.Policy{Common: map[login.Mechanism]login.Setting{
				login.PLAIN: login.Secure, login.LOGIN: login.Secure, login.CRAMMD5: login.Allow,
			}},
		},
		mail:           "accept authenticated = *\n  deny message = authentication required",
		authenticators: eximPlainInTLS + eximCRAM,
	},
}

// eximFolder is where the gate unpacks Exim's packages: Debian lets only one
// mail transport agent be installed.
func eximFolder() string {
	return cmp.Or(os.Getenv("MAILMATRIX_EXIM"), "/var/cache/mailmatrix/exim")
}

// standExim starts one.
func standExim(t *testing.T, policy string) *standing {
	t.Helper()
	return standEximAs(t, policy, eximServesAs[policy])
}

func standEximAs(t *testing.T, policy string, as eximAs) *standing {
	t.Helper()
	program := need(t, filepath.Join(eximFolder(), "usr/sbin/exim4"), "exim4-daemon-heavy exim4-base, unpacked by .ci/run")
	const owner = "Debian-exim" // compiled in
	s := newSite(t, "exim")
	as.certify(t, s)
	if err := chown(s.folder, owner); err != nil {
		unavailable(t, fmt.Sprintf("exim4 wants to run as a user of its own, which its package would make: %v", err))
	}
	s.makeFolder(t, "spool", owner)
	var users, boxes string
	for _, account := range s.accounts() {
		users += account.Name + ": " + account.Password + "\n"
		boxes += account.Name + ": " + account.Name + "\n"
	}
	s.write(t, "users", users)
	s.write(t, "boxes", boxes)
	for _, name := range []string{"users", "boxes", "server.key", "server.pem", "clients.pem"} {
		s.give(t, name, owner)
	}
	clear, implicit := freeAddress(t, loopback), freeAddress(t, loopback)
	mailbox, _ := standMailbox(t, s, owner, "plain")
	config := s.write(t, "exim.conf", strings.NewReplacer("FOLDER", s.folder, "IDENTITY", identity, "DOMAIN", login.DefaultDomain,
		"CLEAR", portOf(clear), "IMPLICIT", portOf(implicit), "PROGRAM", program, "MAIL", as.mail).
		Replace(as.config+standingEximConfig+as.authenticators))
	if out, err := exec.Command(program, "-C", config, "-bV").CombinedOutput(); err != nil {
		t.Fatalf("exim -bV: %v\n%s", err, out)
	}
	launch(t, program, "-C", config, "-bdf")
	e := &standing{
		name: "exim-" + policy, about: []login.Protocol{login.SMTP}, site: s, policy: as.policy,
		doors: map[login.Protocol]map[login.Transport]string{login.SMTP: twoDoors(clear, implicit), login.POP3: mailbox},
		issues: func(flaw login.Flaw) (login.Issued, error) {
			pair, err := s.clientCertificate(flaw)
			return login.Issued{Certificate: pair.CertPEM, Key: pair.KeyPEM}, err
		},
	}
	e.awaits(t, s.path("spool/mainlog"))
	return e
}
