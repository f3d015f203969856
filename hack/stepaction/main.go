// Command stepaction makes the StepActions of the catalog from its Tasks: each folder of
// stepactions/ has the name of the Task that it stands for.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: stepaction ROOT")
		os.Exit(2)
	}
	made, err := all(os.Args[1])
	for path, text := range made {
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// all are the texts of the StepActions of a repository, by their paths.
func all(root string) (map[string]string, error) {
	folders, err := filepath.Glob(filepath.Join(root, "stepactions", "*", "README.md"))
	if err != nil {
		return nil, err
	}
	made := map[string]string{}
	for _, readme := range folders {
		folder := filepath.Dir(readme)
		name := filepath.Base(folder)
		raw, err := os.ReadFile(filepath.Join(root, "tasks", name, name+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("%s stands for no Task: %w", folder, err)
		}
		text, err := fromTask(raw)
		if err != nil {
			return nil, fmt.Errorf("make %s of its Task: %w", folder, err)
		}
		made[filepath.Join(folder, name+".yaml")] = text
	}
	return made, nil
}

func fromTask(raw []byte) (string, error) {
	var task v1.Task
	if err := yaml.UnmarshalStrict(raw, &task); err != nil {
		return "", err
	}
	action, err := stepAction(task)
	if err != nil {
		return "", err
	}
	return text(action)
}
