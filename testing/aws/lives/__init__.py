"""Whole lives of clusters: the real program against the emulated account with the real ParallelCluster in it."""
