package trigger

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const secret = "a secret of enough length"

var (
	now  = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	head = strings.Repeat("0a", 20)
)

func githubConfig() Config {
	return Config{Source: GitHub, Repositories: []string{"team-a/shop"}, Label: "preview", Environments: []string{"shop-*"}, Users: []string{"helper-bot"}}
}

func jiraConfig() Config {
	return Config{Source: Jira, Transitions: []Transition{{Project: "SHOP", To: "In Test", Action: Deploy}, {To: "Done", Action: Down}}}
}

// sign makes a delivery as the sender does.
func sign(source Source, kind, body string, more ...string) Delivery {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	headers := map[string]string{"X-GitHub-Event": kind, "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil))}
	if source == Jira {
		headers = map[string]string{"X-Hub-Signature": "sha256=" + hex.EncodeToString(mac.Sum(nil))}
	}
	for i := 0; i < len(more); i += 2 {
		headers[more[i]] = more[i+1]
	}
	return Delivery{Header: func(name string) string { return headers[name] }, Body: []byte(body)}
}

func pushed(ref, after string, deleted bool) string {
	return fmt.Sprintf(`{"ref":%q,"after":%q,"deleted":%t,"sender":{"login":"ann"},"repository":{"full_name":"team-a/shop","clone_url":"https://github.example.com/team-a/shop.git","pushed_at":%d}}`,
		ref, after, deleted, now.Unix()-5)
}

func pulled(action, association, branch, label string) string {
	return fmt.Sprintf(`{"action":%q,"sender":{"login":"ann"},"label":{"name":%q},"pull_request":{"number":42,"updated_at":"2026-08-01T11:59:00Z","author_association":%q,"user":{"login":"ann"},"head":{"ref":%q,"sha":%q}},
		"repository":{"full_name":"team-a/shop","clone_url":"https://github.example.com/team-a/shop.git","pushed_at":"2026-08-01T11:59:00Z"}}`, action, label, association, branch, head)
}

func commented(action, state, text, login, association string, isPull bool) string {
	body := map[string]any{
		"action": action, "sender": map[string]any{"login": login},
		"comment":    map[string]any{"body": text, "created_at": "2026-08-01T11:59:00Z", "author_association": association, "user": map[string]any{"login": login}},
		"repository": map[string]any{"full_name": "team-a/shop", "clone_url": "https://github.example.com/team-a/shop.git"},
	}
	issue := map[string]any{"number": 42, "state": state}
	if isPull {
		issue["pull_request"] = map[string]any{"url": "x"}
	}
	body["issue"] = issue
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func says(text string) string { return commented("created", "open", text, "ann", "MEMBER", true) }

func moves(to, key, event, version string) string {
	return fmt.Sprintf(`{"timestamp":%d,"webhookEvent":%q,"user":{"accountId":"5b10:ann"},"issue":{"key":%q,"fields":{"project":{"key":"SHOP"},"assignee":{"name":"bob"},"fixVersions":[{"name":%q}]}},
		"changelog":{"items":[{"field":"resolution","toString":"Fixed"},{"field":"status","toString":%q}]}}`, now.UnixMilli()-5000, event, key, version, to)
}

// made is what is asked of a case: an action with the values that count, or a reason.
type made struct {
	Action Action
	Values map[string]string
	Reason Reason
}

func run(action Action, pairs ...string) made {
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return made{Action: action, Values: values}
}

func no(reason Reason) made { return made{Reason: reason} }

func check(t *testing.T, c Config, d Delivery, want made) {
	t.Helper()
	got, refusal := Decide(c, []byte(secret), d, now)
	if refusal != nil {
		if refusal.Reason != want.Reason || refusal.Sentence == "" {
			t.Errorf("refused: %v, want %+v", refusal, want)
		}
		return
	}
	if got.Action != want.Action || want.Reason != "" || !strings.HasPrefix(got.Name, "event-"+string(want.Action)+"-") || len(got.Values) != len(Names()) {
		t.Errorf("decided %+v, want %+v", got, want)
	}
	for name, value := range want.Values {
		if diff := cmp.Diff(value, got.Values[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestGitHub(t *testing.T) {
	t.Parallel()
	up := []string{"number", "42", "commit", head, "revision", head, "refspec", "refs/pull/42/head", "branch", "feature/SHOP-7-cart", "issue", "SHOP-7", "project", "SHOP", "sender", "ann"}
	tests := map[string]struct {
		kind, body string
		want       made
	}{
		"a pull request gets an environment":                  {"pull_request", pulled("opened", "MEMBER", "feature/SHOP-7-cart", ""), run(Up, up...)},
		"and what is pushed to it as well":                    {"pull_request", pulled("synchronize", "OWNER", "feature/SHOP-7-cart", ""), run(Up, up...)},
		"a closed one loses it":                               {"pull_request", pulled("closed", "NONE", "x", ""), run(Down, "number", "42")},
		"one by a stranger waits for somebody":                {"pull_request", pulled("opened", "CONTRIBUTOR", "x", ""), no(Forbidden)},
		"who sets the label vouches for it":                   {"pull_request", pulled("labeled", "NONE", "x", "preview"), run(Up, "number", "42")},
		"another label asks for nothing":                      {"pull_request", pulled("labeled", "MEMBER", "x", "bug"), no(Ignored)},
		"an assignment asks for nothing":                      {"pull_request", pulled("assigned", "MEMBER", "x", ""), no(Ignored)},
		"a push to main is integrated":                        {"push", pushed("refs/heads/main", head, false), run(Integrate, "branch", "main", "commit", head, "cloneUrl", "https://github.example.com/team-a/shop.git")},
		"one to another branch is not":                        {"push", pushed("refs/heads/x", head, false), no(Ignored)},
		"nor is a tag":                                        {"push", pushed("refs/tags/main", head, false), no(Ignored)},
		"nor is a branch that goes":                           {"push", pushed("refs/heads/main", strings.Repeat("0", 40), true), no(Ignored)},
		"a commit that is none is refused":                    {"push", pushed("refs/heads/main", "$(id)", false), no(Malformed)},
		"a branch with what a shell knows is refused":         {"pull_request", pulled("opened", "MEMBER", "x;$(curl${IFS}evil)", ""), no(Malformed)},
		"a branch with a quote is refused":                    {"pull_request", pulled("opened", "MEMBER", `x"'`, ""), no(Malformed)},
		"a branch that leads out of a directory is refused":   {"pull_request", pulled("opened", "MEMBER", "../../x", ""), no(Malformed)},
		"a branch that looks like an option is refused":       {"pull_request", pulled("opened", "MEMBER", "--upload-pack=x", ""), no(Malformed)},
		"a branch with a line in it is refused":               {"pull_request", pulled("opened", "MEMBER", "x\ny", ""), no(Malformed)},
		"/test tests again":                                   {"issue_comment", says("/test\nplease"), run(Test, "number", "42", "revision", "refs/pull/42/head", "commit", "")},
		"/retest as well, at the commit that was looked at":   {"issue_comment", says("/retest " + head), run(Test, "revision", head, "commit", head)},
		"a short commit is refused":                           {"issue_comment", says("/test 0a0a0a"), no(Malformed)},
		"/deploy names an environment":                        {"issue_comment", says("/deploy shop-demo"), run(Deploy, "environment", "shop-demo")},
		"one that comments may not name is refused":           {"issue_comment", says("/deploy production"), no(Forbidden)},
		"so is one that is no name":                           {"issue_comment", says("/deploy shop-;reboot"), no(Forbidden)},
		"so is none":                                          {"issue_comment", says("/deploy"), no(Forbidden)},
		"/teardown is for the pull request":                   {"issue_comment", says("/teardown"), run(Down, "number", "42", "environment", "")},
		"/teardown of another is refused":                     {"issue_comment", says("/teardown shop-x"), no(Malformed)},
		"talk asks for nothing":                               {"issue_comment", says("I ran /test yesterday"), no(Ignored)},
		"an unknown command asks for nothing":                 {"issue_comment", says("/lgtm"), no(Ignored)},
		"words too many are refused":                          {"issue_comment", says("/deploy shop-x now"), no(Malformed)},
		"a stranger may not":                                  {"issue_comment", commented("created", "open", "/test", "eve", "NONE", true), no(Forbidden)},
		"who is named may":                                    {"issue_comment", commented("created", "open", "/test", "Helper-Bot", "NONE", true), run(Test)},
		"an edited comment does not count":                    {"issue_comment", commented("edited", "open", "/test", "ann", "OWNER", true), no(Ignored)},
		"a comment on an issue does not count":                {"issue_comment", commented("created", "open", "/test", "ann", "OWNER", false), no(Ignored)},
		"a closed pull request can be cleaned up":             {"issue_comment", commented("created", "closed", "/teardown", "ann", "OWNER", true), run(Down)},
		"and nothing else":                                    {"issue_comment", commented("created", "closed", "/test", "ann", "OWNER", true), no(Ignored)},
		"another repository does not count":                   {"push", strings.ReplaceAll(pushed("refs/heads/main", head, false), "team-a/shop", "team-b/shop"), no(Forbidden)},
		"a ping is no failure":                                {"ping", `{"zen":"x"}`, no(Ignored)},
		"an unknown event is refused":                         {"deployment", `{}`, no(Unknown)},
		"a body of another event is refused":                  {"pull_request", pushed("refs/heads/main", head, false), no(Malformed)},
		"and so is that of a pull request as a push":          {"push", pulled("opened", "MEMBER", "x", ""), no(Malformed)},
		"what is no JSON is refused":                          {"push", "payload=%7B%7D", no(NotJSON)},
		"what has another shape is refused":                   {"push", `{"ref":[1]}`, no(Malformed)},
		"an array is refused":                                 {"push", `[]`, no(Malformed)},
		"null is refused, for it is of no repository":         {"push", `null`, no(Forbidden)},
		"what was signed long ago is not taken a second time": {"pull_request", strings.Replace(pulled("opened", "MEMBER", "x", ""), "2026-08-01", "2026-07-28", 1), no(Stale)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, githubConfig(), sign(GitHub, tt.kind, tt.body), tt.want)
		})
	}
}

func TestJira(t *testing.T) {
	t.Parallel()
	const updated = "jira:issue_updated"
	tests := map[string]struct {
		body string
		more []string
		want made
	}{
		"a move asks for what the config says": {moves("In Test", "SHOP-42", updated, "1.2 beta"), nil,
			run(Deploy, "issue", "SHOP-42", "environment", "shop-42", "project", "SHOP", "status", "In-Test", "fixVersion", "1.2-beta", "assignee", "bob", "sender", "5b10:ann")},
		"a move of any project":                {moves("done", "SHOP-42", updated, ""), nil, run(Down, "issue", "SHOP-42")},
		"another move asks for nothing":        {moves("In Progress", "SHOP-42", updated, ""), nil, no(Ignored)},
		"a secondary flow is dropped":          {moves("In Test", "SHOP-42", updated, ""), []string{"X-Atlassian-Webhook-Flow", "Secondary"}, no(Ignored)},
		"another event is refused":             {moves("In Test", "SHOP-42", "jira:issue_created", ""), nil, no(Unknown)},
		"a key that is a path is refused":      {moves("In Test", "SHOP-42/../1", updated, ""), nil, no(Malformed)},
		"a key of another project is refused":  {moves("In Test", "EVIL-1", updated, ""), nil, no(Malformed)},
		"a version with a backtick is refused": {moves("In Test", "SHOP-42", updated, "1`id`"), nil, no(Malformed)},
		"no event at all is refused":           {`{}`, nil, no(Malformed)},
		"what is no JSON is refused":           {`<xml/>`, nil, no(NotJSON)},
		"an old event is refused":              {strings.Replace(moves("In Test", "SHOP-42", updated, ""), fmt.Sprint(now.UnixMilli()-5000), "1000", 1), nil, no(Stale)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, jiraConfig(), sign(Jira, "", tt.body, tt.more...), tt.want)
		})
	}
}

func TestOnlyTheRightSignatureCounts(t *testing.T) {
	t.Parallel()
	body := pushed("refs/heads/main", head, false)
	weak := hmac.New(sha1.New, []byte(secret))
	weak.Write([]byte(body))
	good := sign(GitHub, "push", body).Header("X-Hub-Signature-256")
	for name, tt := range map[string]struct {
		given string
		want  Reason
	}{
		"none":                      {"", Unsigned},
		"that of another body":      {sign(GitHub, "push", body+" ").Header("X-Hub-Signature-256"), Signature},
		"a shorter one":             {good[:len(good)-2], Signature},
		"one that is no hex":        {"sha256=xyz", Signature},
		"one without its kind":      {strings.TrimPrefix(good, "sha256="), Signature},
		"sha1":                      {"sha1=" + hex.EncodeToString(weak.Sum(nil)), Signature},
		"sha1 that calls itself so": {"sha256=" + hex.EncodeToString(weak.Sum(nil)), Signature},
		"an empty one":              {"sha256=", Signature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, githubConfig(), sign(GitHub, "push", body, "X-Hub-Signature-256", tt.given), no(tt.want))
			check(t, jiraConfig(), sign(Jira, "", body, "X-Hub-Signature", tt.given), no(tt.want))
		})
	}
	if _, refusal := Decide(githubConfig(), nil, sign(GitHub, "push", body), now); refusal == nil || refusal.Reason != Signature {
		t.Errorf("without a secret: %v", refusal)
	}
}

