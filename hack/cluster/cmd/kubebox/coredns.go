package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// runCoreDNS serves DNS with only the plugins a Corefile of ours can name. The
// order is the order in which they see a query: fixed names come before the
// wildcard of the template plugin.
func runCoreDNS() int {
	dnsserver.Directives = []string{"bind", "ready", "errors", "log", "cache", "hosts", "template", "kubernetes"}
	coremain.Run()
	return 0
}
