package summary

import (
	"fmt"
	"regexp"
	"strings"

	"spock.dev/spock/pkg/progress"
	"spock.dev/spock/pkg/task/record"
)

const (
	mostFailures = 10
	mostError    = 4000
)

// Markdown tells what a pipeline did as a comment: where the environment is, what runs in
// it, a row per task, and why it failed. What comes from the outside cannot become markup,
// a link or a mention.
func Markdown(title, link string, statuses []Status, records []record.Record) string {
	var out strings.Builder
	fmt.Fprintf(&out, "### %s %s\n\n", sign(statuses), cell(title))
	for _, r := range records {
		if r.Environment != "" {
			fmt.Fprintf(&out, "**Environment** %s is %s %s\n\n", Quote(r.Environment), cell(r.Phase), address(r.URL))
		}
	}
	out.WriteString("| task | state | took | what |\n|---|---|---|---|\n")
	for _, s := range statuses {
		r := find(records, s.Task)
		if r == nil {
			fmt.Fprintf(&out, "| %s | %s | - | |\n", cell(s.Task), cell(state(s)))
			continue
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", cell(s.Task), cell(state(s)), progress.Seconds(r.Finished.Sub(r.Started)), told(*r))
	}
	built(&out, records)
	for _, r := range records {
		why(&out, r)
	}
	if a := address(link); a != "" {
		fmt.Fprintf(&out, "\nThe run: %s\n", a)
	}
	return out.String()
}

// Plain tells the same without markup, as lines.
func Plain(title, link string, statuses []Status, records []record.Record) string {
	lines := append([]string{title + ": " + Sentence(statuses, records), ""}, Lines(statuses, records)...)
	lines = lines[:len(lines)-2] // the sentence stands above
	if link != "" {
		lines = append(lines, "", "The run: "+link)
	}
	return strings.Join(lines, "\n")
}

func sign(statuses []Status) string {
	verdict := "✅"
	for _, s := range statuses {
		switch {
		case s.State == "Failed":
			return "❌"
		case s.State == "None" || s.State == "":
			verdict = "⚪"
		}
	}
	return verdict
}

// told is the cell of a task: numbers, no text from the outside beyond names.
func told(r record.Record) string {
	switch {
	case r.Tests != nil:
		return cell(tests(*r.Tests))
	case r.Commit != "":
		return Quote(short(r.Commit))
	case len(r.Images) > 0:
		return images(len(r.Images))
	case r.Phase != "":
		return cell(r.Phase)
	}
	return ""
}

func built(out *strings.Builder, records []record.Record) {
	for _, r := range records {
		folded(out, images(len(r.Images))+" built", r.Images)
		folded(out, images(len(r.Services))+" deployed", r.Services)
	}
}

// folded is a list under a title; nothing when it is empty.
func folded(out *strings.Builder, title string, entries []string) {
	if len(entries) == 0 {
		return
	}
	fmt.Fprintf(out, "\n<details><summary>%s</summary>\n\n", title)
	for _, entry := range entries {
		fmt.Fprintf(out, "- %s\n", Quote(entry))
	}
	out.WriteString("\n</details>\n")
}

func why(out *strings.Builder, r record.Record) {
	if r.Error == "" {
		return
	}
	text := r.Error
	if len(text) > mostError {
		text = strings.ToValidUTF8(text[:mostError], "") + "\n..."
	}
	fmt.Fprintf(out, "\n**Why %s failed**\n", cell(r.Task))
	if r.Tests != nil && len(r.Tests.Failures) > 0 {
		out.WriteString("\n")
		for i, name := range r.Tests.Failures {
			if i == mostFailures {
				fmt.Fprintf(out, "- and %d more\n", len(r.Tests.Failures)-i)
				break
			}
			fmt.Fprintf(out, "- %s\n", Quote(name))
		}
	}
	fence := strings.Repeat("`", max(3, longest(text)+1))
	fmt.Fprintf(out, "\n%stext\n%s\n%s\n", fence, text, fence)
}

// longest is the length of the longest run of backticks.
func longest(text string) int {
	most, run := 0, 0
	for _, c := range text {
		if c != '`' {
			run = 0
			continue
		}
		run++
		most = max(most, run)
	}
	return most
}

// Quote makes a code span of a text, whatever is in it.
func Quote(text string) string {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "|", "¦")), " ")
	if text == "" {
		return ""
	}
	fence := strings.Repeat("`", longest(text)+1)
	if len(fence) > 1 {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// cell makes plain words of a text: no markup, no mention.
func cell(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if strings.ContainsRune("|`<>[]*_@#\\!", c) {
			return ' '
		}
		return c
	}, text)), " ")
}

// address makes a link of an HTTP address that cannot be anything else.
func address(url string) string {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") || strings.ContainsAny(url, " \t\n<>\"`|") {
		return ""
	}
	return "<" + url + ">"
}

// Sentences is one line per task, as its record tells it.
func Sentences(records []record.Record) map[string]string {
	out := map[string]string{}
	for _, r := range records {
		switch {
		case r.Error != "":
			out[r.Task] = r.Error
		case r.Tests != nil:
			out[r.Task] = tests(*r.Tests)
		case r.Phase != "":
			out[r.Task] = strings.TrimSpace(r.Phase + " " + r.URL)
		case len(r.Images) > 0:
			out[r.Task] = images(len(r.Images))
		}
	}
	return out
}

// URL is where the environment of the last deploy is; empty when there is none.
func URL(records []record.Record) string {
	url := ""
	for _, r := range records {
		if address(r.URL) != "" {
			url = r.URL
		}
	}
	return url
}

var fullHash = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Commit is the one that was cloned, else the given one where that is a full hash, else
// nothing.
func Commit(records []record.Record, given string) string {
	for _, r := range records {
		if fullHash.MatchString(r.Commit) {
			return r.Commit
		}
	}
	if fullHash.MatchString(given) {
		return given
	}
	return ""
}

// Well says whether all tasks went well. One that is under way or was not run has not.
func Well(statuses []Status) bool {
	for _, s := range statuses {
		if s.State != "Succeeded" && s.State != "Completed" {
			return false
		}
	}
	return true
}