func TestAReplayHasTheSameNameWhateverItsHeaders(t *testing.T) {
	t.Parallel()
	body := pushed("refs/heads/main", head, false)
	first, _ := Decide(githubConfig(), []byte(secret), sign(GitHub, "push", body, "X-GitHub-Delivery", "1"), now)
	again, _ := Decide(githubConfig(), []byte(secret), sign(GitHub, "push", body, "X-GitHub-Delivery", "2"), now.Add(time.Hour))
	other, _ := Decide(githubConfig(), []byte(secret), sign(GitHub, "push", pushed("refs/heads/main", strings.Repeat("b", 40), false)), now)
	if first.Name == "" || first.Name != again.Name || first.Name == other.Name || len(first.Name) > 63 {
		t.Errorf("names %q, %q, %q", first.Name, again.Name, other.Name)
	}
}

// Examples that GitHub publishes: the package @octokit/webhooks-examples of npm.
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	path := os.Getenv("GITHUB_WEBHOOK_EXAMPLES")
	if path == "" {
		t.Skip("GITHUB_WEBHOOK_EXAMPLES does not say where they are; hack/webhook-examples.sh gets them")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(raw, &kinds); err != nil {
		t.Fatal(err)
	}
	c := githubConfig()
	c.Repositories, c.Branches, c.MaxAge = []string{"Codertocat/Hello-World"}, []string{"master"}, "999999h"
	got := map[string]int{}
	for _, kind := range kinds {
		for _, body := range kind.Examples {
			d, refusal := Decide(c, []byte(secret), sign(GitHub, kind.Name, string(body)), now)
			switch {
			case refusal == nil:
				got[kind.Name+" "+string(d.Action)]++
			case refusal.Reason == Malformed:
				t.Errorf("%s: %v", kind.Name, refusal)
			case kind.Name == "push" || kind.Name == "pull_request" || kind.Name == "issue_comment":
				got[kind.Name+" "+string(refusal.Reason)]++
			}
		}
	}
	for _, want := range []string{"push integrate", "push ignored", "pull_request up", "pull_request down", "issue_comment ignored"} {
		if got[want] == 0 {
			t.Errorf("no example is %s: %v", want, got)
		}
	}
}

func FuzzDecide(f *testing.F) {
	for _, body := range []string{pushed("refs/heads/main", head, false), pulled("opened", "MEMBER", "x", ""), says("/deploy shop-x"), `null`, `{}`} {
		for _, kind := range []string{"push", "pull_request", "issue_comment"} {
			f.Add(kind, body)
		}
	}
	f.Add("jira", moves("In Test", "SHOP-42", "jira:issue_updated", "1.2"))
	f.Fuzz(func(t *testing.T, kind, body string) {
		c, source := githubConfig(), GitHub
		if kind == "jira" {
			c, source = jiraConfig(), Jira
		}
		d, refusal := Decide(c, []byte(secret), sign(source, kind, body), now)
		if refusal != nil {
			return
		}
		for name, value := range d.Values {
			if strings.ContainsAny(value, " \t\r\n;|&$`'\"\\<>(){}*?!#~[]%^") || strings.HasPrefix(value, "-") || strings.Contains(value, "..") {
				t.Errorf("%s is let through as %q", name, value)
			}
		}
	})
}
