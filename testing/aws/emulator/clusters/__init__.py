"""What ParallelCluster and its clusters do in an account: the provider, the nodes, Slurm."""
