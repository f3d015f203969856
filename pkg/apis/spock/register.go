// Package spock holds what all versions of the API group share: its name.
package spock

// GroupName is the API group of every Spock kind, and the prefix of its labels and annotations.
const GroupName = "spock.dev"
