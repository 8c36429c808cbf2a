"""experiments/training_runs."""
