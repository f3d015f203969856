// Command catalog answers what the shop sells.
package main

import (
	"example.com/shop/internal/catalog"
	"example.com/shop/internal/service"
)

func main() { service.Main("catalog", catalog.Run) }
