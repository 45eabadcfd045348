package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"html/template"
	"net"
	"net/http"
	"time"
)

//go:embed observe_page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is the desk in a browser on this machine.
type page struct {
	desk     *desk
	listener net.Listener
	server   *http.Server
	// token is in every form, so that no other page can press a button.
	token string
}

func openPage(d *desk) (*page, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, err
	}
	p := &page{desk: d, listener: l, token: rand.Text()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("POST /choose", p.choose)
	p.server = &http.Server{Handler: p.ours(mux), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(l) }() // until close
	return p, nil
}

func (p *page) url() string { return "http://" + p.listener.Addr().String() + "/" }

func (p *page) close() { _ = p.server.Close() }

// ours refuses who calls this server by another name: a page elsewhere whose
// name was made to lead here.
func (p *page) ours(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != p.listener.Addr().String() {
			http.Error(w, "not here", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *page) show(w http.ResponseWriter, _ *http.Request) {
	v := p.desk.view()
	v.Token = p.token
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	_ = pageTemplate.Execute(w, v)
}

// choose presses a button.
func (p *page) choose(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.PostFormValue("token")), []byte(p.token)) != 1 {
		http.Error(w, "not from this page", http.StatusForbidden)
		return
	}
	chosen, ok := choiceOf(r.PostFormValue("choice"))
	if !ok {
		http.Error(w, "no such choice", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	select {
	case p.desk.choices <- pressed{chosen, r.PostFormValue("posture")}:
	case <-ctx.Done(): // nobody waits for one
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
