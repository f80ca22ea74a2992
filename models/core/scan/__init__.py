"""The leaky scan: the one recurrent operation, and the bodies that compute it.

Never in this room: inputs, weights of inputs, or gates.
"""
