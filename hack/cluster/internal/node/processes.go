package node

import (
	"fmt"
	"strconv"

	"spock.dev/spock/hack/cluster/internal/plan"
)

const registryPort = plan.RegistryPort

// process is one program that the node keeps running.
type process struct {
	name string
	argv []string
}

// processes lists what runs on the node, in the order of starting. Order is
// comfort only: each is started again until those it needs are there.
func (s Spec) processes() []process {
	return []process{
		s.etcd(), s.apiserver(), s.containerdProcess(), s.controllers(), s.scheduler(),
		s.box("coredns", "coredns", "-conf", s.conf("Corefile"), "-quiet"),
		s.own("registry", fmt.Sprintf(":%d", plan.RegistryPort), s.State.Registry()),
		s.own("goproxy", fmt.Sprintf(":%d", plan.ProxyPort), s.ModCache),
		s.own("opendirs", volumes),
		s.kubeletProcess(),
		s.box("kube-proxy", "kube-proxy", "--config="+s.conf("proxy.yaml")),
	}
}

// box is a component of kubebox, own a server of this program.
func (s Spec) box(name string, argv ...string) process {
	return process{name: name, argv: append([]string{s.Kubebox}, argv...)}
}

func (s Spec) own(name string, args ...string) process {
	return process{name: name, argv: append([]string{s.Self, name}, args...)}
}

func (s Spec) containerdProcess() process {
	return process{name: "containerd", argv: []string{"/usr/bin/containerd", "--config", s.conf("containerd.toml")}}
}

// etcd's data lies in memory: a cluster lives as long as its processes, and
// writes need not wait for the disk.
func (s Spec) etcd() process {
	return s.box("etcd", "etcd", "--name=spock", "--data-dir="+etcdData, "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380")
}

func (s Spec) apiserver() process {
	return s.box("kube-apiserver", "kube-apiserver",
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+s.Plan.NodeIP().String(), "--bind-address=0.0.0.0", "--secure-port="+strconv.Itoa(plan.APIPort),
		"--service-cluster-ip-range="+s.Plan.ServiceCIDR().String(),
		"--client-ca-file="+s.pki("ca.crt"),
		"--tls-cert-file="+s.pki("apiserver.crt"), "--tls-private-key-file="+s.pki("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+s.pki("sa.pub"), "--service-account-signing-key-file="+s.pki("sa.key"),
		"--kubelet-client-certificate="+s.pki("apiclient.crt"), "--kubelet-client-key="+s.pki("apiclient.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=Node,RBAC", "--allow-privileged=true", "--endpoint-reconciler-type=lease",
		"--audit-policy-file="+s.conf("audit.yaml"), "--audit-log-path="+s.State.AuditLog(),
		"--audit-log-mode=blocking", "--audit-log-maxsize=1000", "--audit-log-maxbackup=1",
		"--cert-dir=/run/kubernetes")
}

func (s Spec) controllers() process {
	return s.box("kube-controller-manager", append([]string{"kube-controller-manager",
		"--service-account-private-key-file=" + s.pki("sa.key"), "--root-ca-file=" + s.pki("ca.crt"),
		"--use-service-account-credentials=true",
		"--cluster-signing-cert-file=" + s.pki("ca.crt"), "--cluster-signing-key-file=" + s.pki("ca.key"),
		"--enable-hostpath-provisioner=true", "--kube-api-qps=200", "--kube-api-burst=400"},
		s.single("kcm")...)...)
}

func (s Spec) scheduler() process {
	return s.box("kube-scheduler", append([]string{"kube-scheduler"}, s.single("scheduler")...)...)
}

// single are the flags of a controller that is the only one of its kind.
func (s Spec) single(client string) []string {
	file := s.pki(client + ".kubeconfig")
	return []string{"--kubeconfig=" + file, "--authentication-kubeconfig=" + file, "--authorization-kubeconfig=" + file,
		"--leader-elect=false", "--bind-address=127.0.0.1", "--cert-dir=/run/kubernetes"}
}

func (s Spec) kubeletProcess() process {
	name := s.Plan.NodeName()
	return s.box("kubelet", "kubelet", "--config="+s.conf("kubelet.yaml"), "--kubeconfig="+s.pki(name+".kubeconfig"),
		"--hostname-override="+name, "--node-ip="+s.Plan.NodeIP().String(), "--cert-dir=/run/kubernetes", "--v=1")
}
