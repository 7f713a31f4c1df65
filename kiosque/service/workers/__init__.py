"""Many machines on one PostgreSQL: each worker takes sites from the queue, one of them plans what is put there."""
