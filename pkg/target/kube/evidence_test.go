package kube

import (
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"
)

func TestAnAnswerIsTheNewestOfItsContainer(t *testing.T) {
	t.Parallel()
	told := func(container, message string, at time.Time) corev1.Event {
		return corev1.Event{
			InvolvedObject: corev1.ObjectReference{FieldPath: "spec.containers{" + container + "}"},
			Message:        message, LastTimestamp: metav1.NewTime(at),
		}
	}
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	inSeries := told("main", "in a series", time.Time{})
	inSeries.Series = &corev1.EventSeries{LastObservedTime: metav1.NewMicroTime(at.Add(time.Hour))}
	long := strings.Repeat("x", answerSize+1)
	tests := map[string]struct {
		events []corev1.Event
		want   string
	}{
		"none":                         {},
		"of another container":         {events: []corev1.Event{told("proxy", "not mine", at)}},
		"the last one told":            {events: []corev1.Event{told("main", "new\n", at.Add(time.Second)), told("main", "old", at)}, want: "new"},
		"a series as of its end":       {events: []corev1.Event{inSeries, told("main", "old", at)}, want: "in a series"},
		"no more than fits a sentence": {events: []corev1.Event{told("main", long, at)}, want: long[:answerSize] + "..."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAPIServer(t, func(w http.ResponseWriter, _ *http.Request) {
				reply(w, http.StatusOK, corev1.EventList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "EventList"}, Items: tc.events})
			})
			got, err := s.target(t).Answer(t.Context(), shop, "api-1", "main")
			if err != nil || got != tc.want {
				t.Errorf("Answer() = %q, %v; want %q", got, err, tc.want)
			}
			want := []request{{
				Method: http.MethodGet, Path: "/api/v1/namespaces/team-a-shop/events", User: "system:serviceaccount:team-a:deployer",
				Query: "fieldSelector=involvedObject.kind%3DPod%2CinvolvedObject.name%3Dapi-1%2Creason%3DUnhealthy",
			}}
			if diff := cmp.Diff(want, s.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}
