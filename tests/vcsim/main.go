// Copyright (c) 2026, the vsphere.content_library contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command vcsim serves govmomi's vCenter simulator with its content library, over TLS,
// until its standard input closes or it is told to terminate.
// It prints one line of JSON that says where it is and how to log in.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator" // adds the content library
)

func main() {
	listen := flag.String("l", "127.0.0.1:0", "host:port to listen on; port 0 picks a free one")
	cert := flag.String("cert", "", "PEM file with the certificate to serve (default: self-signed)")
	key := flag.String("key", "", "PEM file with the key of -cert")
	username := flag.String("username", "administrator@vsphere.local", "the only user")
	password := flag.String("password", "vcsim-password", "the user's password")
	latency := flag.Duration("latency", 0, "what a network would add to each request, and twice to each connection")
	flag.Parse()

	config := new(tls.Config) // the simulator fills in a self-signed certificate where there is none
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}

	if *latency > 0 {
		// The handshakes of TCP and TLS are a round trip each.
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			time.Sleep(2 * *latency)
			return nil, nil
		}
	}

	// A library needs a datastore, and a datastore a host; nothing else of the inventory is used.
	model := simulator.VPX()
	model.Machine = 0
	model.Host = 0
	model.ClusterHost = 1
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove() // the datastore's folder, with every file pushed

	model.Service.TLS = config
	model.Service.RegisterEndpoints = true
	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*username, *password)}
	server := model.Service.NewServer()
	if *latency > 0 {
		handler := server.Config.Handler
		server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(*latency)
			handler.ServeHTTP(w, r)
		})
	}

	err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"url":       "https://" + server.URL.Host,
		"username":  *username,
		"password":  *password,
		"datastore": model.Map().Any("Datastore").Reference().Value,
	})
	if err != nil {
		log.Print(err)
		return
	}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop <- os.Interrupt
	}()
	<-stop // a push that is under way is cut off: no server.Close(), which would wait for it
}
