// Package shop holds the nouns of the shop: what is sold, and what was ordered.
package shop

import (
	"errors"
	"time"
)

// Product is something the shop sells.
type Product struct {
	// SKU identifies the product.
	SKU string `json:"sku"`
	// Name for people.
	Name string `json:"name"`
	// Description in one sentence.
	Description string `json:"description"`
	// PriceCents is the price of one piece.
	PriceCents int64 `json:"priceCents"`
}

// Status says how far an order is.
type Status string

// The states of an order, in the order they are passed through.
const (
	StatusNew    Status = "new"
	StatusPacked Status = "packed"
)

// Order is what a customer asked for.
type Order struct {
	// ID is given by the shop.
	ID int64 `json:"id"`
	// SKU of the product.
	SKU string `json:"sku"`
	// Quantity of pieces.
	Quantity int `json:"quantity"`
	// TotalCents is the price of all pieces at the time of the order.
	TotalCents int64 `json:"totalCents"`
	// Status of the order.
	Status Status `json:"status"`
	// CreatedAt is when the order was taken.
	CreatedAt time.Time `json:"createdAt"`
	// PackedAt is when it was packed.
	PackedAt *time.Time `json:"packedAt,omitempty"`
}

// MaxQuantity is the most pieces in one order.
const MaxQuantity = 99

var (
	// ErrUnknownProduct says that no product has the SKU.
	ErrUnknownProduct = errors.New("no such product")
	// ErrUnknownOrder says that no order has the ID.
	ErrUnknownOrder = errors.New("no such order")
)

// NewOrders is the Redis list of the ids of orders that wait to be packed: orders
// pushes on its left, worker pops from its right.
const NewOrders = "orders:new"
