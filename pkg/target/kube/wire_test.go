package kube

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// request is what came over the wire.
type request struct {
	Method, Path, Query, ContentType, User string
	Groups                                 []string
	Body                                   map[string]any
}

// apiserver answers discovery and lists, keeps the requests of impersonated users, and
// gives them the answers of the test.
type apiserver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	kinds    map[string][]metav1.APIResource // by group version
	answer   http.HandlerFunc
}

func newAPIServer(t *testing.T, answer http.HandlerFunc) *apiserver {
	t.Helper()
	s := &apiserver{answer: answer, kinds: map[string][]metav1.APIResource{}}
	for kind, resource := range usual {
		s.install(kind, resource)
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func (s *apiserver) install(kind schema.GroupVersionKind, resource schema.GroupVersionResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := kind.GroupVersion().String()
	s.kinds[group] = append(s.kinds[group], metav1.APIResource{
		Name: resource.Resource, Kind: kind.Kind, Namespaced: true, Verbs: metav1.Verbs{"list", "watch", "patch", "delete"},
	})
}

// ServeHTTP implements http.Handler.
func (s *apiserver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user := r.Header.Get("Impersonate-User"); user != "" {
		s.keep(r, user)
		s.answer(w, r)
		return
	}
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis"), "/api")
	switch query := r.URL.Query(); {
	case query.Has("sendInitialEvents"):
		reply(w, http.StatusUnprocessableEntity, apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil).Status())
	case query.Has("watch"):
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	case path == "":
		s.groups(w, r.URL.Path == "/api")
	case s.resources(strings.TrimPrefix(path, "/")) != nil:
		reply(w, http.StatusOK, s.resources(strings.TrimPrefix(path, "/")))
	default:
		reply(w, http.StatusOK, map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "1"}, "items": []any{}})
	}
}

func (s *apiserver) groups(w http.ResponseWriter, core bool) {
	if core {
		reply(w, http.StatusOK, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"}})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for _, name := range slices.Sorted(maps.Keys(s.kinds)) {
		if group, version, ok := strings.Cut(name, "/"); ok {
			v := metav1.GroupVersionForDiscovery{GroupVersion: name, Version: version}
			list.Groups = append(list.Groups, metav1.APIGroup{Name: group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
		}
	}
	reply(w, http.StatusOK, list)
}

func (s *apiserver) resources(groupVersion string) *metav1.APIResourceList {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kinds[groupVersion] == nil {
		return nil
	}
	return &metav1.APIResourceList{
		TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: groupVersion, APIResources: s.kinds[groupVersion],
	}
}

func (s *apiserver) keep(r *http.Request, user string) {
	kept := request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"),
		User: user, Groups: r.Header.Values("Impersonate-Group"),
	}
	body, err := io.ReadAll(r.Body)
	must(err)
	if len(body) > 0 {
		must(json.Unmarshal(body, &kept.Body))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, kept)
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	must(json.NewEncoder(w).Encode(body))
}

func refuse(status metav1.Status) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { reply(w, int(status.Code), status) }
}

// target starts one on the server, in sync.
func (s *apiserver) target(t *testing.T) *Target {
	t.Helper()
	changed := make(chan types.NamespacedName, 1000)
	on, err := New(t.Context(), &rest.Config{Host: s.URL}, func(env types.NamespacedName) { changed <- env }, func() {})
	if err != nil {
		t.Fatal(err)
	}
	(&lab{changed: changed}).synced(t, on, shop)
	return on
}

func TestApplyIsOnePatchAsTheServiceAccount(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mine  bool
		query string
	}{
		"an object that is not known to be ours is not forced": {false, "fieldManager=spock&force=false"},
		"an object of ours is":                                 {true, "fieldManager=spock&force=true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAPIServer(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, config("10").Object) })
			on, wish := s.target(t), desired(shop, configMap, "config")
			before := wish.Desired.DeepCopy()
			if err := on.Apply(t.Context(), shop, wish, tc.mine); err != nil {
				t.Fatal(err)
			}
			want := []request{{
				Method: http.MethodPatch, Path: "/api/v1/namespaces/team-a-shop/configmaps/config", Query: tc.query,
				ContentType: "application/apply-patch+yaml", User: "system:serviceaccount:team-a:deployer",
				Body: map[string]any{
					"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{
						"name": "config", "namespace": "team-a-shop",
						"labels":      map[string]any{"spock.dev/environment": "shop", "spock.dev/environment-namespace": "team-a"},
						"annotations": map[string]any{"spock.dev/environment-uid": "uid-1", "spock.dev/run": "shop-1"},
					},
				},
			}}
			if diff := cmp.Diff(want, s.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, wish.Desired); diff != "" {
				t.Errorf("what is desired was changed (-want +got):\n%s", diff)
			}
			if got := see(t, on, shop).Objects[wish.Key]; got == nil || got.GetResourceVersion() != "10" {
				t.Errorf("seen after the write: %v", got)
			}
		})
	}
}

