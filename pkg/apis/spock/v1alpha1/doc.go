// Package v1alpha1 is the vocabulary of Spock: the nouns users write
// (ServiceTemplate, Product, EnvironmentClass, Environment), the one the engine
// writes (EnvironmentRun), and the words their statuses are made of.
//
// It holds types, their defaults and the labels that tie objects together. It
// decides nothing and imports nothing of Spock's.
//
// +k8s:deepcopy-gen=package
// +groupName=spock.dev
package v1alpha1
