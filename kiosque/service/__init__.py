"""What keeps a service running for weeks: its jobs, one scheduler per store, reloads, alerts, metrics, a pulse."""
