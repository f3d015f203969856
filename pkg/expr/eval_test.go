package expr_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/expr"
)

func scope() *expr.Scope {
	directory := expr.NewDirectory(map[string]expr.Address{
		"db":    {Host: "db", Port: 5432, Ports: map[string]int64{"sql": 5432, "metrics": 9187}, Image: "postgres:15"},
		"my-db": {Host: "my-db", Port: 1, Ports: map[string]int64{"x-y": 1}},
		"web":   {Host: "web", Port: 80, Ports: map[string]int64{"http": 80}, URL: "http://web.demo.example", Image: "web:1"},
		"job":   {Host: "job"},
	}, []string{"cache"})
	return expr.NewScope(
		map[string]any{"n": int64(3), "size": "1Gi", "on": true, "db": "my-db", "typo": "my-bd", "out": "cache", "none": ""},
		map[string]string{"name": "web", "group": "apps"},
		map[string]string{"name": "demo", "namespace": "team-a-demo", "class": "dev", "product": "shop", "domain": "example"},
		directory,
	)
}

func eval(t testing.TB, text string) (expr.Result, error) {
	t.Helper()
	compiler, err := expr.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	template, err := compiler.Compile(text)
	if err != nil {
		return expr.Result{}, err
	}
	return template.Eval(scope())
}

