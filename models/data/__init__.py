"""Pieces as tensors: cut into chunks, several trials side by side, shifted in pitch.

Never in this room: a parameter, or a file.
"""
