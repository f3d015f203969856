package kube

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

// makeSecrets creates the product's secrets as the environment's service account, and
// leaves those alone that are there: values are never read, and never made twice.
func (h *Homes) makeSecrets(ctx context.Context, scope target.Scope, secrets []v1alpha1.GeneratedSecret) error {
	if len(secrets) == 0 {
		return nil
	}
	client, err := h.target.clients.as(scope)
	if err != nil {
		return err
	}
	for _, s := range secrets {
		secret, err := generate(scope, s)
		if err != nil {
			return err
		}
		_, err = client.kube.CoreV1().Secrets(scope.Namespace).Create(ctx, secret, metav1.CreateOptions{FieldManager: v1alpha1.FieldManager})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create secret %s as %s: %w", s.Name, User(scope), err)
		}
	}
	return nil
}

func generate(scope target.Scope, s v1alpha1.GeneratedSecret) (*corev1.Secret, error) {
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: s.Name, Namespace: scope.Namespace,
			Labels: map[string]string{
				"app.kubernetes.io/managed-by":     "spock",
				v1alpha1.LabelEnvironment:          scope.Environment.Name,
				v1alpha1.LabelEnvironmentNamespace: scope.Environment.Namespace,
			},
			Annotations: map[string]string{v1alpha1.AnnotationEnvironmentUID: string(scope.UID)},
		},
		StringData: map[string]string{},
	}
	for _, key := range s.Keys {
		value, err := password()
		if err != nil {
			return nil, fmt.Errorf("make secret %s: %w", s.Name, err)
		}
		secret.StringData[key] = value
	}
	return secret, nil
}

// password is 32 letters and digits, about 190 bits.
func password() (string, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	out := make([]byte, 32)
	for i := range out {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", fmt.Errorf("read random bytes: %w", err)
		}
		out[i] = letters[n.Int64()]
	}
	return string(out), nil
}
