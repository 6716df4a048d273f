//! What Slurm's programs wrote, and what is made of it.
