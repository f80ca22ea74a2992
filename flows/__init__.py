"""What runs: one file a flow, wiring only. The work itself is in `tasks/`."""
