"""The parts of the judge: a plan's folder, what it expects to exist, its stacks, its cluster."""
