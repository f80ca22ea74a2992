"""The results of the commands that ingest, plan, publish and compare, as text for people and JSON for programs.

Never in this room: computing these results.
"""
