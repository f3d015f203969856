package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestImages(t *testing.T) {
	t.Parallel()
	const neither = "the name before `=` is neither a service's nor service/container; write for example orders/proxy=registry.example.com/proxy:2"
	tests := map[string]struct {
		entries []string
		want    []v1alpha1.ServiceOverride
		err     string
	}{
		"nothing is nothing": {},
		"order is kept and a digest may follow": {
			entries: []string{"web=r/web:1", "orders=r/orders@sha256:0a"},
			want:    []v1alpha1.ServiceOverride{{Name: "web", Image: "r/web:1"}, {Name: "orders", Image: "r/orders@sha256:0a"}},
		},
		"a container of a service has its own": {
			entries: []string{"web/proxy=r/proxy:1", "web=r/web:1", "web/log=r/log:1", "jobs/main=r/jobs:1"},
			want: []v1alpha1.ServiceOverride{
				{Name: "web", Image: "r/web:1", Images: map[string]string{"proxy": "r/proxy:1", "log": "r/log:1"}},
				{Name: "jobs", Images: map[string]string{"main": "r/jobs:1"}},
			},
		},
		"a container needs both names": {
			entries: []string{"/proxy=r/a", "web/=r/a", "a/b/c=r/a"},
			err:     "services[0] \"/proxy=r/a\": " + neither + "\nservices[1] \"web/=r/a\": " + neither + "\nservices[2] \"a/b/c=r/a\": " + neither,
		},
		"every malformed entry is named": {
			entries: []string{"web", "=r/web", "web=", "a=r/a b=r/b", "a=r/a", "a=r/b"},
			want:    []v1alpha1.ServiceOverride{{Name: "a", Image: "r/a"}},
			err: "services[0] \"web\": there is no `=`; write name=image, for example orders=registry.example.com/orders@sha256:...\n" +
				"services[1] \"=r/web\": there is no name before `=`; write the name of a service of the product\n" +
				"services[2] \"web=\": there is no image after `=`; write an image reference or leave the service out\n" +
				"services[3] \"a=r/a b=r/b\": the image holds a blank or `=`; give each service its own entry\n" +
				"services[5] \"a=r/b\": the service is named twice; keep one entry",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Images(tt.entries)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Images (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.err, text(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	got, err := Parameters([]string{"replicas=2", "debug=true", "name=shop", `version="1.10"`, "empty=", "query=a=b"})
	if err != nil {
		t.Fatal(err)
	}
	raw := map[string]string{}
	for name, value := range got {
		raw[name] = string(value.Raw)
	}
	want := map[string]string{
		"replicas": "2", "debug": "true", "name": `"shop"`, "version": `"1.10"`, "empty": `""`, "query": `"a=b"`,
	}
	if diff := cmp.Diff(want, raw); diff != "" {
		t.Errorf("Parameters (-want +got):\n%s", diff)
	}
	_, err = Parameters([]string{"x", "a=1", "a=2"})
	wantErr := "parameters[0] \"x\": not name=value; write for example replicas=2\n" +
		"parameters[2] \"a=2\": the parameter is set twice; keep one entry"
	if diff := cmp.Diff(wantErr, text(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestValidateNamesEverythingMissing(t *testing.T) {
	t.Parallel()
	got := text(Request{Environment: "Shop_1"}.Validate())
	want := "namespace: it is empty; name the namespace of the environment\n" +
		"environment \"Shop_1\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
		"and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')\n" +
		"product: it is empty; name a Product of the namespace\n" +
		"class: it is empty; name an EnvironmentClass"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Validate (-want +got):\n%s", diff)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
