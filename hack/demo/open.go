package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

func onPath(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

// open asks the product's public URL once, as a browser would.
func (d *demo) open(ctx context.Context) error {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if d.dial != "" {
				address = d.dial // not every resolver knows *.localhost
			}
			return dialer.DialContext(ctx, network, address)
		},
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("open %s: %w", d.url, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("read %s: %w", d.url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %.200s", d.url, response.Status, body)
	}
	d.say("%s answered %s, %d bytes: %q", d.url, response.Status, len(body), title(string(body)))
	return nil
}

func title(page string) string {
	_, after, _ := strings.Cut(page, "<title>")
	text, _, _ := strings.Cut(after, "</title>")
	return strings.TrimSpace(text)
}

// tour prints what stands there and what to try next.
func (d *demo) tour(ctx context.Context) error {
	if err := d.show(ctx, "spock", "env", "show", "shop", "-n", team); err != nil {
		return err
	}
	kubeconfig := ""
	if d.kubeconfig != "" {
		kubeconfig = "export KUBECONFIG=.cluster/kubeconfig PATH=$PWD/bin:$PWD/.cluster/bin:$PATH"
	}
	fmt.Fprintf(os.Stdout, `
The shop is open: %s
Done in %s. Try next:
  %s
  spock env plan shop -n %s          # what another deploy would write
  spock env logs shop orders -n %s   # one log of all its pods
  spock host ls -n %s                # machines, and what runs there
  tkn pipelinerun describe %s -n %s
`, d.url, time.Since(d.began).Round(time.Second), kubeconfig, team, team, team, d.pipelineRun, team)
	return nil
}
