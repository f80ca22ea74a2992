"""The leaky scan: the paper's recurrent operation, and its implementations, called kernels.

Never in this room: inputs, weights of inputs, or gates.
"""
