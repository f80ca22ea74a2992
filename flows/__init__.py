"""The Prefect flows, one file each: wiring only. The work itself is in `tasks/`."""
