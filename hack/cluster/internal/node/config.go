package node

import (
	"fmt"
	"os"
	"path/filepath"
)

// files returns the configuration files of the node's processes by name.
func (s Spec) files() map[string]string {
	return map[string]string{
		"cni/10-bridge.conflist": s.cni(),
		"containerd.toml":        s.containerd(),
		"kubelet.yaml":           s.kubelet(),
		"proxy.yaml":             s.proxy(),
		"Corefile":               s.corefile(),
		"audit.yaml":             auditPolicy,
		fmt.Sprintf("certs.d/%s/hosts.toml", s.Plan.PodRegistry()):  s.mirror(),
		fmt.Sprintf("certs.d/%s/hosts.toml", s.Plan.PushRegistry()): s.mirror(),
	}
}

func (s Spec) writeFiles() error {
	for name, content := range s.files() {
		path := s.conf(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("creating the node's configuration: %w", err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return fmt.Errorf("writing the node's configuration: %w", err)
		}
	}
	return nil
}

func (s Spec) cni() string {
	return fmt.Sprintf(`{"cniVersion": "1.0.0", "name": "spock", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`, s.Plan.NodePodCIDR())
}

// containerd's restrict_oom_score_adj: a machine may lack CAP_SYS_RESOURCE, and
// then lowering a sandbox's score is refused and no pod starts.
func (s Spec) containerd() string {
	return fmt.Sprintf(`version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %q
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`, s.Pause, s.conf("certs.d"))
}

// mirror sends pulls to the node's registry, by plain HTTP.
func (s Spec) mirror() string {
	url := fmt.Sprintf("http://%s:%d", s.Plan.NodeIP(), registryPort)
	return fmt.Sprintf("server = %q\n[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", url, url)
}

// The kubelet never verifies pull credentials: it would otherwise ask the
// registry for preloaded images that it once pulled under another name.
func (s Spec) kubelet() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
oomScoreAdj: 0
imagePullCredentialsVerificationPolicy: NeverVerify
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]s}}
authorization: {mode: Webhook}
clusterDomain: cluster.local
clusterDNS: ["%[2]s"]
resolvConf: ""
failSwapOn: false
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 0
kubeAPIQPS: 200
kubeAPIBurst: 400
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: "200Mi", nodefs.available: "1%%", nodefs.inodesFree: "1%%", imagefs.available: "1%%", imagefs.inodesFree: "1%%"}
makeIPTablesUtilChains: true
volumePluginDir: %[3]s
maxPods: 200
`, s.pki("ca.crt"), s.Plan.NodeIP(), s.disk("volumeplugins"))
}

func (s Spec) proxy() string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: %s}
hostnameOverride: %s
oomScoreAdj: 0
detectLocalMode: BridgeInterface
detectLocal: {bridgeInterface: cni0}
conntrack: {maxPerCore: 0, min: 0, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s}
iptables: {minSyncPeriod: 0s, syncPeriod: 30s}
`, s.pki("proxy.kubeconfig"), s.Plan.NodeName())
}

// corefile answers, in this order: names from the hosts file, any other name
// under .localhost with the node (the ingress), the cluster's own names.
func (s Spec) corefile() string {
	return fmt.Sprintf(`.:53 {
    bind %[1]s
    errors
    ready %[1]s:8181
    hosts %[2]s {
        %[1]s registry.localhost goproxy.localhost
        ttl 5
        reload 1s
        fallthrough
    }
    template IN A localhost {
        match "[^.]\.localhost\.$"
        answer "{{ .Name }} 5 IN A %[1]s"
        fallthrough
    }
    template IN AAAA localhost {
        match "[^.]\.localhost\.$"
        rcode NOERROR
        fallthrough
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig %[3]s
        pods insecure
        ttl 5
    }
    cache 2
}
`, s.Plan.NodeIP(), s.State.Hosts(), s.pki("coredns.kubeconfig"))
}

// auditPolicy records who wrote and read what, without the heartbeat of the
// cluster itself.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  resources:
  - {group: coordination.k8s.io, resources: [leases]}
  - {group: "", resources: [events, endpoints]}
  - {group: events.k8s.io, resources: [events]}
  - {group: discovery.k8s.io, resources: [endpointslices]}
- level: None
  nonResourceURLs: ["/healthz*", "/readyz*", "/livez*", "/version", "/openapi*", "/metrics"]
- level: Metadata
`
