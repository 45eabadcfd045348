package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func newCert(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "cert",
		Short: "generate, convert and inspect certificates",
		Example: `  mailmatrix cert generate --name mail.example.com --out cert.pem --key-out key.pem
  mailmatrix cert convert --in server.pfx --out cert.pem --key-out key.pem
  mailmatrix cert inspect cert.pem`,
		Args: knownVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCertGenerate(t), newCertConvert(t), newCertInspect(t))
	return c
}

func newCertGenerate(t terminal) *cobra.Command {
	var names []string
	var out pemFiles
	var rsa bool
	var days int
	c := &cobra.Command{
		Use:   "generate",
		Short: "make a self-signed certificate and its key, in PEM",
		Long: `Make a self-signed certificate and its key, in PEM. The first name is the common
name, and all of them are alternative names; a wildcard such as *.example.com
is one. Without --name it is the name of this machine.`,
		Example: `  mailmatrix cert generate --name mail.example.com --out cert.pem --key-out key.pem
  mailmatrix cert generate --name '*.example.com' --rsa --out cert.pem --key-out key.pem`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if days <= 0 {
				return fmt.Errorf("--days wants a number of days, not %d", days)
			}
			if len(names) == 0 {
				names = []string{machineName()}
			}
			now := time.Now()
			leaf := certs.Leaf{Names: names, NotAfter: now.AddDate(0, 0, days)}
			if rsa {
				leaf.Key = certs.RSA
			}
			pair, err := certs.SelfSigned(leaf, now)
			if err != nil {
				return err
			}
			return out.write(t, pair)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&names, "name", nil, "common name, then further names")
	flags.BoolVar(&rsa, "rsa", false, "an RSA key of 2048 bits, for old clients (default ECDSA P-256)")
	flags.IntVar(&days, "days", 365, "days until it ends")
	out.register(c)
	return c
}

func newCertConvert(t terminal) *cobra.Command {
	var in, passwordFile string
	var out pemFiles
	c := &cobra.Command{
		Use:   "convert",
		Short: "turn DER, PKCS#7, PKCS#12 and encrypted keys into plain PEM",
		Long: `Turn what an authority or another server gave you into plain PEM.

A password comes from the file named by --password-file, from the environment
(MAILMATRIX_PASSWORD), or is asked for.`,
		Example: `  mailmatrix cert convert --in server.pfx --out cert.pem --key-out key.pem
  mailmatrix cert convert --in server.cer --out cert.pem`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if in == "" {
				return errors.New("convert what? name a file with --in FILE")
			}
			data, err := os.ReadFile(in) //nolint:gosec // the user names the file
			if err != nil {
				return err
			}
			pair, err := certs.Convert(data, "")
			var locked *certs.PasswordError
			if errors.As(err, &locked) {
				password, ask := readPassword(t, passwordFile, "password of "+in)
				if ask != nil {
					return ask
				}
				pair, err = certs.Convert(data, password)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", in, err)
			}
			return out.write(t, pair)
		},
	}
	flags := c.Flags()
	flags.StringVar(&in, "in", "", "`FILE` to convert")
	flags.StringVar(&passwordFile, "password-file", "", "`FILE` whose first line is the password")
	out.register(c)
	return c
}

func newCertInspect(t terminal) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:     "inspect FILE",
		Short:   "say what a certificate is and what is wrong with it",
		Example: `  mailmatrix cert inspect cert.pem`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			data, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			info, err := certs.Inspect(data, time.Now())
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if form == "json" {
				return writeJSON(t.Out, info)
			}
			return writeCertificates(t.Out, info)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func writeCertificates(w io.Writer, info certs.Info) error {
	var b strings.Builder
	for i, c := range info.Certificates {
		if i > 0 {
			b.WriteString("\n")
		}
		key := fmt.Sprintf("%s %d bits", c.KeyAlgorithm, c.KeyBits)
		if c.KeyCurve != "" {
			key = c.KeyAlgorithm + " " + c.KeyCurve
		}
		issuer := c.Issuer
		if c.SelfSigned {
			issuer = "itself"
		}
		fmt.Fprintf(&b, "common name  %s\nnames        %s\nissued by    %s\nkey          %s\nvalid        %s to %s (%d days left)\nfingerprint  %s\n",
			c.CommonName, strings.Join(c.Names, " "), issuer, key,
			c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), c.DaysLeft, c.Fingerprint)
		for _, warning := range c.Warnings {
			fmt.Fprintf(&b, "warning      %s\n", warning)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// pemFiles are where certificate and key go.
type pemFiles struct {
	certificate, key string
	force            bool
}

func (p *pemFiles) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&p.certificate, "out", "", "`FILE` for the certificate, and for the key if that has none of its own")
	flags.StringVar(&p.key, "key-out", "", "`FILE` for the key")
	flags.BoolVar(&p.force, "force", false, "replace files that exist")
}

// write puts the parts that there are into their files: nothing is replaced
// unasked, and a key is readable by its owner alone.
func (p *pemFiles) write(t terminal, pair certs.Pair) error {
	type part struct {
		what, name string
		data       []byte
		mode       os.FileMode
	}
	parts := []part{{"certificate", p.certificate, pair.CertPEM, publicFile}, {"key", p.key, pair.KeyPEM, privateFile}}
	switch {
	case len(pair.CertPEM) == 0:
		parts = []part{{"key", cmp.Or(p.key, p.certificate), pair.KeyPEM, privateFile}}
	case len(pair.KeyPEM) == 0:
		parts = parts[:1]
	case p.key == "":
		both := slices.Concat(pair.CertPEM, pair.KeyPEM)
		parts = []part{{"certificate and key", p.certificate, both, privateFile}}
	}
	for _, part := range parts {
		if part.name == "" {
			return errors.New("say where to write it, with --out FILE")
		}
		if _, err := os.Stat(part.name); err == nil && !p.force {
			return fmt.Errorf("%s exists: choose another name, or --force to replace it", part.name)
		}
	}
	for _, part := range parts {
		if err := writeFile(part.name, part.data, part.mode); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(t.Err, "%s written to %s\n", part.what, part.name); err != nil {
			return err
		}
	}
	return nil
}
