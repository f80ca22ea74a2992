"""The report for papers and spreadsheets: its tables in LaTeX, its scores as CSV.

Never in this room: a number that is computed here first, or a word that the page does not say.
"""
