package orders

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"example.com/shop/internal/service"
	"example.com/shop/internal/shop"
)

// maxBody is far above what an order needs.
const maxBody = 4 << 10

// Handler serves POST /orders and GET /orders/{id}.
type Handler struct {
	store Store
	queue Queue
	log   *slog.Logger
}

// NewHandler makes the HTTP side of the orders.
func NewHandler(store Store, queue Queue, log *slog.Logger) http.Handler {
	h := &Handler{store: store, queue: queue, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", h.create)
	mux.HandleFunc("GET /orders/{id}", h.show)
	return mux
}

// wish is the body of POST /orders.
type wish struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

func (h *Handler) create(w http.ResponseWriter, r *http.Request) {
	wanted, err := readWish(w, r)
	if err != nil {
		service.WriteProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	order, err := h.store.Create(r.Context(), wanted.SKU, wanted.Quantity)
	if err != nil {
		h.fail(w, r, "take the order", err)
		return
	}
	if err := h.queue.Push(r.Context(), order.ID); err != nil {
		// The order is taken: the worker finds it in the database, only later.
		h.log.WarnContext(r.Context(), "queue order", "order", order.ID, "error", err.Error())
	}
	h.log.InfoContext(r.Context(), "order taken", "order", order.ID, "sku", order.SKU, "quantity", order.Quantity)
	service.WriteJSON(w, http.StatusCreated, order)
}

func readWish(w http.ResponseWriter, r *http.Request) (wish, error) {
	var wanted wish
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&wanted); err != nil {
		return wish{}, fmt.Errorf(`the body is not an order (%w); send {"sku": "...", "quantity": 1}`, err)
	}
	if wanted.SKU == "" {
		return wish{}, errors.New("sku is empty; take one from the products")
	}
	if wanted.Quantity < 1 || wanted.Quantity > shop.MaxQuantity {
		return wish{}, fmt.Errorf("quantity is %d; order 1 to %d pieces", wanted.Quantity, shop.MaxQuantity)
	}
	return wanted, nil
}

func (h *Handler) show(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		service.WriteProblem(w, http.StatusBadRequest, fmt.Sprintf("order id %q is not a number", r.PathValue("id")))
		return
	}
	order, err := h.store.Order(r.Context(), id)
	if err != nil {
		h.fail(w, r, "find the order", err)
		return
	}
	service.WriteJSON(w, http.StatusOK, order)
}

// fail answers what went wrong while doing: the caller's mistakes in full, the shop's
// own in the log only.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, doing string, err error) {
	switch {
	case errors.Is(err, shop.ErrUnknownProduct):
		service.WriteProblem(w, http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, shop.ErrUnknownOrder):
		service.WriteProblem(w, http.StatusNotFound, err.Error())
	default:
		h.log.ErrorContext(r.Context(), doing, "error", err.Error())
		service.WriteProblem(w, http.StatusServiceUnavailable, "cannot "+doing+" now; try again")
	}
}
