// Command web is the public face of the shop.
package main

import (
	"example.com/shop/internal/service"
	"example.com/shop/internal/web"
)

func main() { service.Main("web", web.Run) }
