"""The restricted Boltzmann machine: energies, Gibbs steps, log Z by annealed importance sampling.

Never in this room: the network that gives the machine's biases.
"""
