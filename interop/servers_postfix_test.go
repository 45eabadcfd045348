package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// standingPostfixMain is a submission server's: whoever has not logged in may
// at most write to the server's own people. What slows down who errs is off, or
// a run would be about nothing else, and no mail leaves the machine.
const standingPostfixMain = `
# A server of its that ends at once, on a machine with too much to do, is started
# again in a second, and not in a minute.
service_throttle_time = 1s
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
multi_instance_enable = no
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = %[2]s
mydomain = %[3]s
mydestination =
mynetworks = 192.0.2.0/24
alias_maps =
alias_database =
virtual_mailbox_domains = %[3]s
virtual_mailbox_base = %[1]s/home
virtual_mailbox_maps = texthash:%[1]s/boxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
relay_transport = discard:
default_transport = discard:
notify_classes =
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 2000
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = may
smtpd_tls_chain_files = %[1]s/server.key, %[1]s/server.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:%[4]s
smtpd_sasl_tls_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
`

const standingPostfixMaster = `
%[1]s inet n - n - - smtpd
%[2]s inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// postfixAs is one configuration of Postfix, and of the Dovecot that knows its
// passwords.
type postfixAs struct {
	servesAs
	mechanisms string // Dovecot's
}

// postfixServesAs: everything in clear too; and what a careful administrator
// permits, who by the mechanism filter means to deny DIGEST-MD5.
var postfixServesAs = map[string]postfixAs{
	"open": {
		mechanisms: "plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256",
		servesAs: servesAs{
			config: `
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = no
`,
			policy: login.Every([]login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.SCRAMSHA1,
				login.SCRAMSHA256}, login.Allow),
		},
	},
	"strict": {
		mechanisms: "plain login scram-sha-256 digest-md5",
		servesAs: servesAs{
			config: `
smtpd_sasl_security_options = noanonymous, noplaintext
smtpd_tls_auth_only = no
smtpd_sasl_mechanism_filter = !digest-md5, static:rest
smtpd_sender_restrictions = permit_sasl_authenticated, reject
smtpd_delay_reject = no
smtpd_tls_protocols = >=TLSv1.2
tls_preempt_cipherlist = yes
tls_medium_cipherlist = ECDHE+AESGCM:ECDHE+CHACHA20
smtpd_forbid_bare_newline = yes
`,
			policy: login.Policy{Common: map[login.Mechanism]login.Setting{
				login.PLAIN: login.Secure, login.LOGIN: login.Secure, login.SCRAMSHA256: login.Allow,
			}},
		},
	},
}

// postfixQueues are the folders that `postfix check` would make, in seconds.
var postfixQueues = []string{"active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
	"private", "public", "saved", "trace"}

// standPostfix starts one, and the Dovecot that knows its passwords.
func standPostfix(t *testing.T, policy string) *standing {
	t.Helper()
	return standPostfixAs(t, policy, postfixServesAs[policy])
}

func standPostfixAs(t *testing.T, policy string, as postfixAs) *standing {
	t.Helper()
	program := need(t, "/usr/lib/postfix/sbin/master", "postfix")
	s := newSite(t, "postfix")
	as.certify(t, s)
	clear, implicit := freeAddress(t, loopback), freeAddress(t, loopback)
	mailbox, auth := standMailbox(t, s, "nobody", as.mechanisms)
	boxes := fmt.Sprintf("postmaster@%s %s/Maildir/\n", login.DefaultDomain, s.account.Name)
	for _, account := range s.accounts() {
		boxes += fmt.Sprintf("%[1]s@%[2]s %[1]s/Maildir/\n", account.Name, login.DefaultDomain)
	}
	s.write(t, "boxes", boxes)
	s.give(t, "boxes", "postfix")
	s.makeFolder(t, "data", "postfix")
	s.makeFolder(t, "queue", "root")
	for _, name := range postfixQueues {
		s.makeFolder(t, filepath.Join("queue", name), "postfix")
	}
	// Postfix's own user looks into it.
	if err := os.Chmod(s.path("queue"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(t, "main.cf", fmt.Sprintf(standingPostfixMain, s.folder, identity, login.DefaultDomain, auth)+as.config)
	s.write(t, "master.cf", fmt.Sprintf(standingPostfixMaster, clear, implicit))
	launch(t, program, "-c", s.folder, "-s")
	p := &standing{
		name: "postfix-" + policy, about: []login.Protocol{login.SMTP}, site: s, policy: as.policy,
		doors: map[login.Protocol]map[login.Transport]string{login.SMTP: twoDoors(clear, implicit), login.POP3: mailbox},
	}
	p.awaits(t, s.path("log"))
	return p
}
