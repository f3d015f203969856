package v1alpha1

// ManifestsFrom reads manifests, all files of a directory that end in .yaml, .yml or .json.
type ManifestsFrom struct {
	FilesFrom `json:",inline"`
	// Path of the directory, below that of the files; their own when absent.
	// +optional
	Path string `json:"path,omitempty"`
	// Literal leaves `${...}` in the objects as it is.
	// +optional
	Literal bool `json:"literal,omitempty"`
}

// FilesFrom is where files are that do not stand in the template.
// +kubebuilder:validation:XValidation:rule="has(self.configMap) != has(self.oci)",message="set exactly one of configMap and oci"
type FilesFrom struct {
	// ConfigMap of the template's namespace that holds them.
	// +optional
	ConfigMap *ConfigMapFiles `json:"configMap,omitempty"`
	// OCI artifact that holds them.
	// +optional
	OCI *OCIFiles `json:"oci,omitempty"`
}

// OCIFiles are the files of an OCI artifact: of its layers that are tar archives, as `flux
// push artifact` and `helm push` make them, and its layers that are single files with a
// title, as `oras push` makes them.
type OCIFiles struct {
	// Image is the artifact by digest: `registry.example.com/path@sha256:...`. A tag in
	// front of the digest is for people.
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self.matches('^[^@]+@sha256:[0-9a-f]{64}$')",message="name the artifact by its digest, as in registry.example.com/path@sha256:...: what a tag means may change"
	// +kubebuilder:validation:XValidation:rule="!self.contains('://')",message="name the artifact without oci:// in front"
	Image string `json:"image"`
	// SecretRef is a Secret of the template's namespace with the registry's credentials, of
	// type kubernetes.io/dockerconfigjson. It is read as the environment's service account.
	// Without it the registry is asked anonymously.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
	// Insecure asks the registry over plain HTTP.
	// +optional
	Insecure bool `json:"insecure,omitempty"`
}

// SecretReference names a Secret.
type SecretReference struct {
	// Name of the Secret.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
}

// ConfigMapFiles are the files of a ConfigMap with the label `spock.dev/manifests: "true"`.
// A key is the name of a file, and `__` in it stands for `/`. A key of binaryData that
// ends in .tgz or .tar.gz is an archive of files.
type ConfigMapFiles struct {
	// Name of the ConfigMap.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
}

// Kustomize is a Kustomize directory. Nothing is fetched and no plugin runs: all that it
// names is among its files.
// +kubebuilder:validation:XValidation:rule="has(self.files) != has(self.filesFrom)",message="set exactly one of files and filesFrom"
type Kustomize struct {
	// Files of the directory, by path.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=200
	Files map[string]string `json:"files,omitempty"`
	// FilesFrom reads the files from elsewhere.
	// +optional
	FilesFrom *FilesFrom `json:"filesFrom,omitempty"`
	// Path of the directory to build, below that of the files; their own when absent.
	// +optional
	Path string `json:"path,omitempty"`
	// Literal leaves `${...}` in the objects as it is. Else expressions are replaced in the
	// values of the objects that were built.
	// +optional
	Literal bool `json:"literal,omitempty"`
}

// Chart is a Helm chart, rendered without a cluster: the release has the service's name
// and the environment's namespace. Its crds/ and tests are left out, other hooks refused.
// +kubebuilder:validation:XValidation:rule="has(self.files) != has(self.filesFrom)",message="set exactly one of files and filesFrom"
type Chart struct {
	// Files of the chart, by path: `Chart.yaml`, `values.yaml`, `templates/...`.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=200
	Files map[string]string `json:"files,omitempty"`
	// FilesFrom reads the files from elsewhere.
	// +optional
	FilesFrom *FilesFrom `json:"filesFrom,omitempty"`
	// Path of the chart, below that of the files. When absent, it is where Chart.yaml is:
	// with the files, or in the one directory that they are in.
	// +optional
	Path string `json:"path,omitempty"`
	// Values over those of the chart, in YAML, with expressions.
	// +optional
	Values string `json:"values,omitempty"`
}
