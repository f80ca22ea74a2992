"""What commands that plan, publish and compare come to: text for people, a document for programs, of one value.

Never in this room: what is told, worked out; that is done where it is known.
"""
