package render_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
)

// refusals are tables of one change to the shop and all that is said about it.
type refusals map[string]struct {
	change func(change)
	want   string
}

func (table refusals) run(t *testing.T) {
	t.Helper()
	for name, tc := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := load(t, "shop")
			tc.change(change{t, &in})
			out, err := render.Product(in)
			if err == nil {
				t.Fatalf("got %d services and no error, want: %s", len(out.Services), tc.want)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var e *render.Error
			if !errors.As(err, &e) || e.Field == "" || e.Problem == "" || e.Remedy == "" {
				t.Errorf("the error has no field, problem and remedy: %#v", e)
			}
		})
	}
}

// Where things are wrong.
const (
	inManifest = `product.spec.groups[0].services[1] (cache): template "cache" container.manifests[0]: `
	inX        = `product.spec.groups[1].services[0] (orders): template "go-service" env X: `
	inOrders   = `product.spec.groups[1].services[0] (orders): `
	inSeed     = `product.spec.groups[1].services[1] (seed): `
	inCache    = `product.spec.groups[0].services[1] (cache): `
	inDatabase = `product.spec.groups[0].services[0] (orders-db): `
)

func TestNamesAreRefused(t *testing.T) {
	t.Parallel()
	refusals{
		"a product without groups": {func(c change) {
			c.in.Product.Spec.Groups = nil
			c.in.Environment.Spec.Services = nil
			c.run()
			c.in.Class.Spec.Parameters = nil
		}, `product.spec.groups: the product "shop" has no groups; add a group with a service`},
		"a group without services": {func(c change) {
			c.in.Product.Spec.Groups = append(c.in.Product.Spec.Groups, v1alpha1.Group{Name: "empty"})
		}, `product.spec.groups[2] (empty): the group has no services; add a service or remove the group`},
		"a service name that is no DNS label": {func(c change) { c.service("seed").Name = "Seed_1" }, `product.spec.groups[1].services[1] (Seed_1): the service name "Seed_1" is not a DNS label; use lower case letters, digits and '-', a letter first and no '-' at the end`},
		"a service name that is too long":     {func(c change) { c.service("seed").Name = strings.Repeat("s", 43) }, `product.spec.groups[1].services[1] (` + strings.Repeat("s", 43) + `): the service name is 43 characters long, 3 more than the 40 that fit into the names of its objects; shorten it`},
		"two services of one name in two groups": {func(c change) {
			c.in.Product.Spec.Groups[0].Services[1].Name = "seed"
			c.service("orders").Needs = nil
		}, inSeed + `the service "seed" is in groups "data" and "apps"; rename one of them`},
		"two services of one name in one group": {func(c change) { c.service("seed").Name = "orders" }, `product.spec.groups[1].services[1] (orders): the service "orders" is in group "apps" twice; rename one of them`},
		"an unknown template":                   {func(c change) { c.service("orders").Template = "go-servic" }, inOrders + `there is no template "go-servic"; did you mean "go-service"?`},
		"an unknown needed service":             {func(c change) { c.service("orders").Needs[0].Service = "cahce" }, inOrders + `needs[0]: the product has no service "cahce"; did you mean "cache"?`},
		"a need of an end that does not come": {func(c change) {
			c.service("orders").Needs = []v1alpha1.Need{{Service: "orders-db", Until: v1alpha1.UntilCompleted}}
		}, inOrders + `needs[0].until: the service "orders-db" runs on and never completes; wait until Ready, or use a template whose container.kind is Job`},
		"a soft need with an end": {func(c change) {
			c.service("orders").Needs = []v1alpha1.Need{{Service: "orders-db", Until: v1alpha1.UntilStarted, Soft: true}}
		}, inOrders + `needs[0]: a soft need waits for nothing, and cannot say until when; remove until or soft`},
		"an unknown needed group": {func(c change) { c.service("orders").Needs[1].Group = "date" }, inOrders + `needs[1]: the product has no group "date"; did you mean "data"?`},
		"a need of nothing":       {func(c change) { c.service("orders").Needs = []v1alpha1.Need{{}} }, inOrders + `needs[0]: the need has neither or both of service and group; set exactly one`},
		"an override of an unknown service in each layer but the class, which serves many products": {func(c change) {
			c.in.Class.Spec.Services = []v1alpha1.ServiceOverride{{Name: "ordrs"}}
			c.in.Environment.Spec.Services[0].Name = "order"
			c.run(v1alpha1.ServiceOverride{Name: "zzzzzzzz"})
		}, `environment.spec.services[0] (order): the product has no service "order"; did you mean "orders"?` + "\n" +
			`environment.spec.run.services[0] (zzzzzzzz): the product has no service "zzzzzzzz"; known are cache, orders, orders-db, seed`},
		"only an unknown service":     {func(c change) { c.in.Environment.Spec.Only = []string{"orders-bd"} }, `environment.spec.only[0]: the product has no service "orders-bd"; did you mean "orders-db"?`},
		"a need that only leaves out": {func(c change) { c.in.Environment.Spec.Only = []string{"orders", "orders-db"} }, inOrders + `needs[0]: the service "cache" is left out by environment.spec.only; add "cache" to environment.spec.only`},
		"a needed group that only leaves out": {func(c change) {
			c.in.Environment.Spec.Only = []string{"orders"}
			c.service("orders").Needs = []v1alpha1.Need{{Group: "data"}}
		}, inOrders + `needs[0]: all services of the group "data" are left out by environment.spec.only; add one of its services to environment.spec.only`},
		"a reference that only leaves out": {func(c change) { c.in.Environment.Spec.Only = []string{"cache"} }, inManifest + `ConfigMap/${service.name}-settings data.note: column 13: service "orders" is left out by environment.spec.only; add "orders" to environment.spec.only`},
		"a dynamic reference that only leaves out": {func(c change) { c.in.Environment.Spec.Only = []string{"orders", "cache"} }, inOrders + `template "go-service" env DB_URL: column 14: service "orders-db" is left out by environment.spec.only; add "orders-db" to environment.spec.only` + "\n" +
			inOrders + `template "go-service" hook migrate args[0]: column 8: service "orders-db" is left out by environment.spec.only; add "orders-db" to environment.spec.only`},
		"an environment whose namespace is too long": {func(c change) {
			c.in.Environment.Name = strings.Repeat("e", 60)
			c.in.Namespace = "team-a-" + c.in.Environment.Name
		}, `environment.metadata.name (` + strings.Repeat("e", 60) + `): its namespace "team-a-` + strings.Repeat("e", 60) + `" is 67 characters long, 4 more than the 63 a namespace may have; shorten the name of the environment`},
		"an environment whose namespace is no label": {func(c change) { c.in.Environment.Name = "a.b"; c.in.Namespace = "team-a-a.b" }, `environment.metadata.name (a.b): its namespace "team-a-a.b" is not a DNS label; use lower case letters, digits and '-' in the name of the environment`},
		"names that do not fit into labels":          {func(c change) { c.in.Product.Name = strings.Repeat("p", 64) }, `product.metadata.name: it is 64 characters long, 1 more than the 63 of the label app.kubernetes.io/part-of; shorten it`},
		"a host that is too long":                    {func(c change) { c.in.Class.Spec.Domain = strings.Repeat("a.", 122) + "example:80" }, inOrders + `expose: its host "` + "orders.demo." + strings.Repeat("a.", 122) + "example" + `" is 263 characters long, 10 more than the 253 a host may have; shorten the service, the environment or the domain of the class`},
		"a part of a host that is too long":          {func(c change) { c.in.Class.Spec.Domain = strings.Repeat("a", 70) + ".example" }, inOrders + `expose: the part "` + strings.Repeat("a", 70) + `" of its host is 70 characters long, 7 more than the 63 it may have; shorten that part`},
		"a class without a domain":                   {func(c change) { c.in.Class.Spec.Domain = "" }, `class.spec.domain: it is empty, so "orders" cannot be exposed; set it`},
		"an exposed port that is not there":          {func(c change) { c.service("orders").Expose.Port = "htp" }, inOrders + `expose.port: template "go-service" has no port "htp"; did you mean "http"?`},
		"an exposed service without ports":           {func(c change) { c.service("seed").Expose = &v1alpha1.Expose{} }, inSeed + `expose: template "seed" has no ports; add ports to the template, or remove expose`},
		"two services that write one object": {func(c change) {
			c.manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}")
			c.service("seed").Template = "cache"
		}, inSeed + `the services "cache" and "seed" both write ConfigMap/settings; rename one of the services, or the object in its manifests`},
		"a service that writes one object twice": {func(c change) {
			c.manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
		}, inCache + `the service "cache" writes ConfigMap/a twice; rename one of the objects`},
	}.run(t)
}