func TestApplyTakesAnObjectWithoutAnnotations(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, config("10").Object) })
	wish := desired(shop, configMap, "config")
	wish.Desired.SetAnnotations(nil)
	if err := s.target(t).Apply(t.Context(), shop, wish, false); err != nil {
		t.Fatal(err)
	}
	annotations := s.requests[0].Body["metadata"].(map[string]any)["annotations"]
	if diff := cmp.Diff(map[string]any{"spock.dev/run": "shop-1"}, annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestARefusedApplyTellsWhoAndWhat(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t, refuse(apierrors.NewConflict(configMaps.GroupResource(), "config", errors.New("of another manager")).Status()))
	on, wish := s.target(t), desired(shop, configMap, "config")
	err := on.Apply(t.Context(), shop, wish, false)
	if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), "apply ConfigMap/config as system:serviceaccount:team-a:deployer") {
		t.Errorf("Apply() = %v", err)
	}
	if got := see(t, on, shop).Objects[wish.Key]; got != nil {
		t.Errorf("what was refused is seen: %v", got)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	resource := configMaps.GroupResource()
	for name, tc := range map[string]struct {
		answer metav1.Status
		failed bool
		left   bool
	}{
		"it goes":                     {answer: metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusOK}},
		"it is gone":                  {answer: apierrors.NewNotFound(resource, "config").Status()},
		"another one took its name":   {answer: apierrors.NewConflict(resource, "config", errors.New("uid")).Status()},
		"the account may not delete":  {answer: apierrors.NewForbidden(resource, "config", errors.New("no")).Status(), failed: true, left: true},
		"the apiserver is overloaded": {answer: apierrors.NewInternalError(errors.New("later")).Status(), failed: true, left: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAPIServer(t, refuse(tc.answer))
			on, key := s.target(t), keyOf(config("10"))
			on.written.remember(config("10"))
			if err := on.Delete(t.Context(), shop, key, "a"); (err != nil) != tc.failed {
				t.Errorf("Delete() = %v, want an error: %t", err, tc.failed)
			}
			want := []request{{
				Method: http.MethodDelete, Path: "/api/v1/namespaces/team-a-shop/configmaps/config", ContentType: "application/json",
				User: "system:serviceaccount:team-a:deployer",
				Body: map[string]any{
					"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "preconditions": map[string]any{"uid": "a"},
				},
			}}
			if diff := cmp.Diff(want, s.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			got := see(t, on, shop).Objects[key]
			if left := got != nil && got.GetDeletionTimestamp() == nil; left != tc.left {
				t.Errorf("it is seen as if nothing was deleted: %t, want %t", left, tc.left)
			}
		})
	}
}

// A workload whose pods are seen goes before them; all else goes after what it owns.
func TestDeleteOfAWorkloadDoesNotWaitForItsPods(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"Deployment.apps": "Background", "StatefulSet.apps": "Background", "DaemonSet.apps": "Background",
		"Job.batch": "Foreground", "ConfigMap": "Foreground",
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newAPIServer(t, refuse(metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusOK}))
			gk := schema.ParseGroupKind(kind)
			if err := s.target(t).Delete(t.Context(), shop, plan.Key{GroupVersionKind: gk.WithVersion("v1"), Name: "api"}, "a"); err != nil {
				t.Fatal(err)
			}
			if got := s.requests[0].Body["propagationPolicy"]; got != want {
				t.Errorf("deleted with %v, want %s", got, want)
			}
		})
	}
}

func TestALogIsItsLastLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a line of a log\n", 2000) + "panic: no database\n"
	s := newAPIServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, long) })
	got, err := s.target(t).Log(t.Context(), shop, "api-1", "main", true, 50)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > logSize || !strings.HasPrefix(got, "a line") || !strings.HasSuffix(got, "panic: no database\n") {
		t.Errorf("%d bytes, from %.20q to %.20q", len(got), got, got[max(0, len(got)-20):])
	}
	want := []request{{
		Method: http.MethodGet, Path: "/api/v1/namespaces/team-a-shop/pods/api-1/log", User: "system:serviceaccount:team-a:deployer",
		Query: "container=main&limitBytes=1048576&previous=true&tailLines=50",
	}}
	if diff := cmp.Diff(want, s.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"a short text stays":          {"one\ntwo\n", "one\ntwo\n"},
		"a long one starts at a line": {"first\nsecond\nend\n", "end\n"},
		"a long line is cut":          {"no end of the line", "the line"},
		"a letter is not cut apart":   {"aaaaaa" + "éb" + "ccccc\n", "b" + "ccccc\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := 8
			if got := tail(tc.text, size); got != tc.want {
				t.Errorf("tail(%q, %d) = %q, want %q", tc.text, size, got, tc.want)
			}
		})
	}
}

// The discovery of the kinds is remembered; what is installed later must be found.
func TestDiscoveryLooksAgainForAnUnknownKind(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t, nil)
	on := s.target(t)
	var unknown *target.KindError
	if _, err := on.mapping(queue); !errors.As(err, &unknown) {
		t.Fatalf("before it is installed: %v, want a KindError", err)
	}
	s.install(queue, queues)
	got, err := on.mapping(queue)
	if err != nil || got.Resource != queues {
		t.Errorf("once it is installed: %v, %v", got, err)
	}
}

func TestImpersonateNamesTheUserAlone(t *testing.T) {
	t.Parallel()
	config := &rest.Config{Host: "https://cluster", Impersonate: rest.ImpersonationConfig{UserName: "admin", Groups: []string{"system:masters"}}}
	got := Impersonate(config, "team-a", "deployer")
	want := rest.ImpersonationConfig{UserName: "system:serviceaccount:team-a:deployer"}
	if diff := cmp.Diff(want, got.Impersonate); diff != "" {
		t.Errorf("impersonation (-want +got):\n%s", diff)
	}
	if config.Impersonate.UserName != "admin" || got.Host != config.Host {
		t.Errorf("the configuration was %v and the new one is %v", config, got)
	}
}

func TestUnthrottled(t *testing.T) {
	t.Parallel()
	config := &rest.Config{QPS: 5, Burst: 10, RateLimiter: flowcontrol.NewFakeNeverRateLimiter()}
	if got := unthrottled(config); got.QPS >= 0 || got.RateLimiter != nil {
		t.Errorf("QPS %v, limiter %v: the client holds itself back", got.QPS, got.RateLimiter)
	}
	if config.QPS != 5 || config.RateLimiter == nil {
		t.Error("the configuration given was changed")
	}
}

func TestClientsAreMadeOncePerUser(t *testing.T) {
	t.Parallel()
	opened := map[string]int{}
	c := newClients(func(namespace, serviceAccount string) (*client, error) {
		opened[user(namespace, serviceAccount)]++
		if namespace == other.Environment.Namespace {
			return nil, errors.New("no certificate")
		}
		return &client{}, nil
	})
	for range 2 {
		if _, err := c.as(shop); err != nil {
			t.Fatal(err)
		}
		if _, err := c.as(other); err == nil || !strings.Contains(err.Error(), "act as "+User(other)) {
			t.Errorf("as() = %v", err)
		}
	}
	if diff := cmp.Diff(map[string]int{User(shop): 1, User(other): 2}, opened); diff != "" {
		t.Errorf("clients made (-want +got):\n%s", diff)
	}
}
