"""What a test may ask of the server that is not AWS: faults, calls, inventory, a fresh account."""