func TestParametersAreRefused(t *testing.T) {
	t.Parallel()
	refusals{
		"a missing one":                       {func(c change) { delete(c.service("orders").Parameters, "database") }, inOrders + `parameter database: template "go-service" needs it, and no layer sets it; set it in the product, class or environment`},
		"an unknown one of a product service": {func(c change) { c.service("orders").Parameters["worker"] = raw("1") }, inOrders + `parameter worker: template "go-service" has no such parameter; did you mean "workers"?`},
		"an unknown one of the environment":   {func(c change) { c.in.Environment.Spec.Parameters = values("colour", `"red"`) }, `environment.spec: parameter colour: no template of the product declares it; known are database, instances, logLevel, size, workers`},
		"an unknown one of a run":             {func(c change) { c.run(v1alpha1.ServiceOverride{Name: "seed", Parameters: values("x", "1")}) }, `environment.spec.run.services[0] (seed): parameter x: template "seed" has no such parameter; remove it, the template declares no parameters`},
		"a number for a string":               {func(c change) { c.service("orders").Parameters["database"] = raw("5") }, inOrders + `parameter database: the value is a number, not of type string; write text, in quotes`},
		"an object":                           {func(c change) { c.service("orders").Parameters["workers"] = raw("{}") }, inOrders + `parameter workers: the value is an object, not of type integer; write a whole number like 3`},
		"a list":                              {func(c change) { c.service("orders").Parameters["workers"] = raw("[1]") }, inOrders + `parameter workers: the value is a list, not of type integer; write a whole number like 3`},
		"null":                                {func(c change) { c.service("orders").Parameters["workers"] = raw("null") }, inOrders + `parameter workers: the value is null, not of type integer; write a whole number like 3`},
		"a fraction for an integer":           {func(c change) { c.in.Environment.Spec.Parameters = values("workers", "1.5") }, `environment.spec: parameter workers: "1.5" is not an integer; write a whole number like 3`},
		"a word for an integer":               {func(c change) { c.in.Environment.Spec.Services[0].Parameters = values("workers", `"many"`) }, `environment.spec.services[0] (orders): parameter workers: "many" is not an integer; write a whole number like 3`},
		"an integer that is too large": {func(c change) {
			c.in.Environment.Spec.Services[0].Parameters = values("workers", "9223372036854775808")
		}, `environment.spec.services[0] (orders): parameter workers: "9223372036854775808" is not an integer; write a whole number like 3`},
		"a value that is not of an enum": {func(c change) { c.in.Class.Spec.Parameters = values("logLevel", `"debgu"`) }, `class.spec: parameter logLevel: "debgu" is not one of debug, info; did you mean "debug"?`},
		"a value that is no quantity":    {func(c change) { c.in.Environment.Spec.Parameters = values("size", `"1 GB"`) }, `environment.spec: parameter size: "1 GB" is not a quantity; write a quantity like 500m or 1Gi`},
		"a value that is no boolean": {func(c change) {
			c.parameter("seed", v1alpha1.Parameter{Name: "b", Type: "boolean", Default: ptr.To(raw(`"yes"`))})
		}, `template "seed": parameter b: default: "yes" is not a boolean; write true or false`},
		"a value that is no image": {func(c change) {
			c.parameter("seed", v1alpha1.Parameter{Name: "i", Type: "image", Default: ptr.To(raw(`"A B"`))})
		}, `template "seed": parameter i: default: "A B" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
		"a default of the wrong type, said once": {func(c change) {
			c.parameter("postgres", v1alpha1.Parameter{Name: "n", Type: "integer", Default: ptr.To(raw("true"))})
		}, `template "postgres": parameter n: default: the value is a boolean, not of type integer; write a whole number like 3`},
		"a weaker value even if a stronger is ok": {func(c change) { c.service("orders").Parameters["workers"] = raw(`"x"`) }, inOrders + `parameter workers: "x" is not an integer; write a whole number like 3`},
	}.run(t)
}

func TestServicesAreRefused(t *testing.T) {
	t.Parallel()
	refusals{
		"no image":                           {func(c change) { c.service("seed").Image = "" }, inSeed + `image: no layer gives the service an image; set it in the product or environment, or pass it with the deploy`},
		"a bad image of the product":         {func(c change) { c.service("seed").Image = "Registry/Seed:1" }, inSeed + `image: "Registry/Seed:1" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
		"a bad image of the run":             {func(c change) { c.run(v1alpha1.ServiceOverride{Name: "orders", Image: "a:b:c"}) }, `environment.spec.run.services[0] (orders): image: "a:b:c" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
		"a bad image of the template":        {func(c change) { c.template("postgres").Container.Image = "a b" }, inDatabase + `template "postgres" container.image: "a b" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
		"an image that depends on a service": {func(c change) { c.template("postgres").Container.Image = "${services.cache.image}" }, inDatabase + `template "postgres" container.image: column 3: an image cannot depend on services; use params or environment`},
		"an unknown secret":                  {func(c change) { c.template("postgres").Env[1].Secret.Name = "db-pasword" }, inDatabase + `template "postgres" env POSTGRES_PASSWORD: the product declares no secret "db-pasword"; did you mean "db-password"?`},
		"an unknown key of a secret":         {func(c change) { c.template("postgres").Env[1].Secret.Key = "pass" }, inDatabase + `template "postgres" env POSTGRES_PASSWORD: the secret "db-password" has no key "pass"; the only known one is password`},
		"a secret, none declared":            {func(c change) { c.in.Product.Spec.Secrets = nil }, inDatabase + `template "postgres" env POSTGRES_PASSWORD: the product declares no secret "db-password"; declare it under product.spec.secrets`},
		"a variable without a value":         {func(c change) { c.template("postgres").Env[0].Value = nil }, inDatabase + `template "postgres" env POSTGRES_DB: the variable has neither or both of value and secret; set exactly one`},
		"no container": {func(c change) { c.template("seed").Container = nil; c.service("seed").Image = "a" }, inSeed + `image: "a" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...` + "\n" +
			`template "seed": it does not say how the service runs in a cluster; add spec.container`},
		"replicas of a Job":          {func(c change) { c.service("seed").Replicas = ptr.To[int32](2) }, inSeed + `replicas: a Job runs once and has no replicas; remove replicas`},
		"replicas with volumes":      {func(c change) { c.service("orders-db").Replicas = ptr.To[int32](3) }, inDatabase + `replicas: 3 replicas cannot share volumes, which serve one instance at a time; set replicas to 1, or remove the volumes`},
		"replicas of own manifests":  {func(c change) { c.service("cache").Replicas = ptr.To[int32](3) }, inCache + `replicas: the template brings its own manifests, so replicas are not used; make it a parameter of the template, and remove replicas`},
		"variables of own manifests": {func(c change) { c.service("cache").Env = []v1alpha1.EnvVar{{Name: "A", Value: ptr.To("b")}} }, inCache + `env A: the template brings its own manifests, so variables are not used; write it into the manifests, with a parameter for what varies`},
		"files of own manifests":     {func(c change) { c.template("cache").Files = []v1alpha1.ConfigFile{{Path: "/a", Content: "a"}} }, `template "cache" files: the template brings its own manifests, so it is not used; remove it and write it into the manifests`},
		"a command of own manifests": {func(c change) { c.template("cache").Container.Command = []string{"a"} }, `template "cache" container.command: the template brings its own manifests, so it is not used; remove it and write it into the manifests`},
		"a probe of own manifests":   {func(c change) { c.template("cache").Readiness = &v1alpha1.Readiness{TCP: &v1alpha1.TCPProbe{}} }, `template "cache" readiness: the template brings its own manifests, so it is not used; remove it and write it into the manifests`},
		"a probe of an unknown port": {func(c change) { c.template("go-service").Readiness.HTTP.Port = ptr.To(intstr.FromString("metric")) }, `template "go-service" readiness.http.port: template "go-service" has no port "metric"; did you mean "metrics"?`},
		"a probe without ports":      {func(c change) { c.template("seed").Readiness = &v1alpha1.Readiness{HTTP: &v1alpha1.HTTPProbe{}} }, `template "seed" readiness.http.port: the template has no ports to probe; add ports to the template, or give a number`},
		"two probes":                 {func(c change) { c.template("go-service").Readiness.TCP = &v1alpha1.TCPProbe{} }, `template "go-service" readiness: set at most one of http, tcp and exec; keep one of them`},
		"two ports of one number":    {func(c change) { c.template("go-service").Ports[1].Port = 8080 }, `template "go-service" ports: the ports "http" and "metrics" are both 8080/TCP; give one of them another number, or use one port for both`},
		"a file at the place of a volume": {func(c change) {
			c.template("postgres").Files = []v1alpha1.ConfigFile{{Path: "/var/lib/postgresql/data", Content: "a"}}
		}, `template "postgres": a file and volume "data" are both at /var/lib/postgresql/data; choose another path`},
		"files that fit into no ConfigMap": {func(c change) {
			c.template("seed").Files = []v1alpha1.ConfigFile{{Path: "/a", Content: strings.Repeat("a", 1<<20)}}
		}, inSeed + `template "seed" files: the files are 1048579 bytes together, 3 more than the 1048576 a ConfigMap may hold; make them smaller, or put them into the image`},
		"several things at once, all of them": {func(c change) {
			c.service("seed").Image = ""
			c.service("orders-db").Image = "A"
			c.service("orders").Template = ""
		}, inOrders + `there is no template ""; known are cache, go-service, postgres, seed` + "\n" +
			inDatabase + `image: "A" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...` + "\n" +
			inSeed + `image: no layer gives the service an image; set it in the product or environment, or pass it with the deploy`},
	}.run(t)
}

func TestExpressionsAreRefused(t *testing.T) {
	t.Parallel()
	refusals{
		"an unknown service":                  {func(c change) { c.env("http://${services.order.host}") }, inX + `column 10: there is no service "order"; did you mean "orders"?`},
		"an unknown service by index":         {func(c change) { c.env("${services['orders-bd'].host}") }, inX + `column 3: there is no service "orders-bd"; did you mean "orders-db"?`},
		"an unknown attribute":                {func(c change) { c.env("${services.cache.prot}") }, inX + `column 17: services.NAME has no "prot"; did you mean "port"?`},
		"an unknown port":                     {func(c change) { c.env("${services.orders.ports.metric}") }, inX + `column 3: service "orders" has no port "metric"; did you mean "metrics"?`},
		"a port of a service without ports":   {func(c change) { c.env("${services.seed.port}") }, inX + `column 3: service "seed" has no ports; add ports to its template`},
		"a url of a hidden service":           {func(c change) { c.env("${services.cache.url}") }, inX + `column 3: service "cache" is not exposed, so it has no url; expose it in the product, or use http://${services['cache'].host}:${services['cache'].port}`},
		"an unknown parameter":                {func(c change) { c.env("${params.worker}") }, inX + `column 3: there is no parameter "worker"; did you mean "workers"?`},
		"an unknown attribute of environment": {func(c change) { c.env("${environment.nam}") }, inX + `column 14: environment has no "nam"; did you mean "name"?`},
		"an unknown root":                     {func(c change) { c.env("${param.workers}") }, inX + `column 3: there is no "param"; did you mean "params"?`},
		"types that do not fit":               {func(c change) { c.env("${params.workers + 'x'}") }, inX + `column 3: the types of its values do not fit together; convert one of them, as in string(params.size)`},
		"a result that is no text":            {func(c change) { c.env("${[1, 2]}") }, inX + `column 3: the result is of type list; give text, a number or a boolean`},
		"an unknown dynamic service": {func(c change) { c.service("orders").Parameters["database"] = raw(`"order-db"`) }, inOrders + `template "go-service" env DB_URL: column 14: there is no service "order-db"; did you mean "orders-db"?` + "\n" +
			inOrders + `template "go-service" hook migrate args[0]: column 8: there is no service "order-db"; did you mean "orders-db"?`},
		"all services at once":             {func(c change) { c.env("${size(services)}") }, inX + `column 8: "services" cannot be used as a whole; name one of them: services.NAME or services['NAME']`},
		"an expression that is not closed": {func(c change) { c.env("a ${params.workers") }, inX + "column 3: the expression is not closed; close it with `}`, or write `$${` for a literal `${`"},
		"an empty expression":              {func(c change) { c.env("${ }") }, inX + "column 1: the expression is empty; write one between the braces, or write `$${` for a literal `${`"},
		"a syntax error":                   {func(c change) { c.env("${params.}") }, inX + `column 10: Syntax error: no viable alternative at input '.'; correct the expression`},
		"a variable of the product":        {func(c change) { c.service("orders").Env[0].Value = ptr.To("${service.nme}") }, inOrders + `env EXTRA: column 10: service has no "nme"; did you mean "name"?`},
		"a variable of the environment": {func(c change) {
			c.in.Environment.Spec.Services[0].Env = []v1alpha1.EnvVar{{Name: "A", Value: ptr.To("${services.a.host}")}}
		}, `environment.spec.services[0] (orders): env A: column 3: there is no service "a"; known are cache, orders, orders-db, seed`},
		"the third line of a file": {func(c change) { c.template("go-service").Files[0].Content = "a\nb\nc: ü${services.x.host}" }, inOrders + `template "go-service" file /etc/app/config.yaml: line 3, column 7: there is no service "x"; known are cache, orders, orders-db, seed`},
		"an argument":              {func(c change) { c.template("go-service").Container.Args[0] = "${1/0}" }, inOrders + `template "go-service" container.args[0]: column 3: division by zero; correct the expression`},
		"a hook":                   {func(c change) { c.template("go-service").Hooks[0].Command[0] = "${params.x}" }, inOrders + `template "go-service" hook migrate command[0]: column 3: there is no parameter "x"; known are database, logLevel, workers`},
		"work without end": {func(c change) {
			digits := "[0,1,2,3,4,5,6,7,8,9]"
			c.env("${" + strings.Repeat(digits+".all(x, ", 7) + "true" + strings.Repeat(")", 7) + "}")
		}, inX + `column 3: it takes too much work; make it simpler`},
	}.run(t)
}

func TestManifestsAreRefused(t *testing.T) {
	t.Parallel()
	object := func(apiVersion, kind string) func(change) {
		return func(c change) {
			c.manifest("{apiVersion: " + apiVersion + ", kind: " + kind + ", metadata: {name: x}}")
		}
	}
	refusals{
		"a Namespace":                {object("v1", "Namespace"), inManifest + `Namespace/x: kind Namespace belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a ClusterRole":              {object("rbac.authorization.k8s.io/v1", "ClusterRole"), inManifest + `ClusterRole/x: kind ClusterRole belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a ClusterRoleBinding":       {object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"), inManifest + `ClusterRoleBinding/x: kind ClusterRoleBinding belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a CustomResourceDefinition": {object("apiextensions.k8s.io/v1", "CustomResourceDefinition"), inManifest + `CustomResourceDefinition/x: kind CustomResourceDefinition belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a PersistentVolume":         {object("v1", "PersistentVolume"), inManifest + `PersistentVolume/x: kind PersistentVolume belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a StorageClass":             {object("storage.k8s.io/v1", "StorageClass"), inManifest + `StorageClass/x: kind StorageClass belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a mutating webhook":         {object("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"), inManifest + `MutatingWebhookConfiguration/x: kind MutatingWebhookConfiguration belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a validating webhook":       {object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"), inManifest + `ValidatingWebhookConfiguration/x: kind ValidatingWebhookConfiguration belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a PriorityClass":            {object("scheduling.k8s.io/v1", "PriorityClass"), inManifest + `PriorityClass/x: kind PriorityClass belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"an APIService":              {object("apiregistration.k8s.io/v1", "APIService"), inManifest + `APIService/x: kind APIService belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"an IngressClass":            {object("networking.k8s.io/v1", "IngressClass"), inManifest + `IngressClass/x: kind IngressClass belongs to the whole cluster, an environment holds namespaced kinds only; remove it and let the platform team install it`},
		"a Secret":                   {object("v1", "Secret"), inManifest + `Secret/x: kind Secret is not allowed in manifests; declare it under product.spec.secrets`},
		"a Role":                     {object("rbac.authorization.k8s.io/v1", "Role"), inManifest + `Role/x: kind Role is not allowed in manifests; let the platform team grant rights through class.spec.deployerRole`},
		"a RoleBinding":              {object("rbac.authorization.k8s.io/v1", "RoleBinding"), inManifest + `RoleBinding/x: kind RoleBinding is not allowed in manifests; let the platform team grant rights through class.spec.deployerRole`},
		"a List":                     {object("v1", "List"), inManifest + "List/x: kind List is not allowed in manifests; write its items as documents of their own, separated by `---`"},
		"a ResourceQuota":            {object("v1", "ResourceQuota"), inManifest + `ResourceQuota/x: kind ResourceQuota is not allowed in manifests; set class.spec.quota`},
		"another namespace": {func(c change) {
			c.manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: kube-system}}")
		}, inManifest + `ConfigMap/x: namespace "kube-system" is not the environment's ("team-a-demo"); remove metadata.namespace`},
		"no name":                   {func(c change) { c.manifest("{apiVersion: v1, kind: ConfigMap, metadata: {generateName: x-}}") }, inManifest + `ConfigMap: metadata.name is missing; set it; generateName is not supported`},
		"a name that is none":       {func(c change) { c.manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: X_y}}") }, inManifest + `ConfigMap/X_y: metadata.name "X_y" is not a valid object name; use lower case letters, digits, '-' and '.'`},
		"no kind":                   {func(c change) { c.manifest("{apiVersion: v1, metadata: {name: x}}") }, inManifest + `object: apiVersion or kind is missing; set both`},
		"no object":                 {func(c change) { c.manifest("- a") }, inManifest + `document 1: it is not an object; write apiVersion, kind, metadata and spec`},
		"broken YAML":               {func(c change) { c.manifest("a: b: c") }, inManifest + "document 1: it is not valid YAML: yaml: mapping values are not allowed in this context; correct it; an expression that holds `: `, ` #` or quotes must itself stand in quotes"},
		"a key that is there twice": {func(c change) { c.manifest("apiVersion: v1\napiVersion: v2") }, inManifest + "document 1: it is not valid YAML: yaml: unmarshal errors: line 2: key \"apiVersion\" already set in map; correct it; an expression that holds `: `, ` #` or quotes must itself stand in quotes"},
		"labels that are no text":   {func(c change) { c.manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: x, labels: {a: 1}}}") }, inManifest + `ConfigMap/x: its labels are not text: .metadata.labels accessor error: contains non-string value in the map under key "a": 1 is of the type int64, expected string; write numbers and booleans in quotes`},
		"an expression deep inside": {func(c change) {
			c.manifest("{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: a, image: '${params.x}'}]}}")
		}, inManifest + `Pod/x spec.containers[0].image: column 3: there is no parameter "x"; the only known one is instances`},
		"an expression before a kind": {func(c change) { c.manifest("{apiVersion: '${params.x}'}") }, inManifest + `document 1 apiVersion: column 3: there is no parameter "x"; the only known one is instances`},
		"an image that nobody set":    {func(c change) { c.service("cache").Image = "" }, inManifest + `Deployment/cache spec.template.spec.containers[0].image: column 3: the service has no image; set the image of the service, or do not use service.image`},
	}.run(t)
}
