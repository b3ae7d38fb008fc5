"""What every request has to pass before any route sees it: shape, host, identity, rate, origin, body."""
