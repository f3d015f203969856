package kubelet

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// StorageClass is the class of the claims that are bound to volumes which hold nothing.
const StorageClass = "simulated"

// keepClaims gives each claim of the class a volume, and takes the volume away with it.
func (k *Kubelet) keepClaims(ctx context.Context, all informers.SharedInformerFactory) error {
	claims, volumes := all.Core().V1().PersistentVolumeClaims().Informer(), all.Core().V1().PersistentVolumes().Informer()
	_, err := claims.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(obj any) {
		if c := obj.(*corev1.PersistentVolumeClaim); c.Spec.VolumeName == "" && c.Spec.StorageClassName != nil && *c.Spec.StorageClassName == StorageClass {
			// One that is there already, or a claim that is gone, needs none.
			_, _ = k.client.CoreV1().PersistentVolumes().Create(ctx, volume(c), metav1.CreateOptions{})
		}
	}})
	if err != nil {
		return fmt.Errorf("watch claims: %w", err)
	}
	_, err = volumes.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, obj any) {
		if v := obj.(*corev1.PersistentVolume); v.Status.Phase == corev1.VolumeReleased && v.Spec.StorageClassName == StorageClass {
			_ = k.client.CoreV1().PersistentVolumes().Delete(ctx, v.Name, metav1.DeleteOptions{}) // gone already is as good
		}
	}})
	if err != nil {
		return fmt.Errorf("watch volumes: %w", err)
	}
	go claims.Run(ctx.Done())
	go volumes.Run(ctx.Done())
	return nil
}

// volume is one for a claim alone. Nobody ever mounts it.
func volume(c *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "simulated-" + string(c.UID)},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: c.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   c.Spec.AccessModes,
			VolumeMode:                    c.Spec.VolumeMode,
			StorageClassName:              StorageClass,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/nowhere"}},
			ClaimRef:                      &corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: c.Namespace, Name: c.Name, UID: c.UID},
		},
	}
}
