"""What goes over the wire: msgspec structs of our own, made from the domain's. Fields are added, never renamed."""
