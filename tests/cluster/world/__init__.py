"""The world of the cluster tests itself: what jobs meet in it is what they meet in a cluster."""
