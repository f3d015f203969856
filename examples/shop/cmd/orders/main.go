// Command orders takes orders; `orders migrate` brings the database to the schema
// that the shop needs.
package main

import (
	"example.com/shop/internal/orders"
	"example.com/shop/internal/service"
)

func main() { service.Main("orders", orders.Run) }
