package v1alpha1

// Labels and annotations that Spock writes on objects. Ownership of an object is
// what these say, nothing else: teardown and restart read them, not templates.
const (
	// LabelEnvironment names the Environment an object belongs to.
	LabelEnvironment = "spock.dev/environment"
	// LabelEnvironmentNamespace is the namespace of that Environment.
	LabelEnvironmentNamespace = "spock.dev/environment-namespace"
	// LabelService names the service of the product an object belongs to.
	LabelService = "spock.dev/service"
	// LabelRole is on pods: RoleWorkload or RoleHook. A Service selects the first only, so
	// that a running hook gets no traffic.
	LabelRole = "spock.dev/role"
	// RoleWorkload is the role of the pods that are the service.
	RoleWorkload = "workload"
	// RoleHook is the role of the pods of a service's hooks.
	RoleHook = "hook"
	// LabelProduct names the Product of an Environment or EnvironmentRun.
	LabelProduct = "spock.dev/product"
	// LabelManifests is on ConfigMaps that hold manifests: with the value "true" they are
	// watched, and templates may name them.
	LabelManifests = "spock.dev/manifests"
	// AnnotationEnvironmentUID is the uid of the owning Environment: a namesake of a
	// deleted Environment does not own what its predecessor left.
	AnnotationEnvironmentUID = "spock.dev/environment-uid"
	// AnnotationHash is the digest of what Spock wanted when it wrote the object. It
	// is written in the same request as the object's spec, so a copy that carries the
	// wanted hash is at or after our own write: its generation is the one to gate on.
	AnnotationHash = "spock.dev/hash"
	// AnnotationPodHash is on pods of a Deployment, StatefulSet or DaemonSet: the digest of
	// the pod template that Spock wanted. A pod with another one is of an older revision,
	// however young it is.
	AnnotationPodHash = "spock.dev/pod-hash"
	// AnnotationNode names the node of the plan (service or hook) that writes the object.
	AnnotationNode = "spock.dev/node"
	// AnnotationRun names the EnvironmentRun that last wrote the object.
	AnnotationRun = "spock.dev/run"
	// FinalizerEnvironment keeps an Environment until its teardown is observed.
	FinalizerEnvironment = "spock.dev/environment"
	// FinalizerHost keeps a Host until its environments have taken their services away.
	FinalizerHost = "spock.dev/host"
	// FinalizerCustomRun keeps a Teardown or Deploy CustomRun until its work is let go.
	FinalizerCustomRun = "spock.dev/customrun"
	// FieldManager is the field manager of every server-side apply.
	FieldManager = "spock"
)
