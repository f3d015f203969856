// Command worker packs the orders that customers made.
package main

import (
	"example.com/shop/internal/packing"
	"example.com/shop/internal/service"
)

func main() { service.Main("worker", packing.Run) }
