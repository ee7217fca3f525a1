"""What files of a deployment start: services with their images, settings and ports, and the rules that speak of them."""