func TestEval(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text     string
		want     any
		services []string
	}{
		"nothing":                                  {"", "", nil},
		"text":                                     {"a $${b}", "a ${b}", nil},
		"one expression keeps an integer":          {"${params.n}", int64(3), nil},
		"one expression keeps a boolean":           {"${params.on}", true, nil},
		"one expression keeps a fraction":          {"${1.5 * 2.0}", 3.0, nil},
		"text around makes text":                   {"${params.n} ", "3 ", nil},
		"two expressions make text":                {"${params.n}${params.on}", "3true", nil},
		"a fraction in text":                       {"x${0.5}", "x0.5", nil},
		"a whole fraction in text":                 {"x${2.0}", "x2", nil},
		"a large fraction in text":                 {"x${1e30}", "x1e+30", nil},
		"text of one expression":                   {"${params.size}", "1Gi", nil},
		"a parameter by index":                     {"${params['n'] + 1}", int64(4), nil},
		"an address":                               {"${services.db.host}:${services.db.port}", "db:5432", []string{"db"}},
		"a named port":                             {"${services.db.ports.metrics}", int64(9187), []string{"db"}},
		"names with a dash":                        {"${services['my-db'].ports['x-y']}", int64(1), []string{"my-db"}},
		"a url":                                    {"${services.web.url}", "http://web.demo.example", []string{"web"}},
		"an image":                                 {"${services.db.image}", "postgres:15", []string{"db"}},
		"a service named by a parameter":           {"${services[params.db].host}", "my-db", []string{"my-db"}},
		"a service named in a loop":                {"${['db', 'web'].map(s, services[s].host).join(',')}", "db,web", []string{"db", "web"}},
		"references in the order of the text":      {"${services.web.host}${services.db.host}${services.web.host}", "webdbweb", []string{"web", "db"}},
		"references of a branch not taken":         {"${params.on ? services.db.host : services.web.host}", "db", []string{"db", "web"}},
		"a dynamic name in a branch not taken":     {"${params.none != '' ? services[params.none].host : 'no'}", "no", nil},
		"has of what a service has":                {"${has(services.web.url)}", true, []string{"web"}},
		"has of what a service has not":            {"${has(services.db.url) ? 'a' : 'b'}", "b", []string{"db"}},
		"has of a port":                            {"${has(services.db.ports.http)}", false, []string{"db"}},
		"the environment":                          {"${environment.name}/${environment.namespace}/${environment.class}/${environment.product}/${environment.domain}", "demo/team-a-demo/dev/shop/example", nil},
		"itself":                                   {"${service.name}/${service.group}", "web/apps", nil},
		"a loop variable called like an attribute": {"${['a'].map(host, host + '!')[0]}", "a!", nil},
		"a brace in a string":                      {"${'}' + \"{\"}", "}{", nil},
		"a map in an expression":                   {"${ {'dev': 'd', 'prod': 'p'}[environment.class] }", "d", nil},
		"string functions":                         {"${'A-B'.lowerAscii().replace('-', '_')}", "a_b", nil},
		"an expression over lines":                 {"${params.on\n  ? 'yes' // because\n  : 'no'}", "yes", nil},
		"a result is not read again":               {"${'$' + '{params.n}'}", "${params.n}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := eval(t, tc.text)
			if err != nil {
				t.Fatalf("%s: %v", tc.text, err)
			}
			if diff := cmp.Diff(expr.Result{Value: tc.want, Services: tc.services}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestEvalRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"an unknown service":           {"http://${services.dbs.host}", `column 10: there is no service "dbs"; did you mean "db"?`},
		"an unknown service of a loop": {"${['dc'].map(s, services[s].host)[0]}", `column 3: there is no service "dc"; did you mean "db"?`},
		"a wrong name in a parameter":  {"${services[params.typo].host}", `column 3: there is no service "my-bd"; did you mean "my-db"?`},
		"a service that is left out":   {"${services.cache.host}", `column 3: service "cache" is left out by environment.spec.only; add "cache" to environment.spec.only`},
		"one left out, by a parameter": {"${services[params.out].host}", `column 3: service "cache" is left out by environment.spec.only; add "cache" to environment.spec.only`},
		"a service named by a number":  {"${services[dyn(1)].host}", "column 3: a service is named by text, not by int; correct the expression"},
		"an unknown attribute":         {"${services.db.hots}", `column 14: services.NAME has no "hots"; did you mean "host"?`},
		"an unknown dynamic attribute": {"${services.db['ho' + 'ts']}", `column 3: services.NAME has no "hots"; did you mean "host"?`},
		"an unknown port":              {"${services.db.ports.sqll}", `column 3: service "db" has no port "sqll"; did you mean "sql"?`},
		"a port where there is none":   {"${services.job.ports.http}", `column 3: service "job" has no port "http"; add ports to its template`},
		"the port where there is none": {"${services.job.port}", `column 3: service "job" has no ports; add ports to its template`},
		"no url":                       {"${services.db.url}", `column 3: service "db" is not exposed, so it has no url; expose it in the product, or use http://${services['db'].host}:${services['db'].port}`},
		"no image":                     {"${services['my-db'].image}", `column 3: service "my-db" has no image; set its image, or do not use it here`},
		"no image of itself":           {"${service.image}", "column 3: the service has no image; set the image of the service, or do not use service.image"},
		"an unknown parameter":         {"${params.sise}", `column 3: there is no parameter "sise"; did you mean "size"?`},
		"an unknown dynamic parameter": {"${params['si' + 'se']}", `column 3: there is no parameter "sise"; did you mean "size"?`},
		"the services as a whole":      {"${services}", `column 3: "services" cannot be used as a whole; name one of them: services.NAME or services['NAME']`},
		"the parameters as a whole":    {"${'n' in params}", `column 10: "params" cannot be used as a whole; name one of them: params.NAME or params['NAME']`},
		"a loop that hides a root":     {"${[1].map(services, 1)[0]}", `column 10: the loop variable "services" hides what services means; choose another name`},
		"an unknown root":              {"${enviroment.name}", `column 3: there is no "enviroment"; did you mean "environment"?`},
		"an unknown function":          {"${upper('a')}", `column 8: there is no "upper"; known are environment, params, service, services`},
		"types that never fit":         {"${1 + 'a'}", "column 5: found no matching overload for '_+_' applied to '(int, string)'; convert one of them, as in string(params.size)"},
		"types that do not fit":        {"${params.n + params.size}", "column 3: the types of its values do not fit together; convert one of them, as in string(params.size)"},
		"a list":                       {"${[1]}", "column 3: the result is of type list; give text, a number or a boolean"},
		"a service":                    {"${services.db}", "column 3: the result is of type map; give text, a number or a boolean"},
		"null":                         {"${null}", "column 3: the result is of type null_type; give text, a number or a boolean"},
		"infinity":                     {"${1.0 / 0.0}", "column 3: the result is not a finite number; give text, a number or a boolean"},
		"a second line":                {"a: 1\nb: ${params.x}", `line 2, column 6: there is no parameter "x"; known are db, n, none, on, out, size, typo`},
		"a second line in it":          {"ü ${\n  services.x.host}", `line 2, column 3: there is no service "x"; known are db, job, my-db, web`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := eval(t, tc.text)
			if err == nil {
				t.Fatalf("%s gave %#v and no error", tc.text, got)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestAnyTextIsEvaluatedOrRefusedWithReason(t *testing.T) {
	t.Parallel()
	words := []string{"${", "}", "$${", "params", "services", ".", "db", "[", "]", "'", `"`, "host", "n", " + ", "1", "has(", ")", "map(", ",", "x", "\n", "?", ":", "{", "//"}
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for _, word := range rapid.SliceOf(rapid.SampledFrom(words)).Draw(t, "words") {
			text += word
		}
		compiler, err := expr.NewCompiler()
		if err != nil {
			t.Fatal(err)
		}
		template, err := compiler.Compile(text)
		if err == nil {
			_, err = template.Eval(scope())
		}
		var e *expr.Error
		if err != nil && (!errors.As(err, &e) || e.Problem == "" || e.Remedy == "" || e.Line < 1 || e.Column < 1) {
			t.Fatalf("%q: the error says too little: %#v", text, err)
		}
	})
}
