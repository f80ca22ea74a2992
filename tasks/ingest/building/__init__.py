"""The parts that corpora share: the recipe, splits by content, pieces from MIDI and text.

Never in this room: the rules of a single data set, which are in `corpora/`.
"""
