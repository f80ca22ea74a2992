"""What corpora share: the recipe, splits by content, pieces from MIDI and text.

Never in this room: one data set's own rules, which are in `corpora/`.
"""
