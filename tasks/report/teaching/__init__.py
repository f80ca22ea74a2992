"""What a student needs to read a report: its words in a sentence each, and what the techniques do, computed and drawn.

In this room: the glossary, and the few numbers of which figures explain a technique. Never in it: a campaign's result.
"""
